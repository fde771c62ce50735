"""Compiled look-ups against their definitions in float64."""

import numpy as np
import pytest

from beam_jobs.scenes.render.shading import _height, _texture, pyramid

PLACES = np.random.default_rng(0).uniform(-3, 3, (200, 2)).astype("float32")


def bilinear(lattice: np.ndarray, x: float, y: float) -> np.ndarray:
    """of a periodic lattice [S, S, n] at column x, row y."""
    left, above = int(np.floor(x)), int(np.floor(y))

    def at(row, column):
        return lattice[row % len(lattice), column % len(lattice)].astype("float64")

    fx, fy = x - left, y - above
    return (at(above, left) * (1 - fx) + at(above, left + 1) * fx) * (1 - fy) + (
        at(above + 1, left) * (1 - fx) + at(above + 1, left + 1) * fx
    ) * fy


@pytest.mark.parametrize("level", [0, 2, 6])
def test_a_texture_is_looked_up_between_the_middles_of_its_texels_and_repeats(level):
    texels, sides = pyramid(np.random.default_rng(1).random((1, 128, 128, 3)))
    start, side, out = int((sides[:level] ** 2).sum()), int(sides[level]), np.empty(3, "float32")
    picture = texels[0, start : start + side**2].reshape(side, side, 3)
    for u, v in [*PLACES, (np.float32(0), np.float32(1)), (np.float32(-1e-9), np.float32(0.5))]:
        _texture(texels[0], start, side, u, v, out)
        np.testing.assert_allclose(
            out, bilinear(picture, float(u) * side - 0.5, float(v) * side - 0.5), atol=2e-4
        )


def test_a_relief_is_exact_on_its_lattice_and_linear_between():
    heights, out = (
        np.random.default_rng(2).random((128, 128, 6)).astype("float32"),
        np.empty(6, "float32"),
    )
    for u, v in [*PLACES, (np.float32(5 / 128), np.float32(-3 / 128))]:
        _height(heights, u, v, out)
        np.testing.assert_allclose(
            out, bilinear(heights, float(u) * 128, float(v) * 128), atol=2e-4
        )
    np.testing.assert_array_equal(out, heights[125, 5])


def test_textures_without_a_power_of_two_are_refused():
    with pytest.raises(ValueError, match="power of two, got 96"):
        pyramid(np.zeros((1, 96, 96, 3)))
