"""Targets and answers of map tasks as pictures for a person. numpy alone: clients read it too."""

from __future__ import annotations

import numpy as np

from models.tasks import Task
from models.tasks.arrays import Array, Bytes, Floats, Integers


def picture(task: Task, value: Array, label: bool) -> Bytes:
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


def grey(value: Floats, low: float, high: float) -> Bytes:
    """uint8 of the same shape: `low` is black, `high` white, beyond them clipped."""
    return (np.clip((value - low) / (high - low), 0, 1) * 255).astype("uint8")


def colours_of(ids: Integers) -> Bytes:
    """[..., 3]: one colour an id."""
    return np.random.default_rng(3).integers(40, 255, (256, 3)).astype("uint8")[ids % 256]


def principal(embedding: Floats) -> Floats:
    """[S, S, k] -> [S, S, 3] in [0, 1]: the three strongest directions of an embedding."""
    flat = embedding.reshape(-1, embedding.shape[-1])
    flat = flat - flat.mean(0)
    axes = np.linalg.svd(flat, full_matrices=False)[2][:3]
    value = flat @ axes.T
    low, high = np.percentile(value, [2, 98], axis=0)
    shares = np.clip((value - low) / np.maximum(high - low, 1e-6), 0, 1)
    return shares.reshape(*embedding.shape[:2], 3)
