"""Lightness of bytes: the served network's, and skimage's."""

import numpy as np
import pytest
from keras import ops
from skimage.color import rgb2lab

from models.networks.training.inputs import lightness
from models.networks.training.lightness import TOGETHER, lightness_of


def pictures(*shape):
    return np.random.default_rng(3).integers(0, 256, (*shape, 3), dtype="uint8")


GREYS = np.repeat(np.arange(256, dtype="uint8")[:, None], 3, 1)


@pytest.mark.parametrize("images", [GREYS, pictures(2, 1, 33, 41), pictures(2, 2 * TOGETHER)[1:]])
def test_lightness_of_bytes_is_that_of_their_pictures(images):
    expected = ops.convert_to_numpy(
        lightness(ops.convert_to_tensor(images.astype("float32") / 255))
    )
    values = lightness_of(images)
    assert values.dtype == np.float32 and values.shape == (*images.shape[:-1], 1)
    np.testing.assert_allclose(values, expected, atol=1e-6)


def test_pictures_that_are_views_of_others_are_read_as_they_look():
    images = pictures(2, 20, 20)
    for part in (images[:, ::-1], images[:, 3:17:2], images.transpose(0, 2, 1, 3)):
        np.testing.assert_array_equal(lightness_of(part), lightness_of(part.copy()))


def test_lightness_is_that_of_skimage():
    images = pictures(30, 30)
    expected = rgb2lab(images)[..., :1] / 50 - 1
    np.testing.assert_allclose(lightness_of(images), expected, atol=2e-3)


def test_black_and_white_are_the_ends():
    assert lightness_of(GREYS[[0, 255]]).ravel().tolist() == pytest.approx([-1, 1], abs=1e-5)
