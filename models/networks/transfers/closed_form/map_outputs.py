"""What the cells of a representation regress: a map target's pixels, as blocks of a cell."""

from __future__ import annotations

import math

import numpy as np

from models.examples.label_store import LabelStore
from models.networks.config import NetworkConfig
from models.networks.losses.block_layout import fit_targets, to_blocks
from models.networks.losses.block_losses import block_channels, sharpness
from models.tasks import TASKS
from models.tasks.arrays import Bools, Floats, Integers

# Samples whose labels are held at a time.
CHUNK = 256


def block_width(store: LabelStore, name: str, split: str, grid: int, stride: int) -> int:
    """Returns the number of values of one cell's block: r r k."""
    side = store.samples(name, split).target.shape[1]
    return block_channels(TASKS[name]) * (side // stride // grid) ** 2


def map_outputs(
    store: LabelStore, name: str, split: str, picked: Integers, grid: int, config: NetworkConfig
) -> Floats:
    """Returns float32 regression outputs [len(picked) grid^2, r r k] of the views `picked`; zeros
    for a view without the label.
    """
    data = store.samples(name, split)
    images = store.images(split)
    rows, labelled = rows_of_views(np.asarray(data.views)[:, 0], picked)
    width = block_width(store, name, split, grid, config.output_stride)
    outputs = np.zeros((len(picked), grid**2, width), "float32")
    if labelled.any():
        target, mask = data.labels(rows)
        maps = fit_targets(TASKS[name], target, mask, images[picked[labelled]], cells=grid)
        blocks = to_blocks(maps, grid, config.output_stride)
        outputs[labelled] = blocks.reshape(len(rows), grid**2, width)
    return outputs.reshape(-1, width)


def rows_of_views(views: Integers, picked: Integers) -> tuple[list[int], Bools]:
    """(rows of the samples of those `picked` views that have one, [len(picked)] bool which have).

    views [sample]: the view of each sample.
    """
    if not len(views):
        return [], np.zeros(len(picked), bool)
    order = np.argsort(views, kind="stable")
    # the last sample of a view; -1, or that of a smaller view, where it has none
    places = np.searchsorted(views, picked, side="right", sorter=order) - 1
    rows = order[np.maximum(places, 0)]
    labelled = (places >= 0) & (views[rows] == picked)
    return rows[labelled].tolist(), labelled


def known_cells(store: LabelStore, name: str, split: str, picked: Integers, grid: int) -> Bools:
    """Returns [len(picked) grid^2] bool: cells of views with an unmasked pixel of the target. The
    others teach nothing, as if they were not there.
    """
    data = store.samples(name, split)
    rows, labelled = rows_of_views(np.asarray(data.views)[:, 0], picked)
    mask_cells = np.zeros((len(rows), grid, grid), bool)
    for start in range(0, len(rows), CHUNK):
        mask = np.asarray(data.mask[rows[start : start + CHUNK]]) > 0
        side = mask.shape[1] // grid
        blocks = mask.reshape(len(mask), grid, side, grid, side)
        mask_cells[start : start + CHUNK] = blocks.any((2, 4))
    cells = np.zeros((len(picked), grid, grid), bool)
    cells[labelled] = mask_cells
    return cells.ravel()


def class_shifts(store: LabelStore, name: str, split: str, views: Integers) -> Floats:
    """[channels] float32: what is added to the one-hot pixels of a class map, so that their mean p
    is answered by log p (of pixels as the loss weighs them) after `sharpness`; zeros for other
    maps.
    """
    task = TASKS[name]
    if task.loss != "weighted_cross_entropy":
        return np.zeros(block_channels(task), "float32")
    data = store.samples(name, split)
    rows = np.flatnonzero(np.isin(np.asarray(data.views)[:, 0], views))
    # [2, classes] float64, exact (weights are float16): known pixels of each class, and weights.
    counts = np.zeros((2, task.output.channels))
    for start in range(0, len(rows), CHUNK):
        target, mask = data.labels(rows[start : start + CHUNK])
        ids = target[..., 0].astype(int).ravel()
        weight = mask.astype("float32")[..., 0].ravel()
        counts += [np.bincount(ids, part, task.output.channels) for part in (weight > 0, weight)]
    share, weighted = counts / np.maximum(counts.sum(1, keepdims=True), 1e-6)
    # solved for the shift: sharpness times (share + shift) is log p
    return np.asarray(np.log(weighted + 1e-4) / sharpness(task) - share, "float32")


def on_diagonal(outputs: int, channels: int) -> Bools:
    """[outputs] bool: those of r r pixels of a block that stand on its diagonal. A ridge is chosen
    by these alone: pixels of a block err alike.
    """
    r = math.isqrt(outputs // channels)
    return np.eye(r, dtype=bool).ravel().repeat(channels)
