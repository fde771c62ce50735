"""Pictures beyond their border: it goes on, they begin again, or go back, in colour and in what a
mask cuts out.
"""

import numpy as np
import pytest

from beam_jobs.scenes.scans.masks import texels
from beam_jobs.scenes.scans.parts import BORDER, MIRROR, REPEAT
from beam_jobs.scenes.scans.textures import Pictures, levels

# of a row of four texels, numbers from 4 before its first
BEYOND = {
    BORDER: [0, 0, 0, 0, 0, 1, 2, 3, 3, 3, 3, 3],
    REPEAT: [0, 1, 2, 3] * 3,
    MIRROR: [3, 2, 1, 0, 0, 1, 2, 3, 3, 2, 1, 0],
}
MIDDLES = (np.arange(-4, 8) + 0.5) / 4


@pytest.mark.parametrize("wrap", BEYOND)
@pytest.mark.parametrize("axis", [0, 1])
def test_a_picture_beyond_its_border(wrap, axis):
    row = np.arange(4)
    picture = (row[None] if axis == 0 else row[::-1, None])[..., None] * np.array([50, 10, 1])
    wraps = np.full((1, 2), BORDER)
    wraps[0, axis] = wrap
    uv = np.full((12, 2), 0.5)
    uv[:, axis] = MIDDLES
    colour = np.ones((12, 3))
    pictures = Pictures((picture.astype("uint8"),), wraps)
    pictures.paint(np.zeros(12, "int64"), uv, np.ones(12), colour)
    np.testing.assert_allclose(colour[:, 0] * 255 / 50, BEYOND[wrap], atol=1e-9)


@pytest.mark.parametrize("wrap", BEYOND)
def test_texels_of_a_triangle_are_those_that_are_seen_there(wrap):
    row = np.arange(4)[None] / 4
    for place, expected in zip(MIDDLES, BEYOND[wrap]):
        uv = np.array([[place - 0.1, 0.5], [place + 0.1, 0.5], [place, 0.6]])
        texel_set = set((texels(row, uv, (wrap, BORDER)) * 4).ravel())
        # the neighbours are blended at its edges
        assert expected in texel_set and texel_set <= {expected - 1, expected, expected + 1, 0, 3}
    wide = np.array([[-5, 0.5], [9, 0.5], [2, 0.5]])
    assert set((texels(row, wide, (wrap, wrap)) * 4).ravel()) == {0, 1, 2, 3}


@pytest.mark.parametrize("side, count", [(1, 6), (64, 6), (1024, 6), (1025, 7), (16384, 10)])
def test_larger_pictures_have_more_levels(side, count):
    assert levels(side, 1) == levels(1, side) == count


def test_a_pixel_that_spans_much_of_a_large_picture_is_the_mean_of_it():
    """speckle of 32 texels, which is still black and white when it is halved five times."""
    speckle = np.indices((128, 128)).sum(0) % 2 * 200
    large = speckle.repeat(32, 0).repeat(32, 1)[..., None].repeat(3, 2).astype("uint8")
    small = np.zeros((4, 4, 3), "uint8")
    pictures = Pictures((small, large), np.full((2, 2), REPEAT))
    uv = np.random.default_rng(0).random((50, 2))
    for number, expected in ((1, 100 / 255), (0, 0)):
        colour = np.ones((50, 3))
        pictures.paint(np.full(50, number), uv, np.full(50, 128.0), colour)
        np.testing.assert_allclose(colour, expected, atol=0.01)
