"""Targets and answers of map tasks as pictures for a person. numpy alone: clients read it too."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from models.tasks import DENSE, Task, by_kind
from models.tasks.arrays import Array, Bytes, Floats, Integers
from models.tasks.labels.colours import bin_centres


def picture(task: Task, value: Array, label: bool) -> Bytes:
    """Returns uint8 [S, S, 3] of a target (label) or an answer."""
    return PICTURES[task.output.kind](task, value, label)


def pixel_picture(task: Task, value: Array, label: bool) -> Bytes:
    """Draws one channel of a map [S, S, C] as grey, two as red and green, three as colours: uint8
    [S, S, 3].
    """
    if value.shape[-1] == 2:
        value = np.concatenate([value, np.zeros_like(value[..., :1])], -1)
        # whitened: three deviations each way
        return grey(value, -3, 3)
    if value.shape[-1] != 1:
        return grey(value, -1, 1)
    # logarithms of depth: 0.3 is 5 cm, 0.8 is 14 m
    low, high = (0.3, 0.8) if task.low == 0 else (-1, 1)
    if low < 0 and task.high > 1:
        high = 10  # magnitudes that are not clipped: most of what is seen lies below
    return grey(np.repeat(value, 3, -1), low, high)


def class_picture(task: Task, value: Array, label: bool) -> Bytes:
    """Draws a colour a class, of a label or answer [S, S, C]; of colour bins, the colours
    themselves: uint8 [S, S, 3].
    """
    if task.make == "colours":
        return chroma(value if label else shares_of(value))
    ids = value[..., 0].astype(int) if label and task.labelled_by_ids else value.argmax(-1)
    return colours_of(ids)


def segment_picture(task: Task, value: Array, label: bool) -> Bytes:
    """Draws a colour a segment; of an answer [S, S, C], its strongest directions as colours: uint8
    [S, S, 3].
    """
    if label:
        return colours_of(value[..., 0].astype(int))
    return grey(principal_directions(value), 0, 1)


PICTURES: dict[str, Callable[[Task, Array, bool], Bytes]] = by_kind(
    "picture",
    {"pixels": pixel_picture, "pixel_classes": class_picture, "embedding": segment_picture},
    DENSE,
)


def shares_of(logits: Floats) -> Floats:
    """Returns [..., classes], proportional to the probabilities of logits."""
    # without the largest: its exponential may be no finite number
    return np.exp(logits - logits.max(-1, keepdims=True))


def chroma(shares: Floats) -> Bytes:
    """Draws shares of colour bins [S, S, 313] as [S, S, 3]: their mean a, b, as colours of even
    lightness.
    """
    ab = shares / shares.sum(-1, keepdims=True) @ bin_centres()
    return grey(np.concatenate([ab, -ab.sum(-1, keepdims=True)], -1), -60, 60)


def grey(value: Floats, low: float, high: float) -> Bytes:
    """Returns uint8 of the same shape [...]: `low` is black, `high` white, beyond them clipped."""
    return (np.clip((value - low) / (high - low), 0, 1) * 255).astype("uint8")


def colours_of(ids: Integers) -> Bytes:
    """Draws ids as [..., 3]: one colour an id."""
    colours = np.random.default_rng(3).integers(40, 255, (256, 3)).astype("uint8")
    # NumPy 2 takes no 256 beside ids of eight bits
    return colours[ids.astype("int64") % len(colours)]


def principal_directions(embedding: Floats) -> Floats:
    """Returns the three strongest directions of an embedding [S, S, k], as [S, S, 3] in [0, 1]."""
    flat = embedding.reshape(-1, embedding.shape[-1])
    flat = flat - flat.mean(0)
    axes = np.linalg.svd(flat, full_matrices=False)[2][:3]
    value = flat @ axes.T
    low, high = np.percentile(value, [2, 98], axis=0)
    shares = np.clip((value - low) / np.maximum(high - low, 1e-6), 0, 1)
    return shares.reshape(*embedding.shape[:2], 3)


def assemble_tiles(tiles: Sequence[Array], places: Sequence[int]) -> Array:
    """Puts n^2 tiles [s, s, 3] together, each where `places` says (rows of n, from the top left) ->
    [n s, n s, 3].
    """
    side = len(tiles[0])
    count = math.isqrt(len(tiles))
    whole = np.zeros((count * side, count * side, 3), tiles[0].dtype)
    for tile, place in zip(tiles, places):
        y, x = place // count * side, place % count * side
        whole[y : y + side, x : x + side] = tile
    return whole


def cut_into_tiles(whole: Array, count: int) -> list[Array]:
    """Cuts [S, S, 3] into count^2 tiles, in rows from the top left."""
    rows = np.split(whole, count, 0)
    return [tile for row in rows for tile in np.split(row, count, 1)]
