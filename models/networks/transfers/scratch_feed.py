"""The batches of a network from scratch: samples of the transfer split, whose order and damage
follow from the number of the step.
"""

from __future__ import annotations

import zlib

import numpy as np

from models.examples.half_precision import to_single
from models.examples.label_store import LabelStore
from models.networks.config import NetworkConfig
from models.networks.training.augmentation import augment_batch
from models.networks.training.batch_maker import Batch
from models.networks.training.inputs import training_input
from models.tasks import Task
from models.tasks.arrays import Integers

# Held-out samples that judge a network, at most: of thousands of pairs, judging takes longer than
# training.
JUDGES = 256


class Feed:
    """Batches without end of some samples of the transfer split, batch i a function of i alone."""

    def __init__(
        self, store: LabelStore, task: Task, config: NetworkConfig, rows: Integers
    ) -> None:
        self.data = store.samples(task.name, config.transfer_split)
        self.pictures = store.images(config.transfer_split)
        self.whitening = store.whitening(task.name)
        self.task = task
        self.config = config
        self.rows = rows

    def generator(self, purpose: str, step: int = 0) -> np.random.Generator:
        """Returns the random numbers of one purpose ("order", "batch", "judging") and step."""
        key = [self.config.seed, zlib.crc32(self.task.name.encode())]
        return np.random.default_rng([*key, zlib.crc32(purpose.encode()), step])

    def batch(self, step: int) -> Batch:
        """Returns inputs, targets and masks of a step. Samples follow an epoch's order, and the
        next epoch's where that ends.
        """
        places = np.arange(step * self.config.batch, (step + 1) * self.config.batch)
        epochs, rests = places // len(self.rows), places % len(self.rows)
        orders = {int(epoch): self.order(int(epoch)) for epoch in np.unique(epochs)}
        # ascending: files are read forwards
        picked = np.sort([orders[int(epoch)][rest] for epoch, rest in zip(epochs, rests)])
        return self.take(self.rows[picked], self.generator("batch", step), self.config.augment)

    def order(self, epoch: int) -> Integers:
        """Returns [n], the positions in `rows` in the order of an epoch."""
        return self.generator("order", epoch).permutation(len(self.rows))

    def take(self, rows: Integers, rng: np.random.Generator, augment: bool = False) -> Batch:
        """Returns inputs, with the task's own damage drawn from `rng`, targets and masks of some
        samples [n], [n, ...] each.
        """
        images, target, mask = self.data.take(rows, self.pictures)
        target = to_single(target)
        mask = to_single(mask)
        if augment:
            images, target, mask = augment_batch(
                self.task, images, target, mask, self.whitening, rng
            )
        value = training_input(self.task, images, target, rng, self.config.tile_size)
        return value, target, mask


def held_out_batch(
    store: LabelStore, task: Task, config: NetworkConfig, held_out: Integers
) -> Batch:
    """Returns inputs, targets and masks, [m, ...] each, of the held-out samples [n], of at most
    `JUDGES`, evenly.
    """
    # drawn once: every stop is judged by the same, the task's own damage included
    judges = held_out[np.linspace(0, len(held_out) - 1, min(JUDGES, len(held_out))).astype(int)]
    feed = Feed(store, task, config, judges)
    return feed.take(judges, feed.generator("judging"))
