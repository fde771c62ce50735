"""Batches of one task without end, made ahead."""

from __future__ import annotations

import keras

from models.examples.label_store import LabelStore
from models.networks.config import NetworkConfig
from models.networks.training.averages import balance
from models.networks.training.batch_maker import Batch, BatchMaker
from models.networks.training.feeders import Coming, feeders_of
from models.networks.training.recipes import recipe
from models.tasks import Task

# Batches that are made ahead, at least: a step now and then takes longer than others.
AHEAD = 4


class Batches(keras.utils.PyDataset):
    """The batches of `BatchMaker`, for `keras.Model.fit` with `steps_per_epoch`.

    `batches[i]` is (input, target, mask) of step first + i. Feeders make the next ones meanwhile
    (Keras' own enqueuer starts over at every epoch).
    """

    def __init__(
        self, store: LabelStore, task: Task, config: NetworkConfig, first: int = 0
    ) -> None:
        super().__init__()
        self.first = first
        self.size = batch_size(task, config)
        self.maker = BatchMaker(store, task, config, self.size, balance(task, store, config))
        self.feeders = feeders_of(self.maker, config.feeders)
        # one more than there are feeders: one that is done waits for none that is taken
        self.ahead = max(AHEAD, config.feeders + 1)
        self.coming: dict[int, Coming] = {}

    @property
    def num_batches(self) -> None:
        return None

    def __getitem__(self, index: int) -> Batch:
        for i in range(index, index + self.ahead):
            if i not in self.coming:
                self.coming[i] = self.feeders.begin(self.first + i)
        return self.coming.pop(index).result()

    def batch(self, step: int) -> Batch:
        """Makes inputs, targets and masks of a step here and now."""
        return self.maker.batch(step)

    def close(self) -> None:
        self.feeders.close()


def batch_size(task: Task, config: NetworkConfig) -> int:
    """Returns the samples of a step: two at least, for batch norm."""
    return max(2, recipe(task, config).batch)
