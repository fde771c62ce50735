"""A few test samples: what a task network saw, the label, and what it answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.examples.label_store import LabelStore
from models.networks.architecture.heads import build_head, composes_poses
from models.networks.config import NetworkConfig
from models.networks.predictions.pictures import assemble_tiles, grey
from models.networks.task_networks.build import TaskNetwork
from models.networks.task_networks.code_blocks import Encoders
from models.networks.task_networks.records import read_record
from models.networks.training.inputs import training_input
from models.networks.weights import load_weights
from models.tasks import TASKS, Task
from models.tasks.arrays import Bytes, Floats


@dataclass(frozen=True)
class TaskAnswers:
    """Some test samples of one task.

    views: uint8 [samples, views a sample, S, S, 3], the pictures as they are; inputs: uint8
    [samples, S, S, 3], the first picture as the task's own network is given it (noisy, holed, grey,
    in shuffled tiles); target: float32 [samples, ...] as it is stored; answer: float32 of the shape
    of the task's output.
    """

    task: Task
    views: Bytes
    inputs: Bytes
    target: Floats
    answer: Floats


def sample_answers(
    networks: str | Path, store: LabelStore, count: int = 2
) -> Iterator[TaskAnswers]:
    """Yields `count` test samples, evenly spread, of every trained task that has a network below
    `networks` and labels in the store; in the dictionary's order.
    """
    encoders = Encoders()
    for name, entry in TASKS.items():
        folder = Path(networks) / name
        is_there = (folder / "network.json").exists() and store.has(name)
        if not is_there or not entry.trained:
            continue
        yield answers_of(load_network(folder, encoders), store, count)


def load_network(folder: Path, encoders: Encoders) -> TaskNetwork:
    """Loads the network at `folder`, which is whole until the next is loaded: networks of one shape
    share an encoder, which takes longer to build than to load.
    """
    record = read_record(folder)
    config, size = NetworkConfig(**record["config"]), record["size"]
    task, encoder = encoders.load(folder)
    side = config.tile_size if task.input == "tiles" else size
    shape = encoder.compute_output_shape((None, side, side, task.input_channels))[1:]
    composing = composes_poses(task, config)
    head = build_head(task, config, shape, task.representations, size, composing=composing)
    load_weights(head, folder / "head.weights.h5")
    return TaskNetwork(task, encoder, head, size, config)


def answers_of(network: TaskNetwork, store: LabelStore, count: int) -> TaskAnswers:
    entry = network.task
    data = store.samples(entry.name, "test")
    rows = np.linspace(0, len(data) - 1, min(count, len(data))).astype(int)
    views, target, _ = data.take(rows, store.images("test"))
    target = target.astype("float32", copy=False)
    side = network.config.tile_size
    # always the same damage: a report of the same run shows the same pictures
    value = training_input(entry, views, target, np.random.default_rng(0), side)
    first = value if entry.images == 1 else value[:, 0]
    if entry.input == "tiles":
        first = np.stack([assemble_tiles(tiles, range(len(tiles))) for tiles in value])
    inputs = np.repeat(first, 3, -1) if first.shape[-1] == 1 else first
    return TaskAnswers(entry, views, grey(inputs, -1, 1), target, np.asarray(network.answer(value)))
