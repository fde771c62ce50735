"""Samples of a target with the representations of some sources, and which of them teach."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from models.examples.half_precision import to_single
from models.examples.label_store import LabelStore
from models.tasks import TASKS
from models.tasks.arrays import Floats, Integers

# (source, split) -> its standardised representations [view, h, w, c].
Maps = Callable[[int, str], Floats]
# Bytes that the representations of a split's views may take in memory, as float32.
IN_MEMORY = 1 << 30
# Representations [B, source, (images,) h, w, c], target, mask; float32.
Inputs = tuple[Floats, Floats, Floats]


class Samples:
    """Samples of one task and split, with the representations of the sources `used`: in memory, or
    read as they are asked for where they would take more than `IN_MEMORY`.
    """

    def __init__(
        self, store: LabelStore, maps: Maps, name: str, split: str, used: Sequence[int]
    ) -> None:
        self.data = store.samples(name, split)
        self.images = TASKS[name].images
        # A source: [view, h, w, c].
        self.codes = [maps(index, split) for index in used]
        if sum(codes.size for codes in self.codes) * 4 <= IN_MEMORY:
            self.codes = [np.asarray(codes, "float32") for codes in self.codes]

    def __len__(self) -> int:
        return len(self.data)

    @property
    def shape(self) -> tuple[int, ...]:
        """of the representations of a view: (source, h, w, c)."""
        return (len(self.codes), *self.codes[0].shape[1:])

    def take(self, rows: Integers) -> Inputs:
        """of some samples."""
        views = np.asarray(self.data.views)[rows]  # [B, images]
        codes = np.empty(
            (len(views), len(self.codes), *views.shape[1:], *self.shape[1:]), "float32"
        )
        for i, source in enumerate(self.codes):
            codes[:, i] = source[views]
        if self.images == 1:
            codes = codes[:, :, 0]
        target, mask = self.data.labels(rows)
        return codes, to_single(target), to_single(mask)


def split_last(count: int, limit: int) -> tuple[Integers, Integers]:
    """(all but the last fifth, the last fifth) of the first `limit` of `count` samples."""
    count = min(count, limit)
    cut = count - max(1, count // 5)
    return np.arange(cut), np.arange(cut, count)
