"""Kernels put together are what the definition of each step says, written out naively."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from serving.bundle.graph.pixel_blocks import (
    Convolution,
    enlarged_answer,
    enlarged_blocks,
    enlarged_convolution,
    enlarging,
    inside_pairs,
    within,
)

RNG = np.random.default_rng(0)


def drawn(channels_in: int, channels_out: int) -> Convolution:
    return Convolution(
        RNG.normal(size=(3, 3, channels_in, channels_out)), RNG.normal(size=channels_out)
    )


def enlarged_then_convolved(x: np.ndarray, step: Convolution) -> np.ndarray:
    """pixel by pixel: every pixel twice each way, then 3 x 3 with zeros beyond the border."""
    large = x.repeat(2, 1).repeat(2, 2)
    padded = np.pad(large, ((0, 0), (1, 1), (1, 1), (0, 0)))
    height, width = large.shape[1:3]
    answer = np.zeros((len(x), height, width, step.kernel.shape[-1]))
    for row in range(height):
        for column in range(width):
            window = padded[:, row : row + 3, column : column + 3]
            answer[:, row, column] = np.einsum("byxi,yxio->bo", window, step.kernel)
    return answer + step.bias


@pytest.mark.parametrize("height, width", [(3, 5), (1, 1), (4, 2)])
def test_an_enlarged_convolution_is_its_definition(height, width):
    x, step = RNG.normal(size=(2, height, width, 3)), drawn(3, 4)
    expected = enlarged_then_convolved(x, step)
    small = tf.constant(x.astype("float32"))
    for answer in (enlarged_convolution(step), enlarged_blocks(enlarging(step.kernel), step.bias)):
        np.testing.assert_allclose(answer(small), expected, atol=1e-4)


def test_both_convolutions_in_blocks_are_their_definition():
    x, inner, outer = RNG.normal(size=(2, 3, 4, 3)), drawn(3, 5), drawn(5, 2)
    middle = enlarged_then_convolved(x, inner)
    middle = np.where(middle > 0, middle, 0.2 * middle)
    padded = np.pad(middle, ((0, 0), (1, 1), (1, 1), (0, 0)))
    expected = sum(
        padded[:, y : y + 6, z : z + 8] @ outer.kernel[y, z] for y in range(3) for z in range(3)
    )
    activation = keras.layers.LeakyReLU(negative_slope=0.2)
    answer = enlarged_answer(inner, activation, outer, (3, 4))(tf.constant(x.astype("float32")))
    np.testing.assert_allclose(answer, expected + outer.bias, atol=1e-3)


def test_blocks_that_begin_early_reach_one_pixel_beyond_the_map():
    assert inside_pairs(2).tolist() == [[0, 1], [1, 1], [1, 0]]
    inside = within(1, 2, 3)
    assert inside.shape == (1, 2, 3, 12) and inside.sum() == 2 * 4 * 3
