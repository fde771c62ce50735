"""How long and how fast transfers are trained by gradient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.networks.config import NetworkConfig
from models.tasks import TASKS


@dataclass(frozen=True)
class Schedule:
    """How long and how fast one stack of transfers is trained."""

    # Samples a step.
    batch: int = 16
    # Adam's, at first.
    rate: float = 2e-3
    # At most.
    epochs: int = 60
    # Epochs without a better validation loss after which a member has converged.
    patience: int = 8
    # Largest norm of each member's gradient, by variable.
    clip: float = 1.0
    # Does the rate fall to zero over the epochs?
    cosine: bool = False

    def rate_of(self, epoch: int) -> float:
        """Returns the learning rate of an epoch, counted from 0."""
        if not self.cosine:
            return self.rate
        return float(self.rate * (0.5 + 0.5 * np.cos(np.pi * epoch / self.epochs)))

    def steps_of(self, samples: int) -> int:
        """Returns the steps of all epochs on so many samples, in whole batches; one an epoch where
        they are fewer than a batch.
        """
        return self.epochs * max(1, samples // self.batch)


def schedule_of(config: NetworkConfig, name: str, epochs: int) -> Schedule:
    """Returns the schedule of transfers into target `name`, as the configuration says."""
    rate = config.transfer_rate if TASKS[name].output.dense else config.vector_rate
    return Schedule(batch=config.transfer_batch, rate=rate, epochs=epochs, cosine=True)
