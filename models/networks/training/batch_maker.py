"""Makes the batches of one task. Batch i is a function of i alone, so that a resumed run sees what
an uninterrupted one would have seen. Nothing here needs Keras: feeders are processes without it.
"""

from __future__ import annotations

import functools
import zlib

import numpy as np

from models.examples.half_precision import to_single
from models.examples.label_store import LabelStore
from models.networks.config import NetworkConfig
from models.networks.training.augmentation import augment_batch
from models.networks.training.inputs import training_input
from models.tasks import Task
from models.tasks.arrays import Floats, Integers
from models.tasks.labels.sparse_shares import strongest

# Input, target, mask, float32.
Batch = tuple[Floats, Floats, Floats]
# What a draw is for; part of its seed, so that none repeats another's.
ORDER = 0
DAMAGE = 1
AUGMENTATION = 2
# Share of equal frequencies in those by which colours are rebalanced.
MIX = 0.5


class BatchMaker:
    """Shuffled epochs of the train split, endless, `size` samples a batch. Fewer samples than a
    batch: an epoch's rest is filled up from the next one, so that a sample may stand in a batch
    twice. weights: of colours, by which masks are rebalanced, or None.
    """

    def __init__(
        self,
        store: LabelStore,
        task: Task,
        config: NetworkConfig,
        size: int,
        weights: Floats | None = None,
    ) -> None:
        self.given = (store, task, config, size, weights)
        self.data = store.samples(task.name, "train")
        self.pictures = store.images("train")
        self.task = task
        self.config = config
        self.size = size
        self.weights = weights
        self.key = [config.seed, zlib.crc32(task.name.encode())]
        self.whitening = store.whitening(task.name)
        # of this instance: a cache on the method would keep every instance alive
        self.permutation = functools.lru_cache(maxsize=4)(self._permutation)

    def __reduce__(self) -> tuple[type[BatchMaker], tuple[object, ...]]:
        # to another process: what it is made of, not what it has opened
        return type(self), self.given

    def batch(self, step: int) -> Batch:
        """(inputs, targets, masks) of a step, float32: [B, ...] as `training_input` makes them,
        targets and masks as the label store has them; of a task with `shares` targets in the sparse
        form, which `dense_target` undoes.
        """
        images, target, mask = self.data.take(self.rows(step), self.pictures, self.task.shares)
        target = to_single(target)
        mask = to_single(mask)
        if self.weights is not None:
            mask = rebalanced_mask(target, mask, self.weights)
        if self.config.augment:
            rng = self.generator(AUGMENTATION, step)
            images, target, mask = augment_batch(
                self.task, images, target, mask, self.whitening, rng
            )
        rng = self.generator(DAMAGE, step)
        value = training_input(self.task, images, target, rng, self.config.tile_size)
        return value, target, mask

    def prefetch(self, step: int) -> None:
        """Has the system fetch the records of a step's batch, and does not wait for them."""
        self.data.prefetch(self.rows(step), self.pictures)

    def generator(self, purpose: int, step: int) -> np.random.Generator:
        return np.random.default_rng([*self.key, purpose, step])

    def rows(self, step: int) -> list[int]:
        """Returns the positions of a step's samples, ascending (files are read forwards)."""
        places = range(step * self.size, (step + 1) * self.size)
        return sorted(
            int(self.permutation(place // len(self.data))[place % len(self.data)])
            for place in places
        )

    def _permutation(self, epoch: int) -> Integers:
        return self.generator(ORDER, epoch).permutation(len(self.data))


def colour_weights(counts: Integers) -> Floats:
    """Returns weights [K] float32 of colour bins: 1/((1 - MIX) p + MIX/K), scaled so that the mean
    over pixels is 1; p: shares of the bins by `counts` [K] (Zhang et al. 2016).

    The released table of indoor weights has 313 values from 0 to 9.75; ours come from the data at
    hand.
    """
    share = counts / counts.sum()
    weights = 1 / ((1 - MIX) * share + MIX / len(share))
    return (weights / (share * weights).sum()).astype("float32")


def rebalanced_mask(target: Floats, mask: Floats, weights: Floats) -> Floats:
    """Returns the mask [B, S, S, 1] times the weight of each pixel's strongest bin. target: [B, S,
    S, K], or in the sparse form.
    """
    bins = target.argmax(-1) if target.shape[-1] == len(weights) else strongest(target)
    return mask * weights[bins][..., None]
