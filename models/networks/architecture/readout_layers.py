"""Readouts in closed form as Keras layers, which export and serve like any other.

They take raw (unstandardised) representations, sources side by side on the channel axis: [B, h, w,
c order], or [B, images, h, w, c order].
"""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np
from keras import ops

from models.networks.architecture.readout_features import (
    global_parts,
    kernel_of_samples,
    local_parts,
    neighbourhoods,
)
from models.networks.losses.block_layout import unfolded
from models.networks.tensors import Tensor
from models.tasks.arrays import Array


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
    """[B, h, w, order c] -> [B, S, S, channels]: features of each source, one solved 1 x 1 layer,
    blocks unfolded into a map.

    arrays: mean, deviation [order, c]; kernel [9 c, features]; bias [features]; weights [order (9 c
    + features) + 1, r r channels]. enlarge: every pixel so many times each way. factor: that
    answers are multiplied by.
    """

    def __init__(
        self, arrays: Mapping[str, Array], channels: int, enlarge: int, factor: float
    ) -> None:
        super().__init__(trainable=False)
        self.channels = channels
        self.enlarge = enlarge
        self.factor = factor
        self.order, self.width = arrays["mean"].shape
        self.parts = {name: constant(self, name, value) for name, value in arrays.items()}

    def call(self, maps: Tensor) -> Tensor:
        features: list[Tensor] = []
        for own in standardised_sources(maps, self.parts, self.order, self.width):
            near = neighbourhoods(own, ops)
            features += local_parts(near, self.parts["kernel"], self.parts["bias"], ops)
        weights = self.parts["weights"]
        # the constant's weights are a bias: no column of ones is made
        blocks = ops.matmul(ops.concatenate(features, axis=-1), weights[:-1]) + weights[-1]
        return unfolded(blocks * self.factor, self.channels, self.enlarge, ops)


class GlobalReadout(keras.layers.Layer):
    """[B, h, w, order c] or [B, images, h, w, order c] -> [B, outputs]: kernel ridge regression on
    whole representations; the teaching views' features are its weights.

    arrays: mean, deviation [order, c]; kernel [h w c, features]; teach [order, views, d]; scale
    [order]; views [samples, images] positions in teach; dual [samples, outputs]; constant
    [outputs].
    """

    def __init__(self, arrays: Mapping[str, Array], images: int) -> None:
        super().__init__(trainable=False)
        self.images = images
        # not among the weights, all of which are float32
        self.positions = arrays["views"].astype("int32")
        self.order, self.width = arrays["mean"].shape
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

    def similar(self, maps: Tensor) -> Tensor:
        """[B, h, w, order c] -> [B, views]: kernel between new views and teaching views, the mean
        over sources.
        """
        total = 0.0
        size = int(np.prod(maps.shape[1:3])) * self.width
        for i, own in enumerate(standardised_sources(maps, self.parts, self.order, self.width)):
            flat = ops.reshape(own, (-1, size))
            features = ops.concatenate(global_parts(flat, self.parts["kernel"], ops), axis=1)
            teach = ops.transpose(self.parts["teach"][i])
            total = total + ops.matmul(features, teach) / self.parts["scale"][i]
        return total / self.order


def standardised_sources(
    maps: Tensor, parts: Mapping[str, Tensor], order: int, width: int
) -> list[Tensor]:
    """[B, h, w, order width] -> the standardised representation of each source, [B, h, w, width].

    Before it is padded: beyond the border there is the average representation, not a raw zero.
    """
    sources = [maps[..., i * width : (i + 1) * width] for i in range(order)]
    return [(own - parts["mean"][i]) / parts["deviation"][i] for i, own in enumerate(sources)]


def constant(layer: keras.layers.Layer, name: str, value: Array) -> keras.Variable:
    """a float32 weight that is never trained."""
    weight = layer.add_weight(
        shape=value.shape, initializer="zeros", trainable=False, name=name, dtype="float32"
    )
    weight.assign(value.astype("float32"))
    return weight
