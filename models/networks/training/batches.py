"""Batches of one task without end. Batch i is a function of i alone, so that a resumed run sees
what an uninterrupted one would have seen.
"""

from __future__ import annotations

import functools
import zlib
from concurrent.futures import Future, ThreadPoolExecutor

import keras
import numpy as np

from models.examples.half_precision import to_single
from models.examples.label_store import LabelStore, TaskSamples
from models.networks.config import NetworkConfig
from models.networks.training.augmentation import augmented
from models.networks.training.inputs import training_input
from models.networks.training.recipes import recipe
from models.tasks import Task
from models.tasks.arrays import Floats, Integers

# Input, target, mask, float32.
Batch = tuple[Floats, Floats, Floats]
# What a draw is for; part of its seed, so that none repeats another's.
ORDER = 0
DAMAGE = 1
AUGMENTATION = 2


class Batches(keras.utils.PyDataset):
    """Shuffled epochs of the train split, endless; for `keras.Model.fit` with `steps_per_epoch`.

    `batches[i]` is (input, target, mask) of step first + i. Fewer samples than a batch: an epoch's
    rest is filled up from the next one, so that a sample may stand in a batch twice. Threads
    prepare the next `ahead` batches (Keras' own enqueuer starts over at every epoch).
    """

    def __init__(
        self, store: LabelStore, task: Task, config: NetworkConfig, first: int = 0, ahead: int = 4
    ) -> None:
        super().__init__()
        self.data = store.samples(task.name, "train")
        self.pictures = store.images("train")
        self.task = task
        self.config = config
        self.first = first
        self.ahead = ahead
        self.key = [config.seed, zlib.crc32(task.name.encode())]
        self.size = batch_size(task, config)
        self.whitening = store.whitening(task.name)
        rebalances = task.input == "lightness" and config.recipe == "published"
        self.weights = colour_weights(self.data) if rebalances else None
        self.pool = ThreadPoolExecutor(config.feeders)
        self.coming: dict[int, Future[Batch]] = {}
        # of this instance: a cache on the method would keep every instance alive
        self.permutation = functools.lru_cache(maxsize=4)(self._permutation)

    @property
    def num_batches(self) -> None:
        return None

    def __getitem__(self, index: int) -> Batch:
        for i in range(index, index + self.ahead):
            if i not in self.coming:
                self.coming[i] = self.pool.submit(self.batch, self.first + i)
        return self.coming.pop(index).result()

    def batch(self, step: int) -> Batch:
        """inputs, targets, masks of a step."""
        images, target, mask = self.data.take(self.rows(step), self.pictures)
        target = to_single(target)
        mask = to_single(mask)
        if self.weights is not None:
            mask = rebalanced(target, mask, self.weights)
        if self.config.augment:
            rng = self.generator(AUGMENTATION, step)
            images, target, mask = augmented(self.task, images, target, mask, self.whitening, rng)
        rng = self.generator(DAMAGE, step)
        value = training_input(self.task, images, target, rng, self.config.tile_size)
        return value, target, mask

    def generator(self, purpose: int, step: int) -> np.random.Generator:
        return np.random.default_rng([*self.key, purpose, step])

    def rows(self, step: int) -> list[int]:
        """positions of a step's samples, ascending (files are read forwards)."""
        places = range(step * self.size, (step + 1) * self.size)
        return sorted(
            int(self.permutation(place // len(self.data))[place % len(self.data)])
            for place in places
        )

    def _permutation(self, epoch: int) -> Integers:
        return self.generator(ORDER, epoch).permutation(len(self.data))

    def close(self) -> None:
        self.pool.shutdown(wait=True, cancel_futures=True)


def batch_size(task: Task, config: NetworkConfig) -> int:
    """samples a step: two at least, for batch norm."""
    return max(2, recipe(task, config).batch)


def colour_weights(data: TaskSamples, mix: float = 0.5) -> Floats:
    """[K] float32: 1/((1 - mix) p + mix/K), scaled so that the mean over pixels is 1; p: shares of
    the bins in the targets [n, S, S, K] of train samples (Zhang et al. 2016).

    The released table of indoor weights has 313 values from 0 to 9.75; ours come from the data at
    hand.
    """
    bins = data.target.shape[-1]
    counts = np.zeros(bins, "int64")
    step = data.at_a_time(256)
    for i in range(0, len(data), step):
        strongest = data.target[i : i + step].argmax(-1)
        counts += np.bincount(strongest.ravel(), minlength=bins)
    share = counts / counts.sum()
    weights = 1 / ((1 - mix) * share + mix / bins)
    return (weights / (share * weights).sum()).astype("float32")


def rebalanced(target: Floats, mask: Floats, weights: Floats) -> Floats:
    """the mask [B, S, S, 1] times the weight of each pixel's strongest bin."""
    return mask * weights[target.argmax(-1)][..., None]
