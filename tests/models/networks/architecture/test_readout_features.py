"""The arithmetic that the learner (numpy) and the exported layers (keras.ops) share."""

import keras
import numpy as np
import pytest

from models.networks.architecture.readout_features import (
    global_kernel,
    global_parts,
    kernel_of_samples,
    local_kernel,
    local_parts,
    neighbourhoods,
)

RNG = np.random.default_rng(0)


def test_neighbourhoods_are_what_a_convolution_sees():
    maps = np.random.default_rng(0).normal(size=(2, 5, 5, 3)).astype("float32")
    kernel = np.random.default_rng(1).normal(size=(3, 3, 3, 4)).astype("float32")
    np.testing.assert_allclose(
        neighbourhoods(maps, np) @ kernel.reshape(27, 4),
        np.asarray(keras.ops.conv(maps, kernel, padding="same")),
        atol=1e-4,
    )


def test_the_middle_tap_is_the_map_itself_and_the_border_is_zero():
    maps = RNG.normal(size=(1, 4, 4, 2))
    taps = neighbourhoods(maps, np)
    np.testing.assert_array_equal(taps[..., 8:10], maps)
    assert not taps[0, 0, :, :6].any()


def test_tensors_have_the_features_of_arrays():
    maps = RNG.normal(size=(2, 4, 5, 3)).astype("float32")
    kernel, bias = local_kernel(3, 6, seed=1)
    near = neighbourhoods(maps, np)
    np.testing.assert_array_equal(
        neighbourhoods(keras.ops.convert_to_tensor(maps), keras.ops), near
    )
    for found, expected in zip(
        local_parts(keras.ops.convert_to_tensor(near), kernel, bias, keras.ops),
        local_parts(near, kernel, bias, np),
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    flat = maps.reshape(2, -1)
    kernel = global_kernel(60, 6, seed=1)
    for found, expected in zip(
        global_parts(keras.ops.convert_to_tensor(flat), kernel, keras.ops),
        global_parts(flat, kernel, np),
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("views", [1, 2, 3])
def test_a_kernel_of_samples_is_the_mean_plus_the_product_for_several_views(views):
    parts = [RNG.random((3, 2)) for _ in range(views)]
    product = np.prod(parts, 0) if views > 1 else 0
    np.testing.assert_allclose(kernel_of_samples(parts), np.mean(parts, 0) + product)
