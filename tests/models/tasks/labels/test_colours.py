"""Colour bins cover the gamut; permutations are far apart."""

import numpy as np
import pytest

from models.tasks.labels.colours import bin_centres, rgb_to_lab, soft_encoding
from models.tasks.labels.permutations import permutation_set


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


def test_permutations_differ_in_many_tiles():
    rows = permutation_set(100, 0)
    distance = (rows[:, None] != rows[None]).sum(-1) + 9 * np.eye(100, dtype=int)
    assert (
        distance.min() >= 6
        and (np.sort(rows) == np.arange(9)).all()
        and not (rows == np.arange(9)).all(1).any()
    )


def test_too_many_permutations_are_refused():
    with pytest.raises(ValueError, match="between 1 and"):
        permutation_set(10, 0, 3)
