"""Smoothing of maps, against SciPy's Gaussian."""

import keras
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from models.networks.architecture.smoothing import Smoothed, smoothing_matrix


@pytest.mark.parametrize("width", [1 / 64, 1 / 16, 3 / 16])
def test_it_is_a_gaussian_with_a_repeated_border(width):
    maps = np.random.default_rng(0).random((2, 32, 32, 3)).astype("float32")
    deviation = width * 32
    # SciPy's reach is rounded, ours rounded up
    reach = int(np.ceil(3 * deviation))
    expected = gaussian_filter(
        maps, (0, deviation, deviation, 0), mode="nearest", radius=(0, reach, reach, 0)
    )
    answer = keras.ops.convert_to_numpy(Smoothed(32, width)(maps))
    np.testing.assert_allclose(answer, expected, atol=1e-5)


def test_a_flat_map_and_a_width_of_zero_change_nothing():
    flat = np.full((1, 16, 16, 2), 0.7, "float32")
    answer = keras.ops.convert_to_numpy(Smoothed(16, 0.1)(flat))
    np.testing.assert_allclose(answer, flat, atol=1e-6)
    np.testing.assert_array_equal(smoothing_matrix(16, 0.0), np.eye(16))
