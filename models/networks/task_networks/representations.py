"""The representation store: every frozen encoder once over every view that transfers learn from or
are judged on, so that they never touch pixels.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

import keras
import numpy as np

from models.examples.label_store import LabelStore
from models.examples.npy_writer import npy_writer
from models.networks.config import NetworkConfig
from models.networks.task_networks.build import build_task_network
from models.networks.training.inputs import encoder_input
from models.provenance.address import address_of
from models.provenance.atomic import write_json
from models.provenance.seals import sealed_folder, whole
from models.tasks import TASKS, Task
from models.tasks.addressing import rows_of, settings_of
from models.tasks.arrays import Bytes, Floats

# Standardised codes beyond this are cut off: float16 has no room for them, and none means more.
LIMIT = 60
# a channel that is the same everywhere has none, and is divided by it
SMALLEST_DEVIATION = 1e-3
# Codes that are standardised at a time.
CHUNK = 1024
# Bytes of pictures, as float32, that are encoded at a time.
PICTURES = 64 << 20


class RepresentationStore:
    """float16 maps [n, h, w, c] a source and split, standardised by the mean and deviation a
    channel of the split that transfers learn from.
    """

    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory)
        described = self.directory / "representations.json"
        if not described.exists():
            raise FileNotFoundError(
                f"no representation store at {directory}; encode_views writes one"
            )
        self.facts: dict[str, Any] = json.loads(described.read_text())

    @property
    def sources(self) -> list[str]:
        """their names, in the order in which sets of sources count them."""
        return list(self.facts["sources"])

    def address(self, source: str) -> str:
        """16 hex digits: changes with the source's network, the views, and what encodes them."""
        return str(self.facts["sources"][source]["address"])

    def read(self, source: str, split: str) -> Floats:
        """float16 memmap [n, h, w, c] in the order of `LabelStore.images(split)`. Raises
        FileNotFoundError for a split that no transfer reads.
        """
        array: Floats = np.load(self.directory / source / f"{split}.npy", mmap_mode="r")
        return array

    def scale(self, source: str) -> tuple[Floats, Floats]:
        """mean and deviation a channel, [c] each: raw = stored * deviation + mean."""
        facts = self.facts["sources"][source]
        return np.array(facts["mean"], "float32"), np.array(facts["deviation"], "float32")


def encode_views(
    networks: str | Path,
    store: LabelStore,
    directory: str | Path,
    names: Iterable[str],
    config: NetworkConfig,
    out: TextIO = sys.stderr,
) -> RepresentationStore:
    """run the encoders of `names` over all views of `config.transfer_split` and of test; complete
    sources of the same network are kept.
    """
    since = time.time()
    directory = Path(directory)
    wanted = list(names)
    encoders = Encoders()
    splits = tuple(dict.fromkeys((config.transfer_split, "test")))
    facts = {
        name: encode_source(Path(networks) / name, store, directory / name, encoders, splits)
        for name in wanted
    }
    write_json(directory / "representations.json", {"sources": facts})
    views = sum(len(store.images(split)) for split in splits)
    print(
        f"  {len(wanted)} encoders over {views} views: {time.time() - since:.1f} s",
        file=out,
        flush=True,
    )
    return RepresentationStore(directory)


class Encoders:
    """One compiled encoder a shape, which takes the weights of one network after the other: nothing
    is built or traced twice.
    """

    def __init__(self) -> None:
        self.built: dict[str, Any] = {}

    def load(self, network: Path) -> tuple[Task, Any]:
        """the task of a network, and its encoder until the next is loaded."""
        record = json.loads((network / "network.json").read_text())
        task = TASKS[record["task"]]
        key = json.dumps([task.input_channels, record["config"], record["size"]])
        if key not in self.built:
            config = NetworkConfig(**record["config"])
            self.built[key] = build_task_network(task, config, record["size"]).encoder
        self.built[key].load_weights(network / "encoder.weights.h5")
        return task, self.built[key]


def source_address(network: Path, store: LabelStore, splits: tuple[str, ...]) -> str:
    """16 hex digits of one source's representations."""
    record = json.loads((network / "network.json").read_text())
    task = TASKS[record["task"]]
    return address_of(
        encode_source,
        inputs=[record["address"], store.views_address, splits],
        settings=settings_of(task),
        choices=rows_of(task),
    )


def encode_source(
    network: Path, store: LabelStore, folder: Path, encoders: Encoders, splits: tuple[str, ...]
) -> dict[str, Any]:
    """one encoder over `splits`, of which the first is what is standardised by; {address, mean,
    deviation}.
    """
    address = source_address(network, store, splits)
    described = folder / "source.json"
    if whole(folder):
        facts: dict[str, Any] = json.loads(described.read_text())
        if facts["address"] == address:
            return facts
    task, encoder = encoders.load(network)
    pictures = (None, store.size, store.size, task.input_channels)
    shape = encoder.compute_output_shape(pictures)[1:]
    with sealed_folder(folder) as scratch:
        for split in splits:
            with npy_writer(raw_file(scratch, split), "float32", shape) as file:
                for code in encoded(task, encoder, store.images(split)):
                    file.extend(code)
        mean, deviation = channel_statistics(raw_file(scratch, splits[0]))
        facts = {"address": address, "mean": mean.tolist(), "deviation": deviation.tolist()}
        for split in splits:
            raw = np.load(raw_file(scratch, split), mmap_mode="r")
            with npy_writer(scratch / f"{split}.npy", "float16", raw.shape[1:]) as file:
                for start in range(0, len(raw), CHUNK):
                    standardised = (raw[start : start + CHUNK] - mean) / deviation
                    file.extend(np.clip(standardised, -LIMIT, LIMIT))
            raw_file(scratch, split).unlink()
        write_json(scratch / "source.json", facts)
    return facts


def raw_file(folder: Path, split: str) -> Path:
    """where codes lie until their statistics are known."""
    return folder / f"{split}.raw.npy"


def channel_statistics(path: Path) -> tuple[Floats, Floats]:
    """mean and deviation a channel, [c] float32, of float32 codes [n, h, w, c] in a file, summed in
    float64 over one part after the other; deviations at least 0.001.
    """
    codes = np.load(path, mmap_mode="r")
    channels = codes.shape[-1]
    places = codes.size // channels
    sums = np.zeros((2, channels))
    for k in range(2):  # the mean first: squares of small differences keep their digits
        for start in range(0, len(codes), CHUNK):
            part = codes[start : start + CHUNK].reshape(-1, channels).astype("float64")
            sums[k] += part.sum(0) if k == 0 else ((part - sums[0] / places) ** 2).sum(0)
    mean = (sums[0] / places).astype("float32")
    deviation = np.sqrt(sums[1] / places).astype("float32")
    return mean, np.maximum(deviation, SMALLEST_DEVIATION)


def encoded(task: Task, encoder: Any, images: Bytes, batch: int = 64) -> Iterator[Floats]:
    """[m, h, w, c] float32 codes of clean whole images, some batches after the other."""
    # whole batches: another size would be compiled for itself
    step = max(1, PICTURES // (4 * int(np.prod(images.shape[1:]))) // batch) * batch
    for start in range(0, len(images), step):
        image01 = images[start : start + step].astype("float32") / 255
        value = np.asarray(encoder_input(task, keras.ops.convert_to_tensor(image01)))
        yield encoder.predict(value, batch_size=batch, verbose=0)
