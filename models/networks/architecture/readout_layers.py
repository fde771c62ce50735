"""Readouts in closed form as Keras layers, which export and serve like any other.

They take raw (unstandardised) representations, sources side by side on the channel axis: [B, h, w,
channels of all sources], or [B, images, h, w, channels of all sources].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from models.networks.architecture.readout_features import (
    channel_slices,
    global_parts,
    kernel_of_samples,
    local_parts,
    neighbourhoods,
)
from models.networks.losses.block_layout import unfold_blocks
from models.networks.tensors import Tensor
from models.tasks.arrays import Array

# Sizes of axes; the batch's is None before one comes.
Shape = tuple[Any, ...]


class Standardised(keras.layers.Layer):
    """(representation - mean) / deviation a channel, as the representation store keeps them; mean,
    deviation [order c].
    """

    def __init__(self, mean: Array, deviation: Array) -> None:
        super().__init__(trainable=False)
        self.mean = constant(self, "mean", mean)
        self.deviation = constant(self, "deviation", deviation)

    def call(self, maps: Tensor) -> Tensor:
        return (maps - self.mean) / self.deviation


class LocalReadout(keras.layers.Layer):
    """[B, h, w, channels of all sources] -> [B, S, S, channels]: features of each source, one
    solved 1 x 1 layer, blocks unfolded into a map.

    arrays: mean, deviation [channels of all sources]; of every width c among them kernel_c [9 c,
    features], bias_c [features]; weights [sum of (9 c + features) + 1, r r channels]. widths:
    channels of each source. enlarge: every pixel so many times each way. factor: that answers are
    multiplied by.
    """

    def __init__(
        self,
        arrays: Mapping[str, Array],
        widths: Sequence[int],
        channels: int,
        enlarge: int,
        factor: float,
    ) -> None:
        super().__init__(trainable=False)
        self.channels = channels
        self.enlarge = enlarge
        self.factor = factor
        self.widths = tuple(widths)
        self.parts = {name: constant(self, name, value) for name, value in arrays.items()}

    def call(self, maps: Tensor) -> Tensor:
        features: list[Tensor] = []
        for own, width in zip(standardised_sources(maps, self.parts, self.widths), self.widths):
            near = neighbourhoods(own, ops)
            kernel, bias = self.parts[f"kernel_{width}"], self.parts[f"bias_{width}"]
            features += local_parts(near, kernel, bias, ops)
        weights = self.parts["weights"]
        # the constant's weights are a bias: no column of ones is made
        blocks = ops.matmul(ops.concatenate(features, axis=-1), weights[:-1]) + weights[-1]
        return unfold_blocks(blocks * self.factor, self.channels, self.enlarge, ops)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """States the shape, since otherwise Keras traces `call`, twice, whenever such a network is
        built or loaded.
        """
        batch, height, width, _ = input_shape
        side = round((self.parts["weights"].shape[-1] / self.channels) ** 0.5) * self.enlarge
        return batch, height * side, width * side, self.channels


class GlobalReadout(keras.layers.Layer):
    """[B, h, w, channels of all sources] or [B, images, h, w, channels of all sources] -> [B,
    outputs]: kernel ridge regression on whole representations; the teaching views' features are its
    weights.

    arrays: mean, deviation [channels of all sources]; kernel_c [h w c, features] of every width c
    among them; teach_i [views, h w c + features] of each source i; scale [order]; views [samples,
    images] positions in teach_i; dual [samples, outputs]; constant [outputs]. widths: channels of
    each source.
    """

    def __init__(self, arrays: Mapping[str, Array], widths: Sequence[int], images: int) -> None:
        super().__init__(trainable=False)
        self.images = images
        # not among the weights, all of which are float32
        self.positions = arrays["views"].astype("int32")
        self.widths = tuple(widths)
        self.parts = {
            name: constant(self, name, value) for name, value in arrays.items() if name != "views"
        }

    def call(self, maps: Tensor) -> Tensor:
        # a single image comes without an axis of its own
        views = ops.expand_dims(maps, 1) if self.images == 1 else maps
        near = [
            ops.take(self.similar(views[:, i]), self.positions[:, i], axis=1)
            for i in range(self.images)
        ]
        return ops.matmul(kernel_of_samples(near), self.parts["dual"]) + self.parts["constant"]

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """States the shape, as `LocalReadout` does."""
        return input_shape[0], self.parts["dual"].shape[-1]

    def similar(self, maps: Tensor) -> Tensor:
        """[B, h, w, channels of all sources] -> [B, views]: kernel between new views and teaching
        views, the mean over sources.
        """
        total = 0.0
        cells = int(np.prod(maps.shape[1:3]))
        for i, own in enumerate(standardised_sources(maps, self.parts, self.widths)):
            width = self.widths[i]
            flat = ops.reshape(own, (-1, cells * width))
            features = ops.concatenate(global_parts(flat, self.parts[f"kernel_{width}"], ops), 1)
            similar = ops.matmul(features, ops.transpose(self.parts[f"teach_{i}"]))
            total = total + similar / self.parts["scale"][i]
        return total / len(self.widths)


def standardised_sources(
    maps: Tensor, parts: Mapping[str, Tensor], widths: Sequence[int]
) -> list[Tensor]:
    """[B, h, w, channels of all sources] -> the standardised representation of each, [B, h, w, its
    width].

    Before it is padded: beyond the border there is the average representation, not a raw zero.
    """
    return [
        (maps[..., own] - parts["mean"][own]) / parts["deviation"][own]
        for own in channel_slices(widths)
    ]


def constant(layer: keras.layers.Layer, name: str, value: Array) -> keras.Variable:
    """Returns a new float32 weight of a layer, with the shape of `value` [...], that is never
    trained.
    """
    weight = layer.add_weight(
        shape=value.shape, initializer="zeros", trainable=False, name=name, dtype="float32"
    )
    weight.assign(value.astype("float32"))
    return weight
