"""A few test samples as a person sees them: input, label, and the task network's answer, as uint8
pictures.
"""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from models.networks.predictions.pictures import grey, picture
from models.networks.task_networks.train import load_task_network
from models.networks.training.inputs import training_input
from models.tasks import TASKS


def sample_predictions(networks: str | Path, store, count: int = 2) -> list[dict]:
    """for every map task with a network: {"task", "images": [input, label, prediction] * count},
    uint8 [S, S, 3].
    """
    shown = []
    for name, entry in TASKS.items():
        folder = Path(networks) / name
        if not entry.output.dense or not (folder / "network.json").exists() or not store.has(name):
            continue
        keras.backend.clear_session()
        network, data = load_task_network(folder), store.samples(name, "test")
        rows = np.linspace(0, len(data) - 1, count).astype(int)
        target = np.asarray(data.target[rows], "float32")
        value = training_input(
            entry, store.images("test")[data.views[rows]], target, np.random.default_rng(0), 1
        )
        answer = network.answer(value)
        pictures = []
        for i in range(len(rows)):
            seen = value[i] if value.shape[-1] == 3 else np.repeat(value[i], 3, -1)
            pictures += [
                grey(seen, -1, 1),
                picture(entry, target[i], True),
                picture(entry, answer[i], False),
            ]
        shown.append({"task": name, "images": pictures})
    return shown
