"""Composition of relative poses inside a network: 1-3 follows from 1-2 and 2-3."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable("taskonomy")
class ComposedPoses(keras.layers.Layer):
    """whitened poses 1-2 and 2-3, [B, 6] each -> whitened poses 1-2, 1-3, 2-3, [B, 18]: R13 = R23
    R12, t13 = R23 t12 + t23 (`labels.cameras.compose`).
    """

    def build(self, shapes) -> None:
        self.mean = self.add_weight(shape=(3, 6), initializer="zeros", trainable=False, name="mean")
        self.deviation = self.add_weight(
            shape=(3, 6), initializer="ones", trainable=False, name="deviation"
        )

    def whiten(self, mean, deviation) -> None:
        """take the store's whitening, [18] each."""
        self.mean.assign(
            np.broadcast_to(
                np.asarray(mean, "float32").reshape(-1, 1 if np.ndim(mean) == 0 else 6), (3, 6)
            )
        )
        self.deviation.assign(
            np.broadcast_to(
                np.asarray(deviation, "float32").reshape(-1, 1 if np.ndim(deviation) == 0 else 6),
                (3, 6),
            )
        )

    def call(self, parts):
        first, second = (part * self.deviation[i] + self.mean[i] for part, i in zip(parts, (0, 2)))
        outer = compose(first, second)
        return ops.concatenate(
            [parts[0], (outer - self.mean[1]) / self.deviation[1], parts[1]], axis=-1
        )

    def compute_output_shape(self, shapes):
        return (*shapes[0][:-1], 18)


def compose(first, second):
    """[B, 6] poses 1-2 and 2-3 -> pose 1-3, Euler angles rad and translation."""
    turn = rotation(second[:, :3])
    moved = ops.squeeze(ops.matmul(turn, first[:, 3:, None]), -1) + second[:, 3:]
    return ops.concatenate([euler(ops.matmul(turn, rotation(first[:, :3]))), moved], axis=-1)


def rotation(angles):
    """[B, 3] static XYZ Euler angles -> [B, 3, 3] Rz Ry Rx."""
    (sa, sb, sc), (ca, cb, cc) = (([f(angles[:, i]) for i in range(3)]) for f in (ops.sin, ops.cos))
    rows = [
        [cc * cb, cc * sb * sa - sc * ca, cc * sb * ca + sc * sa],
        [sc * cb, sc * sb * sa + cc * ca, sc * sb * ca - cc * sa],
        [-sb, cb * sa, cb * ca],
    ]
    return ops.stack([ops.stack(row, -1) for row in rows], -2)


def euler(matrix):
    """[B, 3, 3] -> [B, 3]; a small constant keeps the gradient finite at gimbal lock."""
    cos_b = ops.sqrt(ops.square(matrix[:, 0, 0]) + ops.square(matrix[:, 1, 0]) + 1e-12)
    angles = [
        ops.arctan2(matrix[:, 2, 1], matrix[:, 2, 2]),
        ops.arctan2(-matrix[:, 2, 0], cos_b),
        ops.arctan2(matrix[:, 1, 0], matrix[:, 0, 0]),
    ]
    return ops.stack(angles, -1)
