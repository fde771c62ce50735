"""Heads of transfers that are trained by gradient: the target's own decoder as in the paper, with
or without the released transfer function before it, or the small one of `transfer_widths`.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from models.networks.architecture.batch_norm import BatchNormalization
from models.networks.architecture.heads import HEADS, build_head
from models.networks.config import NetworkConfig
from models.networks.tensors import Tensor
from models.tasks import Task

# Of the released transfer function: decay and epsilon of its batch norms, deviation of its first
# weights, layers of a stream, and how many deviations from the mean a value may be.
FUNCTION_MOMENTUM = 0.8
FUNCTION_EPSILON = 1e-5
FUNCTION_DEVIATION = 0.01
STREAM_LAYERS = 2
REACH = 5.0


def build_transfer_head(
    task: Task, config: NetworkConfig, representation: tuple[int, int, int], images: int, size: int
) -> keras.Model:
    """keras.Model: [B, h, w, c] (one image) or [B, images, h, w, c] -> the task's output; logits
    where it has classes.

    Without `transfer_widths` the head of a task network, after `transfer_function` where the
    configuration has it. With them maps are made at the representation's grid by 3 x 3
    convolutions of these widths, and unfolded last (sub-pixel convolution, Shi et al. 2016) to
    1/output_stride of the image, as the closed form answers, for far less than a decoder costs.
    """
    if config.transfer_widths and task.output.dense:
        return small_head(task, config, representation, size)
    if not config.transfer_function:
        return build_head(task, config, representation, images, size)
    shape = representation if images == 1 else (images, *representation)
    source = keras.Input(shape, name="representation")
    answer = HEADS[task.output.kind](transfer_function(source), task, config, size)
    return keras.Model(source, answer, name="head")


def small_head(
    task: Task, config: NetworkConfig, representation: tuple[int, int, int], size: int
) -> keras.Model:
    """keras.Model: [B, h, w, c] -> [B, S/scale, S/scale, channels] by `transfer_widths`."""
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


def transfer_function(source: Tensor) -> Tensor:
    """The released transfer function: [B, h, w, c] -> [B, h, w, 2 c], or [B, images, h, w, c] ->
    [B, images, h, w, 2 c] with the same weights for every image.

    Values within five deviations of the batch (in training), batch norm, two streams of two (3 x 3
    convolution to c channels, batch norm, ReLU), side by side, batch norm. c = 8 k channels of k
    sources: 2,416, 9,440, 21,072 and 37,312 weights for k = 1 to 4. Source: Zamir et al. 2018,
    section 3.2, and the released `transfer_models.py`; its batch renormalisation never left the
    limits at which it is plain batch norm.
    """
    channels = source.shape[-1]
    x = normalised(Clipped(REACH)(source))
    streams = []
    for _ in range(2):
        stream = x
        for _ in range(STREAM_LAYERS):
            stream = layers.ReLU()(normalised(convolved(stream, channels)))
        streams.append(stream)
    return normalised(layers.Concatenate()(streams))


def convolved(x: Tensor, channels: int) -> Tensor:
    """3 x 3 convolution within each image of [B, h, w, c] or [B, images, h, w, c]."""
    options: dict[str, Any] = {
        "padding": "same",
        "use_bias": False,
        "kernel_initializer": keras.initializers.TruncatedNormal(stddev=FUNCTION_DEVIATION),
    }
    if len(x.shape) == 4:
        return layers.Conv2D(channels, 3, **options)(x)
    # over images a kernel of one: what a convolution with shared weights is
    return layers.Conv3D(channels, (1, 3, 3), **options)(x)


def normalised(x: Tensor) -> Tensor:
    """batch norm as the transfer function has it."""
    return BatchNormalization(momentum=FUNCTION_MOMENTUM, epsilon=FUNCTION_EPSILON)(x)


@keras.saving.register_keras_serializable("taskonomy")
class Clipped(layers.Layer):
    """In training, values of the last axis' channels within `reach` standard deviations of the
    batch's mean; elsewhere as they are.
    """

    def __init__(self, reach: float, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.reach = reach

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        if not training:
            return inputs
        axes = tuple(range(len(inputs.shape) - 1))
        mean = ops.mean(inputs, axis=axes, keepdims=True)
        margin = self.reach * ops.std(inputs, axis=axes, keepdims=True)
        return ops.clip(inputs, mean - margin, mean + margin)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "reach": self.reach}
