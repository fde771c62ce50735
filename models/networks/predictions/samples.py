"""A few test samples as a person sees them: input, label, and the task network's answer, as uint8
pictures.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

import keras
import numpy as np

from models.examples.label_store import LabelStore
from models.networks.predictions.pictures import grey, picture
from models.networks.task_networks.train import load_task_network
from models.networks.training.inputs import training_input
from models.tasks import TASKS
from models.tasks.arrays import Bytes


class Sampled(TypedDict):
    """images: input, label and prediction of one sample after the other, uint8 [S, S, 3] each."""

    task: str
    images: list[Bytes]


def sample_predictions(networks: str | Path, store: LabelStore, count: int = 2) -> list[Sampled]:
    """`count` test samples of every map task that has a network and labels."""
    rows: list[Sampled] = []
    for name, entry in TASKS.items():
        folder = Path(networks) / name
        if entry.output.dense and (folder / "network.json").exists() and store.has(name):
            keras.backend.clear_session()
            rows.append({"task": name, "images": pictures_of(folder, name, store, count)})
    return rows


def pictures_of(folder: Path, name: str, store: LabelStore, count: int) -> list[Bytes]:
    """[input, label, prediction] * count, uint8 [S, S, 3] each; samples evenly over the split."""
    entry = TASKS[name]
    network = load_task_network(folder)
    data = store.samples(name, "test")
    rows = np.linspace(0, len(data) - 1, count).astype(int)
    target = np.asarray(data.target[rows], "float32")
    images = store.images("test")[data.views[rows]]
    value = training_input(entry, images, target, np.random.default_rng(0), 1)
    answer = network.answer(value)
    pictures: list[Bytes] = []
    for i in range(len(rows)):
        seen = value[i] if value.shape[-1] == 3 else np.repeat(value[i], 3, -1)
        pictures.append(grey(seen, -1, 1))
        pictures.append(picture(entry, target[i], True))
        pictures.append(picture(entry, answer[i], False))
    return pictures
