"""What a readout in closed form reads of a representation, and how it answers: the arithmetic that
the learner (arrays) and the exported layers (tensors) share.

Every function takes `xp`: numpy or keras.ops. A third form, fewer operations for the served graph,
is tested against the layers (`serving/bundle/graph/readout_ops.py`).

Local readouts (maps) read 3 x 3 neighbourhoods and random ReLU features of them (Rahimi and Recht
2008); global ones (vectors, classes) the flattened map and random ReLU features of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from models.networks.tensors import Tensor
from models.tasks.arrays import Floats


def neighbourhoods(maps: Tensor, xp: Any) -> Tensor:
    """[n, h, w, c] -> [n, h, w, 9 c], zero padded, row-major over the 3 x 3 window (the order of a
    flattened convolution kernel).
    """
    padded = xp.pad(maps, ((0, 0), (1, 1), (1, 1), (0, 0)))
    h, w = maps.shape[1:3]
    window = [padded[:, i : i + h, j : j + w] for i in range(3) for j in range(3)]
    return xp.concatenate(window, axis=-1)


def local_parts(near: Tensor, kernel: Tensor, bias: Tensor, xp: Any) -> list[Tensor]:
    """Neighbourhoods [..., 9 c] -> [themselves, their random features [..., features]]; side by
    side they are what a local readout is linear in, beside a constant.
    """
    return [near, xp.maximum(xp.matmul(near, kernel) + bias, 0)]


def global_parts(flat: Tensor, kernel: Tensor, xp: Any) -> list[Tensor]:
    """Flattened maps [n, d] -> [themselves [n, d], their random features [n, features]], scaled so
    that the mean square norm of both side by side is about 1.
    """
    size, features = kernel.shape
    random = xp.maximum(xp.matmul(flat, kernel), 0)
    return [flat / size**0.5, random / features**0.5]


def kernel_of_samples(parts: Sequence[Tensor]) -> Tensor:
    """[m, p]: the kernel between samples of several views each, from those between their views at
    each position, [m, p] each: the mean, plus the product for more than one view.
    """
    if len(parts) == 1:
        return parts[0]
    total = product = parts[0]
    for part in parts[1:]:
        total = total + part
        product = product * part
    return total / len(parts) + product


def local_kernel(channels: int, features: int, seed: int) -> tuple[Floats, Floats]:
    """(weights [9 c, features], biases [features]) float32 of local random features, the same for
    every source.
    """
    rng = np.random.default_rng(seed)
    # codes are standardised: what the ReLU is given has a variance of about 1
    kernel = rng.standard_normal((9 * channels, features)) / np.sqrt(9 * channels)
    bias = 0.5 * rng.standard_normal(features)
    return kernel.astype("float32"), bias.astype("float32")


def global_kernel(size: int, features: int, seed: int) -> Floats:
    """Weights [size, features] float32 of global random features, the same for every source."""
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((size, features)) / np.sqrt(size)).astype("float32")


def channel_slices(widths: Sequence[int]) -> list[slice]:
    """Returns the slice of channels of each source where all sources lie side by side."""
    starts = np.cumsum([0, *widths]).tolist()
    return [slice(first, last) for first, last in zip(starts, starts[1:])]
