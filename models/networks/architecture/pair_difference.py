"""What a head reads of several images: their codes side by side, as in the paper, and how far each
two of them lie apart.
"""

from __future__ import annotations

import itertools

import keras
from keras import ops

from models.networks.tensors import Tensor


@keras.saving.register_keras_serializable("taskonomy")
class Compared(keras.layers.Layer):
    """[B, images, n] -> [B, (images + pairs) n]: the codes, then |a - b| of every pair of images in
    order.

    Ours. Two views of one point fixate it, so that it lies in the middle of both; whether the
    middles look alike is a difference, which dense layers on codes side by side must find out for
    every value anew.
    """

    def call(self, codes: Tensor) -> Tensor:
        parts = [codes[:, i] for i in range(codes.shape[1])]
        pairs = itertools.combinations(parts, 2)
        differences = [ops.abs(one - other) for one, other in pairs]
        return ops.concatenate([*parts, *differences], axis=-1)

    def compute_output_shape(self, shape: tuple[int | None, int, int]) -> tuple[int | None, int]:
        batch, images, count = shape
        return batch, count * (images + images * (images - 1) // 2)
