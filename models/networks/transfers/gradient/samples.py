"""Samples of a target with the representations of some sources, and which of them teach."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from models.examples.half_precision import to_single
from models.examples.label_store import LabelStore
from models.examples.task_samples import LazySamples
from models.networks.training.feeders import batches_ahead
from models.tasks import TASKS
from models.tasks.arrays import Floats, Integers

# (source, split) -> its standardised representations [view, h, w, c].
Maps = Callable[[int, str], Floats]
# Bytes that the representations of a split's views may take in memory, as float32.
IN_MEMORY = 1 << 30
# Representations [B, source, (images,) h, w, c], target, mask; float32.
Inputs = tuple[Floats, Floats, Floats]


class LabelBatches:
    """Labels of some samples of a split in this order, `size` samples a batch. Nothing here needs
    Keras: feeders are processes without it.
    """

    def __init__(self, store: LabelStore, name: str, split: str, rows: Integers, size: int) -> None:
        self.data = store.samples(name, split)
        self.rows = rows
        self.size = size
        self.origin = (store, name, split, rows, size)

    def __reduce__(self) -> tuple[type[LabelBatches], tuple[object, ...]]:
        # to another process: what it is made of, not what it has opened
        return type(self), self.origin

    def __len__(self) -> int:
        return -(-len(self.rows) // self.size)

    def batch(self, number: int) -> tuple[Integers, Floats, Floats]:
        """(rows [B], targets, masks float32) of a batch."""
        rows = self.part(number)
        target, mask = self.data.labels(rows)
        return rows, to_single(target), to_single(mask)

    def prefetch(self, number: int) -> None:
        """Has the system fetch the records of a batch, and does not wait for them."""
        self.data.prefetch(self.part(number), None)

    def part(self, number: int) -> Integers:
        """Returns the rows [B] of a batch."""
        return self.rows[number * self.size : (number + 1) * self.size]


class Samples:
    """Samples of one task and split, with the representations of the sources `used`: in memory, or
    read as they are asked for where they would take more than `IN_MEMORY`. feeders: processes that
    make labels which are not kept.
    """

    def __init__(
        self,
        store: LabelStore,
        maps: Maps,
        name: str,
        split: str,
        used: Sequence[int],
        feeders: int = 1,
    ) -> None:
        self.data = store.samples(name, split)
        self.origin = (store, name, split)
        self.feeders = feeders if isinstance(self.data, LazySamples) else 1
        self.images = TASKS[name].images
        # A source: [view, h, w, c].
        self.codes = [maps(index, split) for index in used]
        if sum(codes.size for codes in self.codes) * 4 <= IN_MEMORY:
            self.codes = [np.asarray(codes, "float32") for codes in self.codes]

    def __len__(self) -> int:
        return len(self.data)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the representations of a view: (source, h, w, c)."""
        return (len(self.codes), *self.codes[0].shape[1:])

    def take(self, rows: Integers) -> Inputs:
        """Returns (codes [n, source, (images,) h, w, c], targets [n, ...], masks [n, ...]) of some
        samples.
        """
        return next(self.batches(rows, len(rows)))

    def batches(self, rows: Integers, size: int) -> Iterator[Inputs]:
        """Yields the inputs, as `take` does, of some samples [n] in this order, `size` of them at a
        time.
        """
        labels = LabelBatches(*self.origin, rows, size)
        for part, target, mask in batches_ahead(labels, self.feeders):
            yield self.codes_of(part), target, mask

    def codes_of(self, rows: Integers) -> Floats:
        """Returns the representations of some samples: [B, source, (images,) h, w, c] float32."""
        views = np.asarray(self.data.views)[rows]  # [B, images]
        codes = np.empty(
            (len(views), len(self.codes), *views.shape[1:], *self.shape[1:]), "float32"
        )
        for i, source in enumerate(self.codes):
            codes[:, i] = to_single(source[views])
        return codes[:, :, 0] if self.images == 1 else codes


def split_last(count: int, limit: int) -> tuple[Integers, Integers]:
    """Returns ([n] all but the last fifth, [m] the last fifth) of the first `limit` of `count`
    samples.
    """
    count = min(count, limit)
    cut = count - max(1, count // 5)
    return np.arange(cut), np.arange(cut, count)
