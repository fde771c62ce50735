"""A share of the labels: the store as it is known to whoever bought a part of the views' labels."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, SupportsIndex, cast

import numpy as np

from models.examples.label_store import LabelStore
from models.examples.label_sums import LabelSums
from models.examples.label_writer import statistics
from models.examples.lazy_rows import LazyRows
from models.examples.task_samples import Label, Rows, Taken, TaskSamples
from models.tasks import TASKS
from models.tasks.arrays import Array, Bools, Bytes, Floats, Integers

# Splits of which a share is bought: the one that teaches, and the one that chooses how far answers
# are pulled towards the average. The test split judges, and is whole.
BOUGHT = ("train", "val")
# (factor, offset), [k] float64 each, of targets; None where they stay as they are.
Change = tuple[Array, Array] | None


class LabelShare(LabelStore):
    """The label store at `directory`, of which a share in (0, 1] is known: a share of the views of
    train and val, and of samples of several views those whose views are all among them.

    What is computed from labels (whitening; by callers: averages, colours) is of this share alone.
    Whole buildings come first, in an order that `seed` fixes: a smaller share is part of a larger.
    """

    def __init__(self, directory: str | Path, share: float, seed: int) -> None:
        super().__init__(directory)
        self.whole = LabelStore(directory)
        self.share = share
        self.seed = seed
        # of this instance: a cache on the method would keep every instance alive
        self.known = functools.cache(self._known)
        self.whitening_of = functools.cache(self._whitening_of)

    @property
    def views_address(self) -> str:
        """16 hex digits that change with the views, the share and the order of buildings."""
        text = json.dumps([self.whole.views_address, self.share, self.seed])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def count(self, split: str) -> int:
        """Returns the number of views of a split that are in the share."""
        return int(self.known(split).sum())

    def rows(self, task: str, split: str) -> Integers:
        """Returns [n], the rising positions among the whole store's samples of those whose views
        are all in the share.
        """
        views = np.asarray(self.whole.samples(task, split).views)
        return np.flatnonzero(self.known(split)[views].all(1))

    def whitening(self, task: str) -> tuple[Array, Array]:
        """Returns mean and deviation [k], float64, of the share's train targets before whitening;
        (0, 1) for tasks that are not whitened.
        """
        return self.whitening_of(task)

    def sums(self, task: str) -> LabelSums | None:
        """Returns None: the sums that are kept are of all labels."""
        return None

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        """Pickles as what it was made of: another process opens the store anew."""
        return LabelShare, (self.directory, self.share, self.seed)

    def _known(self, split: str) -> Bools:
        spans = list(self._views[split].spans())
        if split not in BOUGHT:
            return np.ones(sum(map(len, spans)), bool)
        return views_of_share(spans, self.share, self.seed)

    def _whitening_of(self, task: str) -> tuple[Array, Array]:
        mean, deviation = self.whole.whitening(task)
        if not TASKS[task].whitened:
            return mean, deviation
        rows = self.rows(task, "train")
        if not len(rows):
            raise LookupError(f"{self.share:g} of the train views hold no label of {task}")
        stored = self.whole.samples(task, "train").labels(rows)[0]
        own = statistics(np.asarray(stored * deviation + mean, "float64"))
        return np.asarray(own[0]), np.asarray(own[1])

    def _opened(self, task: str, split: str) -> TaskSamples:
        whole = self.whole.samples(task, split)
        return share_samples(whole, self.rows(task, split), self._change(task))

    def _change(self, task: str) -> Change:
        """Returns what makes of the whole store's targets those of the share's whitening."""
        if not TASKS[task].whitened:
            return None
        return change_of(self.whole.whitening(task), self.whitening(task))


def change_of(given: tuple[Array, Array], wanted: tuple[Array, Array]) -> tuple[Array, Array]:
    """Returns (factor, offset), [k] float64 each, that make of numbers that are whitened by `given`
    (mean, deviation) those that are whitened by `wanted`.
    """
    return given[1] / wanted[1], (given[0] - wanted[0]) / wanted[1]


def views_of_share(buildings: Sequence[range], share: float, seed: int) -> Bools:
    """Returns [views] bool, those of a share, at least one. buildings: the positions of one
    building after the other. They are taken in an order that the seed fixes, each whole but the
    last, of which the first views are taken.
    """
    count = sum(map(len, buildings))
    known = np.zeros(count, bool)
    if count:
        order = np.random.default_rng(seed).permutation(len(buildings))
        in_order = np.concatenate([np.asarray(buildings[i]) for i in order])
        known[in_order[: max(1, round(share * count))]] = True
    return known


@dataclass(frozen=True)
class ShareSamples(TaskSamples):
    """Some samples of others. rows: [n], which; change: what becomes of their targets."""

    whole: TaskSamples
    rows: Integers
    change: Change

    def take(self, rows: Rows, pictures: Bytes, shares: int = 0) -> Taken:
        shown, target, mask = self.whole.take(self.rows[rows], pictures, shares)
        return shown, changed(target, self.change), mask

    def labels(self, rows: Rows) -> Label:
        target, mask = self.whole.labels(self.rows[rows])
        return changed(target, self.change), mask

    def prefetch(self, rows: Rows, pictures: Bytes | None) -> None:
        self.whole.prefetch(self.rows[rows], pictures)


def share_samples(whole: TaskSamples, rows: Integers, change: Change) -> ShareSamples:
    """Returns the samples `rows` [n] of others; labels are read where they are used."""
    target = LazyRows(
        len(rows),
        whole.target.shape[1:],
        whole.target.dtype,
        lambda i: changed(np.asarray(whole.target[rows[i]]), change),
    )
    mask = LazyRows(
        len(rows), whole.mask.shape[1:], whole.mask.dtype, lambda i: np.asarray(whole.mask[rows[i]])
    )
    views = np.asarray(whole.views)[rows]
    return ShareSamples(views, cast(Floats, target), cast(Floats, mask), whole, rows, change)


def changed(target: Floats, change: Change) -> Floats:
    """Returns targets [..., k] times a factor plus an offset, in their own dtype."""
    if change is None:
        return target
    factor, offset = change
    return (target * factor + offset).astype(target.dtype)
