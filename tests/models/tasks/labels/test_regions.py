"""Kernels of segmentation against scikit-image, the published annotator's own library, and against
brute force.
"""

import warnings

import cv2
import numpy as np
import pytest
from skimage.segmentation import felzenszwalb

from models.tasks.labels.regions import (
    best_threshold,
    canonical,
    neighbour_costs,
    over_segmented,
    region_graph,
    sorted_pairs,
    subgraph,
)


def blobs(seed: int, channels: int = 3) -> np.ndarray:
    noise = np.random.default_rng(seed).random((64, 64, channels)).astype("float32")
    return cv2.GaussianBlur(noise, (0, 0), 3).reshape(64, 64, channels)


@pytest.mark.parametrize("channels", [3, 5])
@pytest.mark.parametrize("seed", range(4))
def test_regions_are_nearly_those_of_scikit_image(seed, channels):
    """equal costs are sorted in another order, so that a few borders move: the agreed Rand index is
    0.9.
    """
    from beam_jobs.compare.measures import adjusted_rand

    image = blobs(seed, channels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        expected = felzenszwalb(image, scale=20, sigma=0, min_size=20, channel_axis=-1)
    segments, count = over_segmented(image, 20, 20)
    assert count == segments.max() + 1 and np.bincount(segments.ravel()).min() >= 20
    assert adjusted_rand(segments, expected) > 0.9


def test_pairs_come_by_cost_and_equal_ones_in_raster_order():
    planes = np.random.default_rng(0).integers(0, 4, (2, 9, 7)).astype("float32") / 16
    steps, pairs = ((0, 1), (1, 1), (1, 0), (-1, 1)), []
    for y, x in np.ndindex(9, 7):
        for way, (down, right) in enumerate(steps):
            if 0 <= y + down < 9 and x + right < 7:
                apart = np.linalg.norm(planes[:, y, x] - planes[:, y + down, x + right])
                pairs.append((min(apart, 0.25), 4 * (7 * y + x) + way))
    np.testing.assert_array_equal(
        sorted_pairs(neighbour_costs(planes)), [pair for _, pair in sorted(pairs)]
    )


def test_the_graph_knows_neighbours_and_means():
    ids = np.array([[0, 0, 1], [0, 2, 1], [3, 3, 3]], "int32")
    touching, mean = region_graph(ids, 4, np.arange(9.0).reshape(3, 3, 1))
    assert {(a, b) for a, b in zip(*np.nonzero(touching)) if a < b} == {
        (0, 1),
        (0, 2),
        (0, 3),
        (1, 2),
        (1, 3),
        (2, 3),
    }
    np.testing.assert_allclose(mean[:, 0], [4 / 3, 3.5, 4, 7])


@pytest.mark.parametrize("seed", range(5))
def test_the_threshold_is_the_best_of_all_levels(seed):
    rng = np.random.default_rng(seed)
    weights = rng.random((9, 9))
    weights = weights + weights.T
    vector, degree = rng.normal(size=9), weights.sum(1)

    def cost(level):
        side = vector > level
        if side.all() or not side.any():
            return np.inf
        cut = weights[side][:, ~side].sum()
        return cut / degree[side].sum() + cut / degree[~side].sum()

    levels = vector.min() + np.ptp(vector) * np.arange(10) / 10
    threshold, level = best_threshold(vector, weights, degree, 10)
    assert threshold == pytest.approx(min(map(cost, levels))) == pytest.approx(cost(level))


def test_degrees_of_a_part_are_numpys_to_the_bit():
    rng = np.random.default_rng(5)
    weights = rng.random((300, 300))
    for size in (1, 7, 8, 9, 127, 128, 129, 263, 300):
        members = np.sort(rng.permutation(300)[:size])
        part, degree, laplacian = subgraph(weights, members)
        np.testing.assert_array_equal(part, weights[np.ix_(members, members)])
        np.testing.assert_array_equal(degree, part.sum(1))
        inverse = 1 / np.sqrt(degree)
        expected = np.eye(size) - inverse[:, None] * part * inverse
        np.testing.assert_array_equal(laplacian, expected)


def test_ids_are_numbered_in_raster_order():
    labels = np.array([[7, 7, 2], [2, 9, 7]])
    np.testing.assert_array_equal(canonical(labels), [[0, 0, 1], [1, 2, 0]])
    renamed = dict(zip((2, 7, 9), (4, 0, 1)))
    np.testing.assert_array_equal(canonical(labels), canonical(np.vectorize(renamed.get)(labels)))
