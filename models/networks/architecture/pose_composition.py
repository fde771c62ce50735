"""Composition of relative poses inside a network: 1-3 follows from 1-2 and 2-3."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from models.networks.tensors import Tensor
from models.tasks.arrays import Array, Floats


@keras.saving.register_keras_serializable("taskonomy")
class ComposedPoses(keras.layers.Layer):
    """Composes whitened poses 1-2 and 2-3, [B, 6] each, to whitened poses 1-2, 1-3, 2-3, [B, 18]:
    R13 = R23 R12, t13 = R23 t12 + t23 (`labels.cameras.compose`).
    """

    def build(self, shapes: object) -> None:
        self.mean = self.add_weight(shape=(3, 6), initializer="zeros", trainable=False, name="mean")
        self.deviation = self.add_weight(
            shape=(3, 6), initializer="ones", trainable=False, name="deviation"
        )

    def whiten(self, mean: Array, deviation: Array) -> None:
        """Sets the mean and deviation by which the store whitens poses: [18] each, or one number
        for all.
        """
        self.mean.assign(a_row_each(mean))
        self.deviation.assign(a_row_each(deviation))

    def call(self, parts: Sequence[Tensor]) -> Tensor:
        # poses 1-2 and 2-3 are the first and the last of the three rows
        near, far = parts
        first = near * self.deviation[0] + self.mean[0]
        second = far * self.deviation[2] + self.mean[2]
        outer = (compose(first, second) - self.mean[1]) / self.deviation[1]
        return ops.concatenate([near, outer, far], axis=-1)

    def compute_output_shape(
        self, shapes: Sequence[tuple[int | None, ...]]
    ) -> tuple[int | None, ...]:
        return (*shapes[0][:-1], 18)


def a_row_each(values: Array) -> Floats:
    """[18] or a number -> [3, 6] float32: a row for each of the poses 1-2, 1-3, 2-3."""
    columns = 1 if np.ndim(values) == 0 else 6
    return np.broadcast_to(np.asarray(values, "float32").reshape(-1, columns), (3, 6))


def compose(first: Tensor, second: Tensor) -> Tensor:
    """[B, 6] poses 1-2 and 2-3 -> pose 1-3, Euler angles rad and translation."""
    turn = rotation(second[:, :3])
    moved = ops.squeeze(ops.matmul(turn, first[:, 3:, None]), -1) + second[:, 3:]
    return ops.concatenate([euler(ops.matmul(turn, rotation(first[:, :3]))), moved], axis=-1)


def rotation(angles: Tensor) -> Tensor:
    """[B, 3] static XYZ Euler angles -> [B, 3, 3] Rz Ry Rx."""
    sa, sb, sc = (ops.sin(angles[:, i]) for i in range(3))
    ca, cb, cc = (ops.cos(angles[:, i]) for i in range(3))
    rows = [
        [cc * cb, cc * sb * sa - sc * ca, cc * sb * ca + sc * sa],
        [sc * cb, sc * sb * sa + cc * ca, sc * sb * ca - cc * sa],
        [-sb, cb * sa, cb * ca],
    ]
    return ops.stack([ops.stack(row, -1) for row in rows], -2)


def euler(matrix: Tensor) -> Tensor:
    """[B, 3, 3] -> [B, 3]; a small constant keeps the gradient finite at gimbal lock."""
    cos_b = ops.sqrt(ops.square(matrix[:, 0, 0]) + ops.square(matrix[:, 1, 0]) + 1e-12)
    angles = [
        ops.arctan2(matrix[:, 2, 1], matrix[:, 2, 2]),
        ops.arctan2(-matrix[:, 2, 0], cos_b),
        ops.arctan2(matrix[:, 1, 0], matrix[:, 0, 0]),
    ]
    return ops.stack(angles, -1)
