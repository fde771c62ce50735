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


def block_width(store: LabelStore, name: str, split: str, grid: int, stride: int) -> int:
    """values of one cell's block: r r k."""
    side = store.samples(name, split).target.shape[1]
    return block_channels(TASKS[name]) * (side // stride // grid) ** 2


def map_outputs(
    store: LabelStore, name: str, split: str, picked: Integers, grid: int, config: NetworkConfig
) -> Floats:
    """[len(picked) grid^2, r r k] float32 regression outputs of the views `picked`; zeros for a
    view without the label.
    """
    data = store.samples(name, split)
    images = store.images(split)
    rows, labelled = rows_of_views(np.asarray(data.views)[:, 0], picked)
    width = block_width(store, name, split, grid, config.output_stride)
    outputs = np.zeros((len(picked), grid**2, width), "float32")
    if labelled.any():
        maps = fit_targets(
            TASKS[name], data.target[rows], data.mask[rows], images[picked[labelled]], cells=grid
        )
        blocks = to_blocks(maps, grid, config.output_stride)
        outputs[labelled] = blocks.reshape(len(rows), grid**2, width)
    return outputs.reshape(-1, width)


def rows_of_views(views: Integers, picked: Integers) -> tuple[list[int], Bools]:
    """(rows of the samples of those `picked` views that have one, [len(picked)] bool which have).

    views [sample]: the view of each sample.
    """
    row_of = {int(view): row for row, view in enumerate(views)}
    labelled = np.array([int(view) in row_of for view in picked], bool)
    return [row_of[int(view)] for view in picked[labelled]], labelled


def known_cells(store: LabelStore, name: str, split: str, picked: Integers, grid: int) -> Bools:
    """[len(picked) grid^2] bool: cells of views with an unmasked pixel of the target. The others
    teach nothing, as if they were not there.
    """
    data = store.samples(name, split)
    rows, labelled = rows_of_views(np.asarray(data.views)[:, 0], picked)
    mask = np.asarray(data.mask[rows]) > 0
    side = mask.shape[1] // grid
    cells = np.zeros((len(picked), grid, grid), bool)
    cells[labelled] = mask.reshape(len(mask), grid, side, grid, side).any((2, 4))
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
    ids = np.asarray(data.target[rows])[..., 0].astype(int)
    weight = np.asarray(data.mask[rows], "float32")[..., 0]
    share = class_shares(ids, weight > 0, task.output.channels)
    weighted = class_shares(ids, weight, task.output.channels)
    return (np.log(weighted + 1e-4) / sharpness(task) - share).astype("float32")


def class_shares(ids: Integers, weight: Floats | Bools, classes: int) -> Floats:
    """[classes] float64: the share of each class in the weight of all pixels."""
    counts = np.bincount(ids.ravel(), weight.ravel(), classes)
    return counts / max(counts.sum(), 1e-6)


def on_diagonal(outputs: int, channels: int) -> Bools:
    """[outputs] bool: those of r r pixels of a block that stand on its diagonal. A ridge is chosen
    by these alone: pixels of a block err alike.
    """
    r = math.isqrt(outputs // channels)
    return np.eye(r, dtype=bool).ravel().repeat(channels)
