"""Batch norm of maps in training as TensorFlow's single operation."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from models.networks.tensors import Tensor


# Named as Keras' own, after which weights are filed.
@keras.saving.register_keras_serializable("taskonomy")
class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` of the last axis, whose statistics, answer and derivative
    are one operation each where a float32 map [B, h, w, c] is trained on by one TensorFlow device:
    a tenth of a step's time. Everywhere else it is Keras'. Numbers agree to rounding.
    """

    def call(self, inputs: Tensor, training: bool | None = None, mask: Any = None) -> Tensor:
        if not (training and self.trainable and mask is None and self.fuses(inputs)):
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        gamma, beta = (ops.convert_to_tensor(weight) for weight in (self.gamma, self.beta))
        answer, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs, gamma, beta, epsilon=self.epsilon, is_training=True
        )
        # TensorFlow gives the variance of n - 1, Keras keeps that of n.
        count = ops.cast(ops.size(inputs) // inputs.shape[-1], "float32")
        variance = variance * ((count - 1) / count)
        for average, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
            average.assign(average * self.momentum + value * (1 - self.momentum))
        return answer

    def fuses(self, inputs: Tensor) -> bool:
        """Returns whether TensorFlow has one operation for batch norm of these inputs."""
        plain = self.scale and self.center and not self.renorm and not self.synchronized
        return (
            plain
            and keras.backend.backend() == "tensorflow"
            and len(inputs.shape) == 4
            and keras.backend.standardize_dtype(inputs.dtype) == "float32"
        )
