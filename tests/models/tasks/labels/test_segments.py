"""Normalised cuts of region graphs, and the segmentations of whole pictures."""

import itertools

import cv2
import numpy as np

from models.tasks.labels.regions import best_threshold, over_segmented
from models.tasks.labels.segments import cut_in_two, normalised_cuts, segment_unsup2d


def test_two_groups_that_hardly_touch_are_cut_apart():
    weights = np.full((6, 6), 1e-4)
    weights[:3, :3] = weights[3:, 3:] = 1
    everyone = np.arange(6)
    halves = cut_in_two(weights, everyone, 0.1, 10)
    assert sorted(half.tolist() for half in halves) == [[0, 1, 2], [3, 4, 5]]
    assert cut_in_two(np.ones((6, 6)), everyone, 0.1, 10) is None


def test_a_part_of_a_graph_is_cut_as_if_it_were_alone():
    weights = np.ones((8, 8))
    weights[np.ix_([1, 3, 4, 7], [1, 3, 4, 7])] = np.full((4, 4), 1e-4)
    for pair in ([1, 4], [3, 7]):
        weights[np.ix_(pair, pair)] = 1
    halves = cut_in_two(weights, np.array([1, 3, 4, 7]), 0.1, 10)
    assert sorted(half.tolist() for half in halves) == [[1, 4], [3, 7]]


def test_no_cut_costs_less_than_the_second_eigenvalue():
    """so that graphs above it are left whole without a look at their cuts"""
    rng = np.random.default_rng(0)
    cut = 0
    for size in range(3, 33):
        weights = np.exp(-4 * rng.random((size, size)))
        weights = weights + weights.T
        degree = weights.sum(1)
        values, vectors = np.linalg.eigh(np.eye(size) - weights / np.sqrt(np.outer(degree, degree)))
        cost = best_threshold(vectors[:, 1], weights, degree, 10)[0]
        assert cost >= values[1]
        # just below and just above the cheapest cut
        assert cut_in_two(weights, np.arange(size), cost * 0.999, 10) is None
        cut += cut_in_two(weights, np.arange(size), cost * 1.001, 10) is not None
    assert cut == 30


def test_cuts_join_regions_and_never_split_one():
    noise = np.random.default_rng(1).random((64, 64, 3)).astype("float32")
    image = cv2.GaussianBlur(noise, (0, 0), 3)
    regions, count = over_segmented(image, 5, 10)
    labels = normalised_cuts(regions, count, image * 255, 0.05, 10, 2.0)
    assert (
        len(set(zip(regions.ravel(), labels.ravel()))) == count
        and 1 <= len(np.unique(labels)) <= count
    )


def test_four_coloured_quarters_are_four_segments():
    picture = np.zeros((128, 128, 3), "uint8")
    for (i, j), colour in zip(
        itertools.product(range(2), range(2)),
        ([250, 20, 20], [20, 250, 20], [20, 20, 250], [230, 230, 20]),
    ):
        picture[64 * i : 64 * i + 64, 64 * j : 64 * j + 64] = colour
    segments = segment_unsup2d(picture)
    assert len({segments[20, 20], segments[20, 100], segments[100, 20], segments[100, 100]}) == 4
    np.testing.assert_array_equal(segments, segment_unsup2d(picture))
