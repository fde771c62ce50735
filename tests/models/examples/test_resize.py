"""Ids and depths are picked, quantities averaged; what fits is left alone."""

import numpy as np
import pytest

from models.examples.resize import resized
from models.tasks import DOMAINS


@pytest.mark.parametrize(
    "folder",
    ["segment_semantic", "segment_unsup2d", "depth_zbuffer", "normal", "principal_curvature"],
)
def test_codes_that_have_no_mean_are_those_of_some_pixel(folder):
    domain, rng = DOMAINS[folder], np.random.default_rng(0)
    shape = (24, 24) + ((domain.channels,) if domain.channels > 1 else ())
    value = rng.integers(0, min(domain.high, 60000) + 1, shape).astype(domain.dtype)
    small = resized(value, domain, 7)
    assert small.shape == (7, 7, *shape[2:]) and small.dtype == value.dtype
    pixels = {tuple(np.atleast_1d(pixel)) for pixel in value.reshape(24 * 24, -1)}
    assert {tuple(np.atleast_1d(pixel)) for pixel in small.reshape(49, -1)} <= pixels


@pytest.mark.parametrize("size", [7, 12])
def test_the_pixel_nearest_to_the_middle_is_picked(size):
    value = np.random.default_rng(0).integers(0, 256, (24, 24, 3)).astype("uint8")
    small = resized(value, DOMAINS["normal"], size)
    for row, column in np.ndindex(size, size):
        place = (int((row + 0.5) * 24 / size), int((column + 0.5) * 24 / size))
        assert (small[row, column] == value[place]).all()


def test_quantities_are_means_over_area():
    value = np.arange(64, dtype="uint16").reshape(8, 8) * 100
    small = resized(value, DOMAINS["edge_texture"], 4)
    expected = value.reshape(4, 2, 4, 2).mean((1, 3))
    np.testing.assert_allclose(small, expected, atol=1)


def test_a_map_of_the_right_size_is_handed_on():
    value = np.zeros((8, 8), "uint16")
    assert resized(value, DOMAINS["depth_zbuffer"], 8) is value
