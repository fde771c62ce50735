"""Writes a head in fewer operations: enlargement and convolution as one, the last two convolutions
in blocks of pixels. Exact up to the rounding of floats. The arithmetic: `pixel_blocks.py`.

Nearest enlargement by 2 followed by a 3 x 3 convolution reads every pixel of the small map up to
four times with weights that could be added first: it is a transposed convolution with stride 2
whose 4 x 4 kernel is the 3 x 3 one convolved with a 2 x 2 box, at 4 instead of 9 products a weight
and answer. Zeros beyond the large map's border are zeros beyond the small one's, so that borders
agree too. Where the answer is narrow, the same products are done as a plain convolution to blocks
of pixels: TensorFlow's transposed one takes two to three times as long for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from models.tasks.arrays import Floats
from serving.bundle.graph.pixel_blocks import (
    Convolution,
    enlarged_answer,
    enlarged_blocks,
    enlarged_convolution,
    enlarging,
)
from serving.bundle.graph.readout_ops import readout

NARROW = 4  # channels up to which blocks of pixels are quicker
LONGEST_STEP = 5  # layers that are written as one operation at most

# A Keras layer, or a function of one map.
Step = Callable[..., Any]


def fused(head: Any) -> Step:
    """Returns `head` (a keras.Model) as a function that answers as it does at inference; the model
    itself where it is no chain of layers or holds nothing to fuse.

    Weights are read now: later training has no effect. The result holds eager tensors, so that an
    exporter finds them among a trace's captures.
    """
    import keras

    steps = steps_of(chain(head))
    # nothing fused: the model itself, which a trace names by its layers
    if all(isinstance(step, keras.Layer) for step in steps):
        return head

    def answer(x: Any, training: bool = False) -> Any:
        for step in steps:
            # Keras passes `training` only to layers that know it
            at_inference = getattr(step, "_call_has_training_arg", False)
            x = step(x, training=False) if at_inference else step(x)
        return x

    return answer


def chain(head: Any) -> list[Any]:
    """Returns the layers after the input if each reads only the one before it; else []."""
    first, *rest = head.layers
    shared = any(len(layer._inbound_nodes) != 1 for layer in head.layers)
    # several readers of a layer, or several inputs, are no chain
    if shared or len(head.inputs) != 1 or first.output is not head.inputs[0] or not rest:
        return []
    follows = all(layer.input is before.output for before, layer in zip(head.layers, rest))
    return rest if follows and rest[-1].output is head.outputs[0] else []


def steps_of(layers: list[Any]) -> list[Step]:
    """Returns layers, and functions of one map in place of those layers that can be fused."""
    steps = []
    i = 0
    while i < len(layers):
        step, length = step_at(layers[i : i + LONGEST_STEP])
        steps.append(step)
        i += length
    return steps


def step_at(layers: list[Any]) -> tuple[Step, int]:
    """Returns (what the first layers do, how many they are)."""
    if is_readout(layers[0]):
        return readout(layers[0]), 1
    if is_narrow_transposed(layers[0]):
        # float64 until kernels are put together
        kernel = np.asarray(layers[0].kernel, "float64")
        return enlarged_blocks(kernel, bias_of(layers[0])), 1
    if len(layers) < 2 or not doubles(layers[0]) or not is_small_convolution(layers[1]):
        return layers[0], 1
    return enlarging_step(layers)


def enlarging_step(layers: list[Any]) -> tuple[Step, int]:
    """Returns (a function in place of an enlargement, a convolution and what follows them, the
    number of layers that it replaces).
    """
    norm = layers[2] if len(layers) > 2 and is_batch_norm(layers[2]) else None
    length = 2 if norm is None else 3
    inner = convolution(layers[1], norm)
    sides = layers[0].input.shape[1:3]
    # blocks need sides that are known when the graph is written
    if ends_the_head(layers[length:]) and None not in sides:
        activation, last = layers[length : length + 2]
        return enlarged_answer(inner, activation, convolution(last), sides), length + 2
    if is_narrow(layers[1]):
        return enlarged_blocks(enlarging(inner.kernel), inner.bias), length
    # the batch norm stays a layer of its own: `fold_batch_norm.py` finds it
    return enlarged_convolution(convolution(layers[1])), 2


def ends_the_head(layers: list[Any]) -> bool:
    """Returns whether layers are an activation and a narrow convolution, the end of a head."""
    import keras

    return (
        len(layers) > 1 and isinstance(layers[0], keras.layers.LeakyReLU) and is_narrow(layers[1])
    )


def is_readout(layer: Any) -> bool:
    from models.networks.architecture.readout_layers import LocalReadout

    return isinstance(layer, LocalReadout)


def is_batch_norm(layer: Any) -> bool:
    import keras

    return isinstance(layer, keras.layers.BatchNormalization) and layer.axis in (-1, 3)


def doubles(layer: Any) -> bool:
    """Returns whether a layer enlarges by 2 with nearest neighbours."""
    import keras

    if not isinstance(layer, keras.layers.UpSampling2D):
        return False
    nearest = layer.interpolation == "nearest"
    return tuple(layer.size) == (2, 2) and nearest and has_channels_last(layer)


def is_small_convolution(layer: Any) -> bool:
    """Returns whether a layer is a convolution of 3 x 3, stride 1, same size, linear, float32."""
    import keras

    # exactly Conv2D: layers that inherit from it compute something else
    if type(layer) is not keras.layers.Conv2D or not is_plain(layer):
        return False
    dense = tuple(layer.strides) == tuple(layer.dilation_rate) == (1, 1) and layer.groups == 1
    return dense and tuple(layer.kernel_size) == (3, 3)


def is_narrow(layer: Any) -> bool:
    """Returns whether a convolution has so few channels that hardware, which computes 8 or 16 at
    once, is better used with four pixels' channels.
    """
    return is_small_convolution(layer) and layer.filters <= NARROW


def is_narrow_transposed(layer: Any) -> bool:
    """Returns whether a layer is a transposed convolution of few channels that enlarges by 2: 4 x
    4, linear, float32.
    """
    import keras

    if not isinstance(layer, keras.layers.Conv2DTranspose) or not is_plain(layer):
        return False
    doubling = tuple(layer.strides) == (2, 2) and tuple(layer.dilation_rate) == (1, 1)
    # other paddings begin the blocks elsewhere
    whole = layer.output_padding is None and tuple(layer.kernel_size) == (4, 4)
    return doubling and whole and layer.filters <= NARROW


def is_plain(layer: Any) -> bool:
    """Returns whether a convolution has channels last, float32, the same size before and after, and
    no activation.
    """
    import keras

    linear = layer.activation is keras.activations.linear
    padded = layer.padding == "same"
    # in half precision the order of sums would change answers
    return has_channels_last(layer) and layer.compute_dtype == "float32" and padded and linear


def has_channels_last(layer: Any) -> bool:
    return bool(layer.data_format == "channels_last")


def convolution(layer: Any, norm: Any = None) -> Convolution:
    """Returns the `Convolution` of a layer and of the batch norm after it, if there is one."""
    kernel = np.asarray(layer.kernel, "float64")
    bias = bias_of(layer)
    if norm is None:
        return Convolution(kernel, bias)
    # as Keras writes it: gamma (x - mean) / sqrt(variance + epsilon) + beta
    factor = 1 / np.sqrt(np.asarray(norm.moving_variance, "float64") + norm.epsilon)
    if norm.scale:
        factor = factor * np.asarray(norm.gamma, "float64")
    shift = np.asarray(norm.beta, "float64") if norm.center else 0.0
    centred = bias - np.asarray(norm.moving_mean, "float64")
    return Convolution(kernel * factor, centred * factor + shift)


def bias_of(layer: Any) -> Floats:
    """Returns the bias of a layer, [out] float64, zeros where it has none."""
    return np.asarray(layer.bias, "float64") if layer.use_bias else np.zeros(layer.filters)
