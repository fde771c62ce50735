"""The representation store: every frozen encoder once over every view that transfers learn from or
are judged on, so that they never touch pixels.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import keras
import numpy as np

from models.networks.config import NetworkConfig
from models.networks.task_networks.train import build_task_network
from models.networks.training.inputs import encoder_input
from models.tasks import TASKS, Task


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
        self.facts = json.loads(described.read_text())

    @property
    def sources(self) -> list[str]:
        return list(self.facts["sources"])

    def read(self, source: str, split: str) -> np.ndarray:
        """float16 memmap [n, h, w, c] in the order of `LabelStore.images(split)`. Raises
        FileNotFoundError for a split that no transfer reads.
        """
        return np.load(self.directory / source / f"{split}.npy", mmap_mode="r")

    def scale(self, source: str) -> tuple[np.ndarray, np.ndarray]:
        """mean and deviation a channel, [c] each: raw = stored * deviation + mean."""
        facts = self.facts["sources"][source]
        return np.array(facts["mean"], "float32"), np.array(facts["deviation"], "float32")


def encode_views(
    networks: str | Path,
    store,
    directory: str | Path,
    names: Iterable[str],
    config: NetworkConfig,
    out=sys.stderr,
) -> RepresentationStore:
    """run the encoders of `names` over all views of `config.transfer_split` and of test; complete
    sources of the same network are kept.
    """
    directory, names, since = Path(directory), list(names), time.time()
    directory.mkdir(parents=True, exist_ok=True)
    facts, encoders, splits = {}, Encoders(), tuple(dict.fromkeys((config.transfer_split, "test")))
    for name in names:
        facts[name] = encode_source(
            Path(networks) / name, store, directory / name, encoders, splits
        )
    scratch = directory / ".representations.json"
    scratch.write_text(json.dumps({"store": store.hash, "sources": facts}))
    os.replace(scratch, directory / "representations.json")
    views = sum(len(store.views(split)) for split in splits)
    print(
        f"  {len(names)} encoders over {views} views: {time.time() - since:.1f} s",
        file=out,
        flush=True,
    )
    return RepresentationStore(directory)


class Encoders:
    """One compiled encoder a shape, which takes the weights of one network after the other: nothing
    is built or traced twice.
    """

    def __init__(self) -> None:
        self.built: dict[str, keras.Model] = {}

    def load(self, network: Path) -> tuple[Task, keras.Model]:
        """the task of a network, and its encoder until the next is loaded."""
        record = json.loads((network / "network.json").read_text())
        task = TASKS[record["task"]]
        key = json.dumps([task.input_channels, record["config"], record["size"]])
        if key not in self.built:
            self.built[key] = build_task_network(
                task, NetworkConfig(**record["config"]), record["size"]
            ).encoder
        self.built[key].load_weights(network / "encoder.weights.h5")
        return task, self.built[key]


def encode_source(
    network: Path, store, folder: Path, encoders: Encoders, splits: tuple[str, ...]
) -> dict:
    """one encoder over `splits`, of which the first is what is standardised by; {address, mean,
    deviation}.
    """
    address = "-".join(
        [json.loads((network / "network.json").read_text())["address"], store.hash, *splits]
    )
    described = folder / "source.json"
    if described.exists() and json.loads(described.read_text())["address"] == address:
        return json.loads(described.read_text())
    task, encoder = encoders.load(network)
    codes = {split: encoded(task, encoder, store.images(split)) for split in splits}
    mean, deviation = (
        codes[splits[0]].mean((0, 1, 2)),
        np.maximum(codes[splits[0]].std((0, 1, 2)), 1e-3),
    )
    scratch = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    for split, code in codes.items():
        np.save(
            scratch / f"{split}.npy", np.clip((code - mean) / deviation, -60, 60).astype("float16")
        )
    facts = {"address": address, "mean": mean.tolist(), "deviation": deviation.tolist()}
    (scratch / "source.json").write_text(json.dumps(facts))
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(scratch, folder)
    return facts


def encoded(
    task: Task, encoder: keras.Model, images: np.ndarray, batch: int = 64, chunk: int = 4096
) -> np.ndarray:
    """[n, h, w, c] float32 codes of clean whole images."""
    parts = []
    for i in range(0, len(images), chunk):
        image01 = keras.ops.convert_to_tensor(images[i : i + chunk].astype("float32") / 255)
        parts.append(
            encoder.predict(np.asarray(encoder_input(task, image01)), batch_size=batch, verbose=0)
        )
    return np.concatenate(parts)
