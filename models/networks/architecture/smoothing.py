"""A map's answer, smoothed: what takes the edges of a readout's blocks out of it."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from models.networks.architecture.readout_layers import constant
from models.networks.tensors import Tensor
from models.tasks.arrays import Floats

REACH = 3.0  # deviations of the Gaussian that are summed on each side


def smoothing_matrix(side: int, width: float) -> Floats:
    """Returns [side, side] float32, rows that sum to 1: a Gaussian whose deviation is `width` of
    the side; beyond the border a pixel of the border is repeated. width: in [0, 1]; 0 changes
    nothing.
    """
    deviation = width * side
    matrix = np.zeros((side, side))
    reach = int(np.ceil(REACH * deviation))
    offsets = np.arange(-reach, reach + 1)
    # without a deviation there is nothing to divide by
    weights = np.exp(-0.5 * (offsets / deviation) ** 2) if reach else np.ones(1)
    for offset, weight in zip(offsets, weights / weights.sum()):
        # `+=` by index adds once for each pair: for one offset every row stands there once
        matrix[np.arange(side), np.clip(np.arange(side) + offset, 0, side - 1)] += weight
    return matrix.astype("float32")


class Smoothed(keras.layers.Layer):
    """[B, S, S, k] -> the same, smoothed in both directions by `smoothing_matrix`."""

    def __init__(self, side: int, width: float) -> None:
        super().__init__(trainable=False)
        self.matrix = constant(self, "matrix", smoothing_matrix(side, width))

    def call(self, maps: Tensor) -> Tensor:
        return smooth_maps(maps, self.matrix)


def smooth_maps(maps: Tensor, matrix: Tensor) -> Tensor:
    """Smooths maps [B, S, S, k] by a matrix [S, S] over rows and columns."""
    tall = ops.einsum("yh,bhwk->bywk", matrix, maps)
    return ops.einsum("xw,bywk->byxk", matrix, tall)
