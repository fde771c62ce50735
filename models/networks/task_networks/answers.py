"""What a trained network answers about a split, and the losses of that."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from models.examples.label_store import LabelStore
from models.networks.config import NetworkConfig
from models.networks.losses.losses import image_losses
from models.networks.task_networks.build import TaskNetwork
from models.networks.training.averages import balance
from models.networks.training.feeders import batches_ahead
from models.networks.training.split_parts import SplitParts, damage_generator
from models.tasks.arrays import Array, Floats


def answers_in_parts(
    network: TaskNetwork, store: LabelStore, split: str, config: NetworkConfig
) -> Iterator[tuple[Array, Array, Array]]:
    """Yields (answer, target, mask), [n, ...] each, of a whole split, some samples at a time. The
    damage done to inputs is drawn from one generator for all.
    """
    random = damage_generator(network.task)
    parts = SplitParts(store, network.task, split, config.tile_size)
    for start in range(0, len(parts.data), parts.step):
        value, target, mask = parts.some(slice(start, start + parts.step), random)
        yield network.answer(value), target, mask


def test_losses(network: TaskNetwork, store: LabelStore, config: NetworkConfig) -> Floats:
    """Returns the network's own loss on every test sample, [sample]; the damage done to inputs is
    the same for every caller.
    """
    return losses_beside(network, store, config, None)[0]


def losses_beside(
    network: TaskNetwork, store: LabelStore, config: NetworkConfig, constant: Floats | None
) -> tuple[Floats, Floats]:
    """Returns `test_losses`, and those of a constant answer [1, ...] (none of None): labels are
    made once for both.
    """
    task = network.task
    parts = SplitParts(store, task, "test", config.tile_size, balance(task, store, config))
    own = []
    beside = []
    for value, target, mask in batches_ahead(parts, config.feeders):
        own.append(image_losses(task.loss, target, mask, network.answer(value)))
        if constant is not None:
            everywhere = np.broadcast_to(constant, (len(target), *constant.shape[1:]))
            beside.append(image_losses(task.loss, target, mask, everywhere))
    return np.concatenate(own), np.concatenate(beside) if beside else np.zeros(0, "float32")
