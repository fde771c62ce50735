"""Between a task's targets and what a linear readout can fit: regression targets for maps,
temperatures for classes and embeddings.

`fit_targets` turns targets into numbers to regress; `answer` turns predictions back into what the
task's loss takes.
"""

from __future__ import annotations

import numpy as np

from models.tasks import Task

TEMPERATURES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
SHRINKAGES = (1.0, 0.75, 0.5, 0.25, 0.1)  # none is 0: a transfer that knows nothing keeps a rank
SEGMENT_FEATURES = 5


def fit_targets(
    task: Task, target: np.ndarray, mask: np.ndarray, images: np.ndarray | None, cells: int = 1
) -> np.ndarray:
    """float32 [m, S, S, k] (maps) or [m, K]: pixels as they are, masked ones at the mean of the
    others in their cell, of which a side has `cells`; class ids one-hot, masked ones at their
    cell's shares; segments as their mean colour and place.

    images: uint8 [m, S, S, 3], read for embeddings alone.
    """
    target = np.asarray(target, "float32")
    if task.output.kind == "embedding":
        return segment_means(target[..., 0].astype(int), images)
    if task.loss == "weighted_cross_entropy":
        target = np.eye(task.output.channels, dtype="float32")[target[..., 0].astype(int)]
    return filled(target, np.asarray(mask) > 0, cells) if task.output.dense else target


def filled(maps: np.ndarray, known: np.ndarray, cells: int) -> np.ndarray:
    """[m, S, S, k] with the pixels that are not `known` [m, S, S, 1] at the mean of the known ones
    of their cell, 0 in a cell without any.
    """
    if known.all():
        return maps
    m, side, _, k = maps.shape
    weight = known.reshape(m, cells, side // cells, cells, side // cells, 1).astype("float32")
    parts = maps.reshape(m, cells, side // cells, cells, side // cells, k)
    mean = (parts * weight).sum((2, 4), keepdims=True) / np.maximum(
        weight.sum((2, 4), keepdims=True), 1
    )
    return np.where(weight > 0, parts, mean).reshape(maps.shape)


def segment_means(ids: np.ndarray, images: np.ndarray) -> np.ndarray:
    """[m, S, S, 5]: mean colour (3) and mean place (2), in [-1, 1], of the segment that a pixel
    belongs to: near for one segment, apart for two.
    """
    side = ids.shape[1]
    y, x = np.mgrid[:side, :side] / side * 2 - 1
    made = np.empty((*ids.shape, SEGMENT_FEATURES), "float32")
    for i, labels in enumerate(ids):
        values = np.concatenate(
            [images[i].astype("float32") / 127.5 - 1, y[..., None], x[..., None]], -1
        ).reshape(-1, SEGMENT_FEATURES)
        flat, count = labels.ravel(), np.maximum(np.bincount(labels.ravel(), minlength=256), 1)
        means = np.stack(
            [np.bincount(flat, values[:, k], 256) / count for k in range(SEGMENT_FEATURES)], 1
        )
        made[i] = means[flat].reshape(side, side, SEGMENT_FEATURES)
    return made


def sharpened(task: Task) -> bool:
    """does the answer need a temperature: logits and embeddings do, numbers do not."""
    return task.output.kind in ("pixel_classes", "classes", "embedding")


def to_blocks(maps: np.ndarray, grid: int, stride: int) -> np.ndarray:
    """[m, S, S, k] -> [m grid grid, r r k]: maps averaged by `stride`, then cut into grid x grid
    blocks of r x r values.
    """
    m, side, _, k = maps.shape
    small = (
        maps.reshape(m, side // stride, stride, side // stride, stride, k).mean((2, 4))
        if stride > 1
        else maps
    )
    r = side // stride // grid
    return (
        small.reshape(m, grid, r, grid, r, k)
        .transpose(0, 1, 3, 2, 4, 5)
        .reshape(m * grid * grid, r * r * k)
    )


def from_blocks(blocks: np.ndarray, grid: int, channels: int, stride: int) -> np.ndarray:
    """the inverse, enlarged by repetition: [m grid grid, r r k] -> [m, S, S, k]."""
    r = int(np.sqrt(blocks.shape[1] // channels))
    maps = (
        blocks.reshape(-1, grid, grid, r, r, channels)
        .transpose(0, 1, 3, 2, 4, 5)
        .reshape(-1, grid * r, grid * r, channels)
    )
    return maps.repeat(stride, 1).repeat(stride, 2) if stride > 1 else maps
