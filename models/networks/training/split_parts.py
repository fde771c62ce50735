"""The samples of a split as a trained network is judged on them. Nothing here needs Keras: feeders
are processes without it.
"""

from __future__ import annotations

import zlib

import numpy as np

from models.examples.half_precision import to_single
from models.examples.label_store import LabelStore
from models.networks.training.batch_maker import Batch, rebalanced_mask
from models.networks.training.inputs import training_input
from models.tasks import Task
from models.tasks.arrays import Floats

# Samples that are answered at a time.
BATCH = 64


class SplitParts:
    """All samples of a split in order, at most `most` (BATCH if None) at a time. weights: of colour
    bins, in the mask (`balance`), or None. tile: side of a jigsaw's tiles in pixels.
    """

    def __init__(
        self,
        store: LabelStore,
        task: Task,
        split: str,
        tile: int,
        weights: Floats | None = None,
        most: int | None = None,
    ) -> None:
        self.task = task
        self.tile = tile
        self.weights = weights
        self.data = store.samples(task.name, split)
        self.pictures = store.images(split)
        self.step = self.data.at_a_time(BATCH if most is None else most)
        self.given = (store, task, split, tile, weights, self.step)

    def __reduce__(self) -> tuple[type[SplitParts], tuple[object, ...]]:
        # to another process: what it is made of, not what it has opened
        return type(self), self.given

    def __len__(self) -> int:
        """Returns how many parts there are."""
        return -(-len(self.data) // self.step)

    def batch(self, number: int) -> Batch:
        """(inputs, targets, masks) of a part, float32, [B, ...] as `BatchMaker`'s. The damage
        done to inputs is drawn for the part alone, the same for every caller.
        """
        rows = self.rows(number)
        return self.some(rows, damage_generator(self.task, rows.start))

    def prefetch(self, number: int) -> None:
        """Has the system fetch the records of a part, and does not wait for them."""
        self.data.prefetch(self.rows(number), self.pictures)

    def rows(self, number: int) -> slice:
        """Returns the rows of a part."""
        return slice(number * self.step, (number + 1) * self.step)

    def some(self, rows: slice, random: np.random.Generator) -> Batch:
        """Returns (input, target, mask) of some samples. random: draws the damage to inputs."""
        images, target, mask = self.data.take(rows, self.pictures)
        target = to_single(target)
        mask = to_single(mask)
        value = training_input(self.task, images, target, random, self.tile)
        if self.weights is not None:
            mask = rebalanced_mask(target, mask, self.weights)
        return value, target, mask


def damage_generator(task: Task, start: int = 0) -> np.random.Generator:
    """Returns the random numbers by which the inputs of samples from `start` on are damaged."""
    return np.random.default_rng([zlib.crc32(task.name.encode()), start])
