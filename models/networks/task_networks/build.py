"""A task network: built by its entry and a configuration, loaded from the ledger."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from models.networks.architecture.encoders import build_encoder
from models.networks.architecture.heads import build_head, composes_poses
from models.networks.architecture.pixel_readout import pixel_readout
from models.networks.config import NetworkConfig
from models.networks.task_networks.at_once import samples_at_once
from models.networks.task_networks.records import read_record
from models.networks.weights import load_weights
from models.tasks import TASKS, Task
from models.tasks.arrays import Array, Integers


@dataclass(frozen=True)
class TaskNetwork:
    """A task network. encoder: [B, S, S, C] -> [B, h, w, c]; head: [B, h, w, c] or [B, images, h,
    w, c] -> answer (None for the untrained control).
    """

    task: Task
    encoder: Any
    head: Any
    size: int
    config: NetworkConfig

    @property
    def images(self) -> int:
        """Returns how many representations a sample has."""
        return self.task.representations

    def answer(self, value: Array, batch: int = 64) -> Array:
        """Returns answers [n, ...] to training-form inputs [n, (images,) S, S, C], computed at most
        `batch` at once.
        """
        parts = []
        count = samples_at_once(value.shape, batch)
        for i in range(0, len(value), count):
            chunk = value[i : i + count]
            flat = chunk.reshape(-1, *chunk.shape[-3:])
            code = self.codes(flat)
            if self.images > 1:
                code = code.reshape(len(chunk), self.images, *code.shape[1:])
            parts.append(np.asarray(self.head(code, training=False)))
        return np.concatenate(parts)

    def codes(self, pictures: Array) -> Array:
        """Returns the encoder's codes [n, h, w, c] of pictures [n, S, S, C]; where samples have
        several views, each picture is encoded once. Not on JAX, which compiles every operation
        anew for another number of pictures.
        """
        if self.task.images == 1 or keras.backend.backend() == "jax":
            return np.asarray(self.encoder(pictures, training=False))
        few, places = without_repeats(pictures)
        return np.asarray(self.encoder(few, training=False))[places]


def without_repeats(pictures: Array) -> tuple[Array, Integers]:
    """Returns (those pictures that equal no earlier one, [n] the position of each among these)."""
    position_of: dict[bytes, int] = {}
    places = np.array(
        [position_of.setdefault(picture.tobytes(), len(position_of)) for picture in pictures]
    )
    _, first = np.unique(places, return_index=True)
    return pictures[first], places


def build_task_network(task: Task, config: NetworkConfig, size: int) -> TaskNetwork:
    """Builds a fresh network; the same seed gives the same weights."""
    # crc32 and not hash(), which is another number in every process
    keras.utils.set_random_seed(config.seed * 1000 + zlib.crc32(task.name.encode()) % 1000)
    encoder = build_encoder(config, task.input_channels, f"encoder_{task.name}")
    side = config.tile_size if task.input == "tiles" else size
    shape = encoder.compute_output_shape((None, side, side, task.input_channels))[1:]
    head = None
    if task.trained:
        head = build_head(
            task, config, shape, task.representations, size, composing=composes_poses(task, config)
        )
    return TaskNetwork(task, encoder, head, size, config)


def in_float32(network: TaskNetwork) -> TaskNetwork:
    """Returns a network of the same weights that computes in float32, on one device."""
    plain = build_task_network(network.task, network.config, network.size)
    plain.encoder.set_weights(network.encoder.get_weights())
    plain.head.set_weights(network.head.get_weights())
    return plain


def load_task_network(folder: str | Path) -> TaskNetwork:
    """Loads the network that `train_tasks` or `train_from_scratch` wrote: of the latter some are
    readouts of pixels, whose record has a `grid`.
    """
    folder = Path(folder)
    record = record_of(folder)
    if not record.get("grid"):
        return load_trained_network(folder)
    config = NetworkConfig(**record["config"])
    with np.load(folder / "arrays.npz") as file:
        arrays = dict(file)
    return solved_network(TASKS[record["task"]], arrays, config, record["size"], record["grid"])


def load_trained_network(folder: str | Path) -> TaskNetwork:
    """Loads a network that was trained. Apart from `load_task_network`, so that nothing of readouts
    is in the address of a network that begins from another.
    """
    folder = Path(folder)
    record = record_of(folder)
    config = NetworkConfig(**record["config"])
    network = build_task_network(TASKS[record["task"]], config, record["size"])
    load_weights(network.encoder, folder / "encoder.weights.h5")
    if network.head is not None:
        load_weights(network.head, folder / "head.weights.h5")
    return network


def record_of(folder: Path) -> Any:
    """Returns the record of a network. Raises FileNotFoundError where there is none."""
    if not (folder / "network.json").exists():
        raise FileNotFoundError(f"no task network at {folder}; train_tasks writes them")
    return read_record(folder)


def solved_network(
    task: Task, arrays: Mapping[str, Array], config: NetworkConfig, size: int, grid: int
) -> TaskNetwork:
    """Returns a `pixel_readout` in the form of a task network."""
    parts = pixel_readout(task, arrays, size, grid, config.output_stride)
    return TaskNetwork(task, *parts, size, config)
