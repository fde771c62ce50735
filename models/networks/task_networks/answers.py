"""What a trained network answers about a split, and the losses of that."""

from __future__ import annotations

import zlib

import numpy as np

from models.examples.label_store import LabelStore
from models.networks.config import NetworkConfig
from models.networks.losses.losses import image_losses
from models.networks.task_networks.build import TaskNetwork
from models.networks.training.averages import balance
from models.networks.training.batches import rebalanced
from models.networks.training.inputs import training_input
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
) -> tuple[Array, Array, Array]:
    """(answer, target, mask) of samples of a split. weights: of colour bins, in the mask
    (`balance`).
    """
    task = network.task
    data = store.samples(task.name, split)
    images, target, mask = data.take(rows, store.images(split))
    target = target.astype("float32", copy=False)
    mask = mask.astype("float32", copy=False)
    random = np.random.default_rng([zlib.crc32(task.name.encode()), rows.start or 0])
    value = training_input(task, images, target, random, config.tile_size)
    if weights is not None:
        mask = rebalanced(target, mask, weights)
    return network.answer(value), target, mask


def test_losses(network: TaskNetwork, store: LabelStore, config: NetworkConfig) -> Floats:
    """[sample] the network's own loss on every test sample; the damage done to inputs is the same
    for every caller.
    """
    task = network.task
    weights = balance(task, store, config)
    parts = []
    for start in range(0, len(store.samples(task.name, "test")), BATCH):
        rows = slice(start, start + BATCH)
        answer, target, mask = answers(network, store, "test", config, rows, weights)
        parts.append(image_losses(task.loss, target, mask, answer))
    return np.concatenate(parts)
