"""The model that `fit` trains: one encoder on every image of a sample, one head on all codes."""

from __future__ import annotations

import keras

from models.networks.losses import LOSSES


class Siamese(keras.Model):
    """network: encoder, head, images, task. Trained by the mean over samples of the task's own loss; `sample_weight` carries the mask."""

    def __init__(self, network) -> None:
        super().__init__()
        self.encoder, self.head, self.images = network.encoder, network.head, network.images
        self.loss_of = LOSSES[network.task.loss]

    def call(self, inputs, training=False):
        shape = keras.ops.shape(inputs)
        flat = keras.ops.reshape(inputs, (-1, *shape[-3:])) if self.images > 1 else inputs
        code = self.encoder(flat, training=training)
        if self.images > 1:
            code = keras.ops.reshape(code, (-1, self.images, *code.shape[1:]))
        return self.head(code, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return keras.ops.mean(self.loss_of(y, sample_weight, y_pred))
