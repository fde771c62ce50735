"""A head said in fewer operations: enlargement and convolution as one, the last two convolutions in
blocks of pixels. Exact up to the rounding of floats.

Nearest enlargement by 2 followed by a 3 x 3 convolution reads every pixel of the small map up to
four times with weights that could be added first: it is a transposed convolution with stride 2
whose 4 x 4 kernel is the 3 x 3 one convolved with a 2 x 2 box, at 4 instead of 9 products a weight
and answer. Zeros beyond the large map's border are zeros beyond the small one's, so that borders
agree too. Where the answer is narrow, the same products are done as a plain convolution to blocks
of pixels: TensorFlow's transposed one takes two to three times as long for them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from serving.bundle.graph.readout_ops import readout

NARROW = 4  # channels up to which blocks of pixels are quicker
BOX = np.array(
    [[1, 0, 0], [1, 1, 0], [0, 1, 1], [0, 0, 1]], "float64"
)  # [4, 3]: a 3-tap kernel convolved with two ones


def fused(head) -> Callable:
    """`head` (a keras.Model) as it answers at inference, called like it; itself where it is no
    chain of layers or holds nothing to fuse.

    Weights are read now: train no further. The result holds eager tensors, so that an exporter
    finds them among a trace's captures.
    """
    import keras

    steps = steps_of(chain(head))
    if all(isinstance(step, keras.Layer) for step in steps):
        return head

    def answer(x, training: bool = False):
        for step in steps:
            x = (
                step(x, training=False)
                if getattr(step, "_call_has_training_arg", False)
                else step(x)
            )
        return x

    return answer


def chain(head) -> list:
    """the layers after the input, each of which reads the one before it alone; [] where some do
    otherwise.
    """
    first, *rest = head.layers
    if (
        any(len(layer._inbound_nodes) != 1 for layer in head.layers)
        or len(head.inputs) != 1
        or first.output is not head.inputs[0]
    ):
        return []
    follows = all(layer.input is before.output for before, layer in zip(head.layers, rest))
    return rest if rest and follows and rest[-1].output is head.outputs[0] else []


def steps_of(layers: list) -> list[Callable]:
    """layers, and functions of one map in place of those that say more in one."""
    steps, i = [], 0
    while i < len(layers):
        step, taken = step_at(layers[i : i + 5])
        steps.append(step)
        i += taken
    return steps


def step_at(layers: list) -> tuple[Callable, int]:
    """(what the first layers do, how many they are)."""
    import keras

    from models.networks.transfers.edge import LocalReadout

    if isinstance(layers[0], LocalReadout):
        return readout(layers[0]), 1
    if narrow_transposed(layers[0]):
        return enlarged_blocks(np.asarray(layers[0].kernel, "float64"), bias_of(layers[0])), 1
    if len(layers) < 2 or not doubles(layers[0]) or not small_convolution(layers[1]):
        return layers[0], 1
    normed = int(
        len(layers) > 2
        and isinstance(layers[2], keras.layers.BatchNormalization)
        and layers[2].axis in (-1, 3)
    )
    activation, last = (*layers[2 + normed : 4 + normed], None, None)[:2]
    inner, sides = weights(layers[1], layers[2] if normed else None), layers[0].input.shape[1:3]
    if isinstance(activation, keras.layers.LeakyReLU) and narrow(last) and None not in sides:
        return enlarged_answer(inner, activation, weights(last), sides), 4 + normed
    if narrow(layers[1]):
        return enlarged_blocks(enlarging(inner[0]), inner[1]), 2 + normed
    return enlarged_convolution(*weights(layers[1])), 2


def doubles(layer) -> bool:
    import keras

    return (
        isinstance(layer, keras.layers.UpSampling2D)
        and tuple(layer.size) == (2, 2)
        and layer.interpolation == "nearest"
        and channels_last(layer)
    )


def small_convolution(layer) -> bool:
    """3 x 3, stride 1, same size, linear, float32?"""
    import keras

    if (
        type(layer) is not keras.layers.Conv2D
        or not channels_last(layer)
        or layer.compute_dtype != "float32"
    ):
        return False
    plain = (
        tuple(layer.strides) == tuple(layer.dilation_rate) == (1, 1)
        and layer.groups == 1
        and layer.padding == "same"
    )
    return (
        plain
        and tuple(layer.kernel_size) == (3, 3)
        and layer.activation is keras.activations.linear
    )


def narrow(layer) -> bool:
    """a convolution of so few channels that hardware, which computes 8 or 16 at once, is better fed
    with four pixels' channels?
    """
    return layer is not None and small_convolution(layer) and layer.filters <= NARROW


def narrow_transposed(layer) -> bool:
    """a transposed convolution that enlarges by 2, 4 x 4, linear, float32, of few channels?"""
    import keras

    if (
        type(layer) is not keras.layers.Conv2DTranspose
        or not channels_last(layer)
        or layer.compute_dtype != "float32"
        or layer.filters > NARROW
    ):
        return False
    plain = (
        tuple(layer.strides) == (2, 2)
        and tuple(layer.dilation_rate) == (1, 1)
        and layer.padding == "same"
        and layer.output_padding is None
    )
    return (
        plain
        and tuple(layer.kernel_size) == (4, 4)
        and layer.activation is keras.activations.linear
    )


def channels_last(layer) -> bool:
    return layer.data_format == "channels_last"


def weights(convolved, norm=None) -> tuple[np.ndarray, np.ndarray]:
    """(kernel [3, 3, in, out], bias [out]) float64 of a convolution and the batch norm after it, if
    any.
    """
    kernel, bias = np.asarray(convolved.kernel, "float64"), bias_of(convolved)
    if norm is None:
        return kernel, bias
    factor = 1 / np.sqrt(np.asarray(norm.moving_variance, "float64") + norm.epsilon)
    factor = factor * np.asarray(norm.gamma, "float64") if norm.scale else factor
    shift = np.asarray(norm.beta, "float64") if norm.center else 0.0
    return kernel * factor, (bias - np.asarray(norm.moving_mean, "float64")) * factor + shift


def bias_of(layer) -> np.ndarray:
    """[out] float64, zeros where it has none."""
    return np.asarray(layer.bias, "float64") if layer.use_bias else np.zeros(layer.filters)


def enlarged_convolution(kernel: np.ndarray, bias: np.ndarray) -> Callable:
    """[B, h, w, in] -> [B, 2h, 2w, out]. A batch norm after it finds a product where the bias is
    nothing (`serving/bundle/graph/fold_batch_norm.py`).
    """
    import tensorflow as tf

    held, added = (
        tf.constant(enlarging(kernel).astype("float32")),
        tf.constant(bias.astype("float32")),
    )

    def answer(x):
        shape = tf.shape(x)
        goal = tf.stack(
            [shape[0], 2 * (x.shape[1] or shape[1]), 2 * (x.shape[2] or shape[2]), kernel.shape[-1]]
        )
        made = tf.nn.conv2d_transpose(x, held, goal, 2, "SAME")
        return tf.nn.bias_add(made, added) if bias.any() else made

    return answer


def enlarging(kernel: np.ndarray) -> np.ndarray:
    """[3, 3, in, out] -> [4, 4, out, in]: the transposed convolution that enlarges by 2 (nearest)
    and convolves.
    """
    return np.einsum("py,qx,yxio->pqoi", BOX, BOX, kernel)[::-1, ::-1]


def early_blocks(kernel: np.ndarray) -> np.ndarray:
    """[4, 4, out, in] of a transposed convolution with stride 2 -> [2, 2, in, 4 out]: its answers
    to a map padded by one pixel, in blocks of 2 x 2 pixels.

    Blocks begin a pixel early, at -1, since rows 2i - 1 and 2i of the large map read the same two
    rows of the small one.
    """
    phase, tap = np.ogrid[:2, :2]
    reads = (
        phase + 2 - 2 * tap
    )  # [phase, tap]: row of the kernel through which row 2i - 1 + phase reads row i - 1 + tap
    picked = kernel[reads[:, :, None, None], reads[None, None]]  # [phase, tap, phase, tap, out, in]
    return np.einsum("ptrsoi->tsipro", picked).reshape(2, 2, kernel.shape[3], -1)


def enlarged_blocks(kernel: np.ndarray, bias: np.ndarray) -> Callable:
    """[B, h, w, in] -> [B, 2h, 2w, out] for few `out`: a transposed convolution with stride 2,
    kernel [4, 4, out, in], for four pixels' channels at once.
    """
    import tensorflow as tf

    held, added = (
        tf.constant(early_blocks(kernel).astype("float32")),
        tf.constant(np.tile(bias, 4).astype("float32")),
    )

    def answer(x):
        blocks = tf.nn.bias_add(tf.nn.conv2d(x, held, 1, [[0, 0], [1, 1], [1, 1], [0, 0]]), added)
        return tf.nn.depth_to_space(blocks, 2)[:, 1:-1, 1:-1]

    return answer


def enlarged_answer(inner: tuple, activation, outer: tuple, sides: tuple[int, int]) -> Callable:
    """[B, h, w, in] -> [B, 2h, 2w, out]: enlargement by 2 (nearest), convolution, activation,
    convolution, with the large map in blocks of 2 x 2 pixels.

    inner, outer: (kernel [3, 3, ...], bias). sides: (h, w). A block is one pixel of four times the
    channels, so that both convolutions have 2 x 2 taps and wide answers. The first one's blocks
    begin a pixel early (`early_blocks`); the second moves them back. What lies beyond the large
    map's border is set to zero, as padding would.
    """
    import tensorflow as tf

    phase, tap, before, k = np.ogrid[:2, :2, :2, :3]
    second = 2 * tap + before == phase + k  # row 2i + phase reads row 2i - 1 + 2 tap + before
    late = np.einsum("qtpy,usrx,yxio->tspriquo", second, second, outer[0])
    held = [
        early_blocks(enlarging(inner[0])),
        np.tile(inner[1], 4),
        late.reshape(2, 2, 4 * late.shape[4], -1),
        np.tile(outer[1], 4),
    ]
    kernel, bias, last, shift = (tf.constant(value.astype("float32")) for value in held)
    inside = tf.constant(within(*sides, len(inner[1])))

    def answer(x):
        blocks = (
            activation(
                tf.nn.bias_add(tf.nn.conv2d(x, kernel, 1, [[0, 0], [1, 1], [1, 1], [0, 0]]), bias)
            )
            * inside
        )
        return tf.nn.depth_to_space(
            tf.nn.bias_add(tf.nn.conv2d(blocks, last, 1, "VALID"), shift), 2
        )

    return answer


def within(h: int, w: int, channels: int) -> np.ndarray:
    """float32 [1, h + 1, w + 1, 4 channels]: 1 where a channel of a block that begins a pixel early
    lies inside the map of 2h x 2w pixels.
    """
    rows, columns = (np.pad(np.ones(2 * n, "float32"), 1).reshape(n + 1, 2) for n in (h, w))
    inside = (
        rows[:, None, :, None, None]
        * columns[None, :, None, :, None]
        * np.ones(channels, "float32")
    )
    return inside.reshape(1, h + 1, w + 1, 4 * channels)
