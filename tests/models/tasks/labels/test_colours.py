"""Colour bins cover the gamut."""

import numpy as np

from models.tasks.labels.colours import (
    BINS,
    SIGMA,
    SMALLEST_SQUARE,
    bin_centres,
    rgb_to_lab,
    soft_encoding,
    soft_shares,
    squares,
    ten_nearest,
)


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


def test_the_ten_nearest_bins_are_those_of_a_search_among_all():
    from scipy.spatial import cKDTree

    random = np.random.default_rng(0)
    corners = np.stack(np.meshgrid(*[[0, 0.5, 1]] * 3), -1).reshape(-1, 3)
    shown = rgb_to_lab(np.concatenate([random.random((3000, 3)), corners + 1e-3]))[:, 1:]
    # and what no picture has, far from every bin
    ab = np.concatenate([shown, random.normal(0, 300, (200, 2))])
    distance, index = ten_nearest(ab)
    expected, numbers = cKDTree(bin_centres()).query(ab, k=10)
    np.testing.assert_allclose(np.sort(distance, 1), expected**2, atol=1e-8)
    np.testing.assert_array_equal(np.sort(index, 1), np.sort(numbers, 1))


def test_candidates_of_a_square_are_all_that_are_nearest_to_some_point_of_it():
    table = squares()
    random = np.random.default_rng(0)
    place = np.stack([random.integers(0, n, 500) for n in table.counts.shape], 1)
    # corners too, which several squares share
    within = np.concatenate([random.random((250, 2)), random.integers(0, 2, (250, 2))])
    distance, index = ten_nearest(table.low + (place + within) * SMALLEST_SQUARE)
    for (row, column), ten, far in zip(place, index, distance.max(1)):
        near = table.candidates[row, column, : table.counts[row, column]]
        centre = table.low + (np.array([row, column]) + 0.5) * SMALLEST_SQUARE
        certain = near[: table.certain[row, column]]
        assert len(set(near)) == len(near) and set(certain) <= set(ten) <= set(near)
        reach = np.linalg.norm(bin_centres()[near] - centre, axis=1).max()
        assert reach < far**0.5 + 3 * SMALLEST_SQUARE  # and few others


def test_shares_are_those_of_the_plain_search_also_where_two_centres_are_as_far():
    random = np.random.default_rng(1)
    shown = rgb_to_lab(random.random((2000, 3)))[:, 1:]
    greys = rgb_to_lab(np.repeat(random.random((50, 1)), 3, 1))[:, 1:]
    lattice = np.array([[0.0, 0.0], [10.0, -20.0], [5.0, 5.0], [-15.0, 10.0], [1e4, 1e4]])
    ab = np.concatenate([shown, greys, lattice])
    distance, nearest = ten_nearest(ab)
    weight = np.exp((distance.min(1, keepdims=True) - distance) / (2 * SIGMA**2))
    expected = np.zeros((len(ab), BINS))
    np.put_along_axis(expected, nearest, weight / weight.sum(1, keepdims=True), 1)
    np.testing.assert_array_equal(
        soft_encoding(ab).astype("float16"), expected.astype("float32").astype("float16")
    )
    index, shares = soft_shares(ab)
    np.testing.assert_array_equal(np.sort(index, 1), np.sort(nearest, 1))
    assert shares.dtype == np.float32
