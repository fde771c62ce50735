"""Colour bins cover the gamut."""

import numpy as np

from models.tasks.labels.colours import bin_centres, rgb_to_lab, soft_encoding


def test_there_are_313_bins_ten_apart_inside_the_published_box():
    centres = bin_centres()
    assert centres.shape == (313, 2) and len(np.unique(centres, axis=0)) == 313
    assert (centres % 10 == 0).all() and centres.min(0)[0] >= -90 and np.abs(centres).max() <= 110


def test_lab_agrees_with_scikit_image():
    from skimage.color import rgb2lab

    rgb = np.random.default_rng(0).random((40, 3))
    np.testing.assert_allclose(rgb_to_lab(rgb), rgb2lab(rgb), atol=1e-3)


def test_the_weighted_mean_of_the_bins_is_near_the_colour():
    ab = rgb_to_lab(np.random.default_rng(0).random((200, 3)))[:, 1:]
    assert np.linalg.norm(soft_encoding(ab) @ bin_centres() - ab, axis=1).mean() < 3
