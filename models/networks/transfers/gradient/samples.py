"""Samples of a target with the representations of some sources, and which of them teach."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from models.examples.label_store import LabelStore
from models.tasks import TASKS
from models.tasks.arrays import Floats, Integers

# (source, split) -> its standardised representations [view, h, w, c].
Maps = Callable[[int, str], Floats]
# Representations [B, source, (images,) h, w, c], target, mask; float32.
Inputs = tuple[Floats, Floats, Floats]


class Samples:
    """Samples of one task and split, with the representations of the sources `used`."""

    def __init__(
        self, store: LabelStore, maps: Maps, name: str, split: str, used: Sequence[int]
    ) -> None:
        self.data = store.samples(name, split)
        self.images = TASKS[name].images
        # [view, source, h, w, c]
        self.codes = np.stack([np.asarray(maps(index, split), "float32") for index in used], 1)

    def __len__(self) -> int:
        return len(self.data)

    def take(self, rows: Integers) -> Inputs:
        """of some samples."""
        codes = self.codes[np.asarray(self.data.views)[rows]]  # [B, images, source, h, w, c]
        codes = codes[:, 0] if self.images == 1 else np.moveaxis(codes, 1, 2)
        target = np.asarray(self.data.target[rows], "float32")
        mask = np.asarray(self.data.mask[rows], "float32")
        return codes, target, mask


def split_last(count: int, limit: int) -> tuple[Integers, Integers]:
    """(all but the last fifth, the last fifth) of the first `limit` of `count` samples."""
    count = min(count, limit)
    cut = count - max(1, count // 5)
    return np.arange(cut), np.arange(cut, count)
