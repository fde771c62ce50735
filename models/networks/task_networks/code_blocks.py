"""One source's codes, block by block of views wherever there is room: a block is a file of float32
codes that appears whole, and all blocks make the source's files.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import keras
import numpy as np

from models.examples.label_store import LabelStore
from models.examples.npy_writer import npy_writer
from models.networks.config import NetworkConfig
from models.networks.task_networks.build import build_task_network
from models.networks.task_networks.records import read_record
from models.networks.training.inputs import encoder_input
from models.networks.weights import load_weights
from models.provenance.atomic import atomic_path, write_json
from models.provenance.seals import sealed_folder
from models.tasks import TASKS, Task
from models.tasks.arrays import Bytes, Floats

# Standardised codes beyond this are cut off: float16 has no room for them, and none means more.
LIMIT = 60
# a channel that is the same everywhere has none, and is divided by it
SMALLEST_DEVIATION = 1e-3
# Codes that are standardised, or summed, at a time.
CHUNK = 1024
# Views of a block: whole chunks and whole batches, so that sums and codes are those of one go.
BLOCK = 8 * CHUNK
# Pictures that an encoder takes at a time.
BATCH = 64
# Bytes of pictures, as float32, that are encoded at a time.
PICTURES = 64 << 20


class SourceFacts(TypedDict):
    """source.json: what a source's codes are made of, and by what they are standardised."""

    address: str
    # A channel each: raw = stored * deviation + mean.
    mean: list[float]
    deviation: list[float]


@dataclass(frozen=True)
class SourceWork:
    """A source that the store lacks, in terms that any process can start from. network: folder of
    the trained network. counts: (split, its views); the first split is what codes are standardised
    by.
    """

    network: Path
    folder: Path
    address: str
    counts: tuple[tuple[str, int], ...]

    @property
    def blocks(self) -> Path:
        """Folder of the blocks until all are there; another network's codes have another one."""
        return self.folder.parent / f".{self.folder.name}.blocks-{self.address}.partial"


@dataclass(frozen=True)
class Block:
    """Views [start, stop) of a split of a source."""

    work: SourceWork
    split: str
    start: int
    stop: int

    @property
    def path(self) -> Path:
        """Returns the file of the block: float32 [stop - start, h, w, c], there whole or not at
        all.
        """
        return self.work.blocks / f"{self.split}-{self.start:010d}-{self.stop:010d}.npy"


class Encoders:
    """One compiled encoder a shape, which takes the weights of one network after the other: nothing
    is built or traced twice.
    """

    def __init__(self) -> None:
        self.built: dict[str, Any] = {}
        # shape -> the network whose weights its encoder has: blocks of one follow each other
        self.weights: dict[str, tuple[Path, str | None]] = {}

    def load(self, network: Path) -> tuple[Task, Any]:
        """Returns the task of a network, and its encoder, valid until the next is loaded."""
        record = read_record(network)
        task = TASKS[record["task"]]
        key = json.dumps([task.input_channels, record["config"], record["size"]])
        if key not in self.built:
            config = NetworkConfig(**record["config"])
            self.built[key] = build_task_network(task, config, record["size"]).encoder
        identity = (network, record.get("address"))
        if self.weights.get(key) != identity:
            self.weights.pop(key, None)
            load_weights(self.built[key], network / "encoder.weights.h5")
            self.weights[key] = identity
        return task, self.built[key]


def blocks_of(work: SourceWork, views: int) -> list[Block]:
    """Returns the blocks of all splits, `views` each: a multiple of `BATCH`."""
    return [
        Block(work, split, start, min(start + views, count))
        for split, count in work.counts
        for start in range(0, count, views)
    ]


def encode_block(block: Block, store: LabelStore, encoders: Encoders) -> None:
    """Writes the codes of a block of the store's views; a block that is there is kept."""
    if block.path.exists():
        return
    task, encoder = encoders.load(block.work.network)
    pictures = (None, store.size, store.size, task.input_channels)
    shape = encoder.compute_output_shape(pictures)[1:]
    images = store.images(block.split)
    # whole batches: another size would be compiled for itself
    step = max(1, PICTURES // (4 * int(np.prod(images.shape[1:]))) // BATCH) * BATCH
    with atomic_path(block.path) as scratch, npy_writer(scratch, "float32", shape) as file:
        for start in range(block.start, block.stop, step):
            some = slice(start, min(start + step, block.stop))
            file.extend(encode_pictures(task, encoder, images, some))


def encode_pictures(task: Task, encoder: Any, images: Bytes, some: slice) -> Floats:
    """Returns float32 codes [m, h, w, c] of clean whole images. A call of its own: what it made of
    pictures is gone when the next are read.
    """
    image01 = images[some].astype("float32") / 255
    value = np.asarray(encoder_input(task, keras.ops.convert_to_tensor(image01)))
    del image01
    # batch by batch: `predict` makes a pipeline first, which takes longer than a hundred pictures
    batches = [value[i : i + BATCH] for i in range(0, len(value), BATCH)]
    return np.concatenate([encoder.predict_on_batch(batch) for batch in batches])


def join_blocks(work: SourceWork, blocks: Sequence[Block]) -> None:
    """Writes a source's codes, standardised, from all of its blocks, and removes these."""
    paths = {
        split: [block.path for block in sorted(blocks, key=block_start) if block.split == split]
        for split, _ in work.counts
    }
    mean, deviation = channel_statistics(paths[work.counts[0][0]])
    facts: SourceFacts = {
        "address": work.address,
        "mean": mean.tolist(),
        "deviation": deviation.tolist(),
    }
    with sealed_folder(work.folder) as scratch:
        for split, some in paths.items():
            shape = np.load(some[0], mmap_mode="r").shape[1:]
            with npy_writer(scratch / f"{split}.npy", "float16", shape) as file:
                for part in chunks_of(some):
                    file.extend(np.clip((part - mean) / deviation, -LIMIT, LIMIT))
        write_json(scratch / "source.json", facts)
    shutil.rmtree(work.blocks)


def block_start(block: Block) -> int:
    return block.start


def sweep_blocks(work: SourceWork) -> None:
    """Removes blocks of another network's codes, which an interrupted run left."""
    for folder in work.folder.parent.glob(f".{work.folder.name}.blocks-*"):
        if folder != work.blocks:
            shutil.rmtree(folder)


def chunks_of(paths: Sequence[Path]) -> Iterator[Floats]:
    """Yields codes [n, h, w, c] of files, one file after the other, at most `CHUNK` at a time."""
    for path in paths:
        codes: Floats = np.load(path, mmap_mode="r")
        for start in range(0, len(codes), CHUNK):
            yield codes[start : start + CHUNK]


def channel_statistics(paths: Sequence[Path]) -> tuple[Floats, Floats]:
    """Returns mean and deviation a channel, [c] float32, of float32 codes [n, h, w, c] in files,
    summed in float64 over one part after the other; deviations are at least 0.001.
    """
    shapes = [np.load(path, mmap_mode="r").shape for path in paths]
    channels = shapes[0][-1]
    places = sum(int(np.prod(shape[:-1])) for shape in shapes)
    sums = np.zeros((2, channels))
    for k in range(2):  # the mean first: squares of small differences keep their digits
        for part in chunks_of(paths):
            values = part.reshape(-1, channels).astype("float64")
            sums[k] += values.sum(0) if k == 0 else ((values - sums[0] / places) ** 2).sum(0)
    mean = (sums[0] / places).astype("float32")
    deviation = np.sqrt(sums[1] / places).astype("float32")
    return mean, np.maximum(deviation, SMALLEST_DEVIATION)
