"""A decoder said in fewer operations: enlargement and convolution as one, batch norm inside the weights. Exact up to the rounding of floats.

Nearest enlargement by 2 followed by a 3 x 3 convolution reads every pixel of the small map up to four times with weights that could be added first: it is
a transposed convolution with stride 2 whose 4 x 4 kernel is the 3 x 3 one convolved with a 2 x 2 box, at 4 instead of 9 products a weight and answer.
Zeros beyond the large map's border are zeros beyond the small one's, so that borders agree too.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

BOX = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1], [0, 0, 1]], "float64")  # [4, 3]: a 3-tap kernel convolved with two ones


def fused(head) -> Callable:
    """`head` (a keras.Model) as it answers at inference, called like it; itself where it is no chain of layers or holds nothing to fuse.

    Weights are read now: train no further. The result holds eager tensors, so that an exporter finds them among a trace's captures.
    """
    layers = chain(head)
    steps = steps_of(layers) if layers else []
    if not steps or len(steps) == len(layers):
        return head

    def answer(x, training: bool = False):
        for step in steps:
            x = step(x)
        return x

    return answer


def chain(head) -> list:
    """the layers after the input, each of which reads the one before it alone; [] where some do otherwise."""
    first, *rest = head.layers
    if any(len(layer._inbound_nodes) != 1 for layer in head.layers) or len(head.inputs) != 1 or first.output is not head.inputs[0]:
        return []
    follows = all(layer.input is before.output for before, layer in zip(head.layers, rest))
    return rest if rest and follows and rest[-1].output is head.outputs[0] else []


def steps_of(layers: list) -> list[Callable]:
    """functions of one map each, fewer than layers where some were fused."""
    import keras

    steps, i = [], 0
    while i < len(layers):
        doubled = doubles(layers[i]) and i + 1 < len(layers) and small_convolution(layers[i + 1])
        at = i + int(doubled)
        normed = at + 1 < len(layers) and isinstance(layers[at + 1], keras.layers.BatchNormalization) and layers[at + 1].axis in (-1, 3)
        if not (doubled or (normed and small_convolution(layers[at]))):
            steps.append(lambda x, layer=layers[i]: layer(x, training=False) if layer._call_has_training_arg else layer(x))
            i += 1
            continue
        steps.append(convolution(*weights(layers[at], layers[at + 1] if normed else None), doubled))
        i = at + 1 + int(normed)
    return steps


def doubles(layer) -> bool:
    import keras

    return isinstance(layer, keras.layers.UpSampling2D) and tuple(layer.size) == (2, 2) and layer.interpolation == "nearest" and channels_last(layer)


def small_convolution(layer) -> bool:
    """3 x 3, stride 1, same size, linear, float32?"""
    import keras

    if type(layer) is not keras.layers.Conv2D or not channels_last(layer) or layer.compute_dtype != "float32":
        return False
    plain = tuple(layer.strides) == tuple(layer.dilation_rate) == (1, 1) and layer.groups == 1 and layer.padding == "same"
    return plain and tuple(layer.kernel_size) == (3, 3) and layer.activation is keras.activations.linear


def channels_last(layer) -> bool:
    return layer.data_format == "channels_last"


def weights(convolved, norm) -> tuple[np.ndarray, np.ndarray]:
    """(kernel [3, 3, in, out], bias [out]) float64 of a convolution and the batch norm after it, if any."""
    kernel = np.asarray(convolved.kernel, "float64")
    bias = np.asarray(convolved.bias, "float64") if convolved.use_bias else np.zeros(kernel.shape[-1])
    if norm is None:
        return kernel, bias
    factor = 1 / np.sqrt(np.asarray(norm.moving_variance, "float64") + norm.epsilon)
    factor = factor * np.asarray(norm.gamma, "float64") if norm.scale else factor
    shift = np.asarray(norm.beta, "float64") if norm.center else 0.0
    return kernel * factor, (bias - np.asarray(norm.moving_mean, "float64")) * factor + shift


def convolution(kernel: np.ndarray, bias: np.ndarray, doubled: bool) -> Callable:
    """[B, h, w, in] -> [B, h, w, out], or [B, 2h, 2w, out]."""
    import tensorflow as tf

    if doubled:
        kernel = enlarging(kernel)
    held, added = tf.constant(kernel.astype("float32")), tf.constant(bias.astype("float32"))

    def plain(x):
        return tf.nn.bias_add(tf.nn.conv2d(x, held, 1, "SAME"), added)

    def double(x):
        shape = tf.shape(x)
        goal = tf.stack([shape[0], 2 * (x.shape[1] or shape[1]), 2 * (x.shape[2] or shape[2]), kernel.shape[2]])
        return tf.nn.bias_add(tf.nn.conv2d_transpose(x, held, goal, 2, "SAME"), added)

    return double if doubled else plain


def enlarging(kernel: np.ndarray) -> np.ndarray:
    """[3, 3, in, out] -> [4, 4, out, in]: the transposed convolution that enlarges by 2 (nearest) and convolves."""
    return np.einsum("py,qx,yxio->pqoi", BOX, BOX, kernel)[::-1, ::-1]
