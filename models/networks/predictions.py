"""A few test samples as a person sees them: input, label, and the task network's answer, as uint8 pictures."""
from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from models.networks.inputs import training_input
from models.networks.task_network import load_task_network
from models.tasks import TASKS, Task


def sample_predictions(networks: str | Path, store, count: int = 2) -> list[dict]:
    """for every map task with a network: {"task", "images": [input, label, prediction] * count}, uint8 [S, S, 3]."""
    shown = []
    for name, entry in TASKS.items():
        folder = Path(networks) / name
        if not entry.output.dense or not (folder / "network.json").exists() or not store.has(name):
            continue
        keras.backend.clear_session()
        network, data = load_task_network(folder), store.samples(name, "test")
        rows = np.linspace(0, len(data) - 1, count).astype(int)
        target = np.asarray(data.target[rows], "float32")
        value = training_input(entry, store.images("test")[data.views[rows]], target, np.random.default_rng(0), 1)
        answer = network.answer(value)
        pictures = []
        for i in range(len(rows)):
            seen = value[i] if value.shape[-1] == 3 else np.repeat(value[i], 3, -1)
            pictures += [grey(seen, -1, 1), picture(entry, target[i], True), picture(entry, answer[i], False)]
        shown.append({"task": name, "images": pictures})
    return shown


def picture(task: Task, value: np.ndarray, label: bool) -> np.ndarray:
    """uint8 [S, S, 3] of a target (label) or an answer."""
    if task.output.kind == "embedding":
        return colours_of(value[..., 0].astype(int)) if label else grey(principal(value), 0, 1)
    if task.loss == "weighted_cross_entropy":
        return colours_of(value[..., 0].astype(int) if label else value.argmax(-1))
    if task.name == "colorization":
        from models.tasks.labels.colours import bin_centres

        shares = value if label else np.exp(value - value.max(-1, keepdims=True))
        ab = shares / shares.sum(-1, keepdims=True) @ bin_centres()
        return grey(np.concatenate([ab, -ab.sum(-1, keepdims=True)], -1), -60, 60)
    if value.shape[-1] == 2:
        value = np.concatenate([value, np.zeros_like(value[..., :1])], -1)
        return grey(value, -3, 3)
    if value.shape[-1] == 1:
        low, high = (0.3, 0.8) if task.low == 0 else (-1, 1 if task.high <= 1 else 10)
        return grey(np.repeat(value, 3, -1), low, high)
    return grey(value, -1, 1)


def grey(value: np.ndarray, low: float, high: float) -> np.ndarray:
    return (np.clip((value - low) / (high - low), 0, 1) * 255).astype("uint8")


def colours_of(ids: np.ndarray) -> np.ndarray:
    """one colour an id."""
    return np.random.default_rng(3).integers(40, 255, (256, 3)).astype("uint8")[ids % 256]


def principal(embedding: np.ndarray) -> np.ndarray:
    """[S, S, 3] in [0, 1]: the three strongest directions of an embedding."""
    flat = embedding.reshape(-1, embedding.shape[-1])
    flat = flat - flat.mean(0)
    axes = np.linalg.svd(flat, full_matrices=False)[2][:3]
    value = flat @ axes.T
    low, high = np.percentile(value, [2, 98], axis=0)
    return np.clip((value - low) / np.maximum(high - low, 1e-6), 0, 1).reshape(*embedding.shape[:2], 3)
