"""What a trained network answers about a split, and the losses of that."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import numpy as np

from models.examples.half_precision import to_single
from models.examples.label_store import LabelStore
from models.networks.config import NetworkConfig
from models.networks.losses.losses import image_losses
from models.networks.task_networks.build import TaskNetwork
from models.networks.training.averages import balance
from models.networks.training.batch_maker import rebalanced
from models.networks.training.inputs import training_input
from models.tasks import Task
from models.tasks.arrays import Array, Floats

# Samples that are answered at a time.
BATCH = 64


def answers(
    network: TaskNetwork,
    store: LabelStore,
    split: str,
    config: NetworkConfig,
    rows: slice = slice(None),
    weights: Floats | None = None,
    random: np.random.Generator | None = None,
) -> tuple[Array, Array, Array]:
    """(answer, target, mask) of samples of a split. weights: of colour bins, in the mask
    (`balance`). random: of the damage done to inputs; one of the rows' own if None.
    """
    task = network.task
    data = store.samples(task.name, split)
    images, target, mask = data.take(rows, store.images(split))
    target = to_single(target)
    mask = to_single(mask)
    random = random or draws(task, rows.start or 0)
    value = training_input(task, images, target, random, config.tile_size)
    if weights is not None:
        mask = rebalanced(target, mask, weights)
    return network.answer(value), target, mask


def draws(task: Task, start: int = 0) -> np.random.Generator:
    """what the damage done to inputs is drawn from, of samples from `start` on."""
    return np.random.default_rng([zlib.crc32(task.name.encode()), start])


def answers_in_parts(
    network: TaskNetwork, store: LabelStore, split: str, config: NetworkConfig
) -> Iterator[tuple[Array, Array, Array]]:
    """`answers` about a whole split, some samples after the other: the same numbers."""
    random = draws(network.task)
    data = store.samples(network.task.name, split)
    step = data.at_a_time(BATCH)
    for start in range(0, len(data), step):
        yield answers(network, store, split, config, slice(start, start + step), random=random)


def test_losses(network: TaskNetwork, store: LabelStore, config: NetworkConfig) -> Floats:
    """[sample] the network's own loss on every test sample; the damage done to inputs is the same
    for every caller.
    """
    task = network.task
    weights = balance(task, store, config)
    parts = []
    data = store.samples(task.name, "test")
    step = data.at_a_time(BATCH)
    for start in range(0, len(data), step):
        rows = slice(start, start + step)
        answer, target, mask = answers(network, store, "test", config, rows, weights)
        parts.append(image_losses(task.loss, target, mask, answer))
    return np.concatenate(parts)
