"""Computes convolutions of an enlarged map on the small one: kernels put together in float64, and
functions of tensors that use them. `fuse_upsampling.py` says why this is exact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.tasks.arrays import Floats
from serving.bundle.graph.readout_ops import float_constant

# [4, 3]: a 3-tap kernel convolved with two ones
BOX = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1], [0, 0, 1]], "float64")
# padding by a pixel on each side
ALL_ROUND = [[0, 0], [1, 1], [1, 1], [0, 0]]


@dataclass(frozen=True)
class Convolution:
    """A convolution. kernel: [3, 3, in, out] float64; bias: [out] float64."""

    kernel: Floats
    bias: Floats


def enlarged_convolution(inner: Convolution) -> Callable[[Any], Any]:
    """Returns a function [B, h, w, in] -> [B, 2h, 2w, out] that enlarges and convolves. Where the
    bias is zero it ends in the product itself, which a batch norm after it can be folded into
    (`serving/bundle/graph/fold_batch_norm.py`).
    """
    import tensorflow as tf

    kernel = float_constant(enlarging(inner.kernel))
    bias = float_constant(inner.bias)
    channels = inner.kernel.shape[-1]

    def answer(x: Any) -> Any:
        shape = tf.shape(x)
        # sides that are known stay known: later operations are planned by them
        height = 2 * (x.shape[1] or shape[1])
        width = 2 * (x.shape[2] or shape[2])
        goal = tf.stack([shape[0], height, width, channels])
        product = tf.nn.conv2d_transpose(x, kernel, goal, 2, "SAME")
        return tf.nn.bias_add(product, bias) if inner.bias.any() else product

    return answer


def enlarging(kernel: Floats) -> Floats:
    """Converts a kernel [3, 3, in, out] to [4, 4, out, in]: the transposed convolution that
    enlarges by 2 (nearest) and convolves.
    """
    # convolved with the box along rows and columns; a transposed convolution reads its kernel
    # backwards
    return np.einsum("py,qx,yxio->pqoi", BOX, BOX, kernel)[::-1, ::-1]


def early_blocks(kernel: Floats) -> Floats:
    """Converts the kernel [4, 4, out, in] of a transposed convolution with stride 2 to [2, 2, in, 4
    out]: a convolution of the map padded by one pixel that gives the same answers in blocks of 2 x
    2 pixels.

    Blocks begin a pixel early, at -1, since rows 2i - 1 and 2i of the large map read the same two
    rows of the small one.
    """
    phase, tap = np.ogrid[:2, :2]
    # [phase, tap]: row of the kernel through which row 2i - 1 + phase reads row i - 1 + tap
    reads = phase + 2 - 2 * tap
    rows = reads[:, :, None, None]
    columns = reads[None, None]
    picked = kernel[rows, columns]  # [phase, tap, phase, tap, out, in]
    return np.einsum("ptrsoi->tsipro", picked).reshape(2, 2, kernel.shape[3], -1)


def enlarged_blocks(kernel: Floats, bias: Floats) -> Callable[[Any], Any]:
    """Returns a function [B, h, w, in] -> [B, 2h, 2w, out] for few `out`: a transposed convolution
    with stride 2, kernel [4, 4, out, in], computed for four pixels' channels at once.
    """
    import tensorflow as tf

    weights = float_constant(early_blocks(kernel))
    # four pixels' channels lie side by side
    shift = float_constant(np.tile(bias, 4))

    def answer(x: Any) -> Any:
        blocks = tf.nn.bias_add(tf.nn.conv2d(x, weights, 1, ALL_ROUND), shift)
        # blocks begin a pixel early: the first and the last row and column belong to nobody
        return tf.nn.depth_to_space(blocks, 2)[:, 1:-1, 1:-1]

    return answer


def enlarged_answer(
    inner: Convolution, activation: Any, outer: Convolution, sides: tuple[int, int]
) -> Callable[[Any], Any]:
    """Returns a function [B, h, w, in] -> [B, 2h, 2w, out]: enlargement by 2 (nearest),
    convolution, activation, convolution, with the large map in blocks of 2 x 2 pixels.

    sides: (h, w). A block is one pixel of four times the channels, so that both convolutions have
    2 x 2 taps and wide answers. The first one's blocks begin a pixel early (`early_blocks`); the
    second moves them back. What lies beyond the large map's border is set to zero, as padding
    would.
    """
    import tensorflow as tf

    kernel = float_constant(early_blocks(enlarging(inner.kernel)))
    bias = float_constant(np.tile(inner.bias, 4))
    last = float_constant(late_blocks(outer.kernel))
    shift = float_constant(np.tile(outer.bias, 4))
    inside = float_constant(within(*sides, len(inner.bias)))

    def answer(x: Any) -> Any:
        blocks = tf.nn.bias_add(tf.nn.conv2d(x, kernel, 1, ALL_ROUND), bias)
        # padding is zero after the activation, not before it
        blocks = activation(blocks) * inside
        ended = tf.nn.bias_add(tf.nn.conv2d(blocks, last, 1, "VALID"), shift)
        return tf.nn.depth_to_space(ended, 2)

    return answer


def late_blocks(kernel: Floats) -> Floats:
    """Converts a kernel [3, 3, in, out] to [2, 2, 4 in, 4 out]: a convolution of a map in blocks
    that begin a pixel early, to blocks that begin where the map does.
    """
    phase, tap, before, k = np.ogrid[:2, :2, :2, :3]
    reads = 2 * tap + before == phase + k  # row 2i + phase reads row 2i - 1 + 2 tap + before
    blocks = np.einsum("qtpy,usrx,yxio->tspriquo", reads, reads, kernel)
    return blocks.reshape(2, 2, 4 * kernel.shape[2], -1)


def within(height: int, width: int, channels: int) -> Floats:
    """Returns float32 [1, h + 1, w + 1, 4 channels]: 1 where a channel of a block that begins a
    pixel early lies inside the map of 2h x 2w pixels.
    """
    rows = inside_pairs(height)[:, None, :, None, None]
    columns = inside_pairs(width)[None, :, None, :, None]
    inside = rows * columns * np.ones(channels, "float32")
    return inside.reshape(1, height + 1, width + 1, 4 * channels)


def inside_pairs(count: int) -> Floats:
    """Returns [count + 1, 2]: 1 but for the first and the last of pairs that begin a pixel
    early.
    """
    # the outermost row of the first and of the last block is padding
    return np.pad(np.ones(2 * count, "float32"), 1).reshape(count + 1, 2)
