"""Heads of transfers that are trained by gradient: the target's own decoder as in the paper, or the
small one of `transfer_widths`.
"""

from __future__ import annotations

import keras
from keras import layers

from models.networks.architecture.heads import build_head
from models.networks.config import NetworkConfig
from models.tasks import Task


def build_transfer_head(
    task: Task, config: NetworkConfig, representation: tuple[int, int, int], images: int, size: int
) -> keras.Model:
    """keras.Model: [B, h, w, c] (one image) or [B, images, h, w, c] -> the task's output; logits
    where it has classes.

    Without `transfer_widths` the head of a task network. With them maps are made at the
    representation's grid by 3 x 3 convolutions of these widths, and unfolded last (sub-pixel
    convolution, Shi et al. 2016) to 1/output_stride of the image, as the closed form answers, for
    far less than a decoder costs.
    """
    if not (config.transfer_widths and task.output.dense):
        return build_head(task, config, representation, images, size)
    source = keras.Input(representation, name="representation")
    grid = representation[0]
    channels = task.output.channels
    blocks = size // task.output.scale // config.output_stride // grid
    x = source
    for width in config.transfer_widths:
        x = layers.Conv2D(
            width, 3, padding="same", activation="relu", kernel_initializer="he_normal"
        )(x)
    x = layers.Conv2D(blocks * blocks * channels, 1, name="answer", dtype="float32")(x)
    x = layers.Reshape((grid, grid, blocks, blocks, channels))(x)
    x = layers.Permute((1, 3, 2, 4, 5))(x)
    x = layers.Reshape((grid * blocks, grid * blocks, channels))(x)
    if config.output_stride > 1:
        x = layers.UpSampling2D(config.output_stride, interpolation="nearest")(x)
    return keras.Model(source, x, name="head")
