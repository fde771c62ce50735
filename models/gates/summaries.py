"""Summarises a label in a few numbers: for each sample, to find drift, and for each cell of a map,
to see what pictures say of it.
"""

from __future__ import annotations

import numpy as np

from models.tasks import Task
from models.tasks.arrays import Array, Floats

# Cells a side that a map is averaged over.
CELLS = 8
# Classes of an image that are told apart, the ones that vary most.
CLASSES = 32


def of_samples(task: Task, target: Array, mask: Array) -> Floats:
    """Returns [n, k] float64: for a map of values the mean of every channel where it is known; for
    class ids the share of every class; for segments the share of pixels that differ from their
    neighbour; for vectors and classes the target itself. NaN where nothing is known.
    """
    value, mask = np.asarray(target, "float64"), np.asarray(mask, "float64")
    if not task.output.dense:
        return np.where(mask.reshape(-1, 1) > 0, value, np.nan)
    value = features_of_map(task, value)
    weight = mask.sum((1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(weight > 0, (value * mask).sum((1, 2)) / weight, np.nan)


def features_of_map(task: Task, target: Floats) -> Floats:
    """Converts targets [n, S, S, c] to [n, S, S, k]: ids become shares of classes, or borders of
    segments; values stay as they are.
    """
    if not task.labelled_by_ids:
        return target
    if task.loss == "pair_metric":
        return borders(target[..., 0])[..., None].astype("float64")
    ids = target[..., 0].astype(int)
    return (ids[..., None] == np.arange(task.output.channels)).astype("float64")


def borders(ids: Array) -> Array:
    """Returns [n, S, S] bool, whether the pixel to the right or below belongs to another
    segment.
    """
    edges = np.zeros(ids.shape, bool)
    edges[:, :, :-1] |= ids[:, :, :-1] != ids[:, :, 1:]
    edges[:, :-1] |= ids[:, :-1] != ids[:, 1:]
    return edges


def in_cells(task: Task, target: Array, mask: Array) -> tuple[Floats, Floats]:
    """Returns (values [n, cells, k], weights [n, cells, 1]) of maps; of anything else one cell."""
    value, mask = np.asarray(target, "float64"), np.asarray(mask, "float64")
    if not task.output.dense:
        return value[:, None], mask.reshape(-1, 1, 1)
    weight = pooled(mask)
    value = pooled(features_of_map(task, value) * mask)
    value = value / np.maximum(weight, 1e-9)
    return flat(value), flat(weight)


def pooled(maps: Floats) -> Floats:
    """Averages maps [n, S, S, c] over cells to [n, cells, cells, c]; pixels at the right and lower
    border that fill no cell are left out.
    """
    count, side, _, channels = maps.shape
    cells = min(CELLS, side)
    step = side // cells
    cut = maps[:, : step * cells, : step * cells]
    means: Floats = cut.reshape(count, cells, step, cells, step, channels).mean((2, 4))
    return means


def flat(maps: Floats) -> Floats:
    """Converts [n, cells, cells, c] to [n, cells * cells, c]."""
    return maps.reshape(len(maps), -1, maps.shape[-1])


def smoothness(task: Task, target: Array, mask: Array) -> Floats:
    """Returns [n] in [-1, 1], how much a pixel of a map agrees with the one on its right, over
    chance: the correlation of values, Cohen's kappa of ids; about 0 for noise, whatever its
    distribution. NaN for a map that is constant, or unknown.
    """
    valid = (np.asarray(mask) > 0)[..., 0]
    return np.array(
        [agreement(task, one, pixels) for one, pixels in zip(np.asarray(target), valid)]
    )


def agreement(task: Task, target: Array, pixels: Array) -> float:
    """Returns how much pixels of a map [S, S, C] agree with the one on their right, over the mask
    `pixels` [S, S]: in [-1, 1], 0 for what chance would do, NaN without neighbours.
    """
    pairs = pixels[:, :-1] & pixels[:, 1:]
    if not pairs.any():
        return float("nan")
    left, right = target[:, :-1][pairs], target[:, 1:][pairs]
    if task.labelled_by_ids:
        _, counts = np.unique(target[pixels], return_counts=True)
        chance = float(((counts / counts.sum()) ** 2).sum())
        same = float((left == right).mean())
        return (same - chance) / (1 - chance) if chance < 1 else float("nan")
    left, right = left.astype("float64"), right.astype("float64")
    middle = target[pixels].astype("float64").mean(0)
    spread = ((left - middle) ** 2).sum() + ((right - middle) ** 2).sum()
    if spread <= 1e-12 * left.size:
        return float("nan")
    return float(2 * ((left - middle) * (right - middle)).sum() / spread)


def is_constant(task: Task, target: Array, mask: Array) -> Array:
    """Returns [n] bool, whether a map is one value wherever it is known."""
    valid = (np.asarray(mask) > 0)[..., 0]
    return np.array([is_one_value(one[pixels]) for one, pixels in zip(np.asarray(target), valid)])


def is_one_value(values: Array) -> bool:
    """Returns whether values [pixels, c] are all the same; False without any pixel, which is
    another fault.
    """
    return bool(len(values)) and bool(np.ptp(values.astype("float64"), axis=0).max() < 1e-6)
