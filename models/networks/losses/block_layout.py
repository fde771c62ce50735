"""Between a task's targets and what a linear readout can fit: regression targets for maps, blocks
of pixels for cells, temperatures for classes and embeddings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.networks.tensors import Tensor
from models.tasks import DENSE, Task, by_kind
from models.tasks.arrays import Array, Bools, Bytes, Floats, Integers

TEMPERATURES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
SHRINKAGES = (1.0, 0.75, 0.5, 0.25, 0.1)  # none is 0: a transfer that knows nothing keeps a rank
SEGMENT_FEATURES = 5


def fit_targets(
    task: Task, target: Array, mask: Array, images: Bytes | None, cells: int = 1
) -> Floats:
    """float32 [m, S, S, k] (maps) or [m, K]: pixels as they are, masked ones at the mean of the
    others in their cell, of which a side has `cells`; class ids one-hot, masked ones at their
    cell's shares; segments as their mean colour and place.

    images: uint8 [m, S, S, 3], read for embeddings alone. Raises ValueError where these lack them.
    """
    batch = Batch(task, np.asarray(target, "float32"), np.asarray(mask) > 0, images, cells)
    return FITS[task.output.kind](batch)


@dataclass(frozen=True)
class Batch:
    """What a linear readout is to answer. target: float32; mask: bool, where it counts; images,
    cells: as `fit_targets` takes them.
    """

    task: Task
    target: Floats
    mask: Bools
    images: Bytes | None
    cells: int


def fit_pixels(batch: Batch) -> Floats:
    """Returns the pixels [m, S, S, k], masked ones filled."""
    return fill_unknown(batch.target, batch.mask, batch.cells)


def fit_classes(batch: Batch) -> Floats:
    """Returns shares of classes, [m, S, S, classes]: class ids become one-hot."""
    shares = batch.target
    if batch.task.labelled_by_ids:
        shares = np.eye(batch.task.output.channels, dtype="float32")[shares[..., 0].astype(int)]
    return fill_unknown(shares, batch.mask, batch.cells)


def fit_segments(batch: Batch) -> Floats:
    """Returns [m, S, S, k], what `segment_means` returns. Raises ValueError without images."""
    if batch.images is None:
        raise ValueError(f"{batch.task.name} regresses colours of segments: images are needed")
    return segment_means(batch.target[..., 0].astype(int), batch.images)


def fit_sample(batch: Batch) -> Floats:
    """Returns the one answer a sample as it is, [m, K]."""
    return batch.target


def fill_unknown(maps: Floats, mask: Bools, cells: int) -> Floats:
    """Returns maps [m, S, S, k] with the pixels outside of `mask` [m, S, S, 1] at the mean of
    those inside of it in their cell, 0 in a cell without any.
    """
    if mask.all():
        return maps
    m, side, _, k = maps.shape
    weight = mask.reshape(m, cells, side // cells, cells, side // cells, 1).astype("float32")
    parts = maps.reshape(m, cells, side // cells, cells, side // cells, k)
    count = np.maximum(weight.sum((2, 4), keepdims=True), 1)
    mean = (parts * weight).sum((2, 4), keepdims=True) / count
    return np.where(weight > 0, parts, mean).reshape(maps.shape)


def segment_means(ids: Integers, images: Bytes) -> Floats:
    """[m, S, S, 5]: mean colour (3) and mean place (2), in [-1, 1], of the segment that a pixel
    belongs to: near for one segment, apart for two.
    """
    side = ids.shape[1]
    y, x = np.mgrid[:side, :side] / side * 2 - 1
    maps = np.empty((*ids.shape, SEGMENT_FEATURES), "float32")
    for i, labels in enumerate(ids):
        colours = images[i].astype("float32") / 127.5 - 1
        values = np.concatenate([colours, y[..., None], x[..., None]], -1)
        values = values.reshape(-1, SEGMENT_FEATURES)
        flat = labels.ravel()
        # ids are bytes in the published files
        count = np.maximum(np.bincount(flat, minlength=256), 1)
        sums = [np.bincount(flat, values[:, k], 256) for k in range(SEGMENT_FEATURES)]
        means = np.stack([total / count for total in sums], 1)
        maps[i] = means[flat].reshape(side, side, SEGMENT_FEATURES)
    return maps


def needs_temperature(task: Task) -> bool:
    """Returns whether a task's answer needs a temperature: logits and embeddings do, numbers do
    not.
    """
    return task.output.facts.sharpened


def to_blocks(maps: Floats, grid: int, stride: int) -> Floats:
    """[m, S, S, k] -> [m grid grid, r r k]: maps averaged by `stride`, then cut into grid x grid
    blocks of r x r values.
    """
    m, side, _, k = maps.shape
    if stride > 1:
        maps = maps.reshape(m, side // stride, stride, side // stride, stride, k).mean((2, 4))
    r = side // stride // grid
    blocks = maps.reshape(m, grid, r, grid, r, k).transpose(0, 1, 3, 2, 4, 5)
    return blocks.reshape(m * grid * grid, r * r * k)


def from_blocks(blocks: Floats, grid: int, channels: int, stride: int) -> Floats:
    """Inverts `to_blocks`, enlarging by repetition: [m grid grid, r r k] -> [m, S, S, k]."""
    cells = blocks.reshape(-1, grid, grid, blocks.shape[-1])
    maps: Floats = unfold_blocks(cells, channels, stride, np)
    return maps


def unfold_blocks(blocks: Tensor, channels: int, enlarge: int, xp: Any) -> Tensor:
    """[m, h, w, r r k] -> [m, h r enlarge, w r enlarge, k]: every cell's block in its place, every
    value `enlarge` times each way. xp: numpy or keras.ops, for arrays or tensors.
    """
    h, w, width = blocks.shape[1:]
    r = round((width / channels) ** 0.5)
    cells = xp.reshape(blocks, (-1, h, w, r, r, channels))
    maps = xp.transpose(cells, (0, 1, 3, 2, 4, 5))
    maps = xp.reshape(maps, (-1, h * r, w * r, channels))
    if enlarge == 1:
        return maps
    return xp.repeat(xp.repeat(maps, enlarge, axis=1), enlarge, axis=2)


# What a readout regresses, by kind of output.
FITS: dict[str, Callable[[Batch], Floats]] = by_kind(
    "regression targets",
    {
        "pixels": fit_pixels,
        "pixel_classes": fit_classes,
        "embedding": fit_segments,
        "classes": fit_sample,
        "vector": fit_sample,
    },
)
# Fixed factors from regressed shares to logits, and from mean colour and place to the distance of
# an embedding; numbers are what they are.
SHARPNESS: dict[str, float] = by_kind(
    "sharpness of a readout", {"pixels": 1.0, "pixel_classes": 6.0, "embedding": 3.0}, DENSE
)
