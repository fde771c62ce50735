"""Kernels of surface change against numpy: covariance of normals, its largest eigenvector, and what
cannot change.
"""

import numpy as np
import pytest

from models.tasks.labels.narf import places
from models.tasks.labels.surface_change import (
    changes,
    covariance,
    direction_cell,
    eigenvector,
    restless,
)

EVERYWHERE = np.ones((9, 9), bool)


def normals(seed: int, size: int = 9) -> np.ndarray:
    """[3, size, size] float32, of length 1."""
    vectors = np.random.default_rng(seed).normal(size=(3, size, size)).astype("float32")
    return vectors / np.linalg.norm(vectors, axis=0)


def flat(size: int = 9):
    """(points, metres away) of a wall two metres away."""
    return places(np.full((size, size), 2.0, "float32"), 0.5)


def star(y: int, x: int) -> list[tuple[int, int]]:
    """the sixteen pixels within two steps in eight directions."""
    ways = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)]
    return [(y + k * i, x + k * j) for i, j in ways for k in (1, 2)]


def test_the_covariance_is_that_of_the_normals_of_a_star():
    points, _ = flat()
    normal = normals(0)
    n, *moments = covariance(points, normal, EVERYWHERE, 4, 4)
    around = np.array([normal[:, y, x] for y, x in star(4, 4)], "float64")
    expected = np.cov(around, rowvar=False, bias=True)
    assert n == 16
    np.testing.assert_allclose(moments, expected[np.triu_indices(3)], atol=1e-12)


def test_a_border_ends_a_beam_and_a_hole_does_not():
    points, _ = flat()
    usable = EVERYWHERE.copy()
    usable[4, 5] = False  # seen, but a border
    assert covariance(points, normals(1), usable, 4, 4)[0] == 14
    points[:, 4, 5] = 0  # not seen
    assert covariance(points, normals(1), usable, 4, 4)[0] == 15


def test_a_pixel_with_nothing_around_has_no_covariance():
    points, _ = flat()
    assert covariance(points, normals(1), np.zeros((9, 9), bool), 4, 4)[0] == 0


@pytest.mark.parametrize("seed", range(20))
def test_the_eigenvector_is_that_of_numpy_but_for_its_sign(seed):
    root = np.random.default_rng(seed).normal(size=(3, 3))
    matrix = root @ root.T
    value, *vector = eigenvector(*matrix[np.triu_indices(3)])
    values, vectors = np.linalg.eigh(matrix)
    assert value == pytest.approx(values[-1], rel=1e-9)
    assert abs(np.dot(vector, vectors[:, -1])) == pytest.approx(1, abs=1e-6)


def test_a_matrix_without_a_direction_gives_one_all_the_same():
    assert eigenvector(2.0, 0.0, 0.0, 2.0, 0.0, 2.0) == (2.0, 0.0, 0.0, 1.0)


def test_a_direction_and_its_opposite_share_a_cell_and_a_right_angle_is_half_the_cells():
    points, _ = flat()
    at = direction_cell(points, 4, 4, 1.0, 0.0, 0.0, 18)
    assert direction_cell(points, 4, 4, -1.0, 0.0, 0.0, 18) == at
    assert abs(direction_cell(points, 4, 4, 0.0, 1.0, 0.0, 18) - at) in (8, 9)


@pytest.mark.parametrize("tilt", [0.42, 0.8])
def test_only_restless_pixels_can_change(tilt):
    """a tilt of 0.42 spreads the normals around the crease by hardly more than the least change of
    0.2.
    """
    rng = np.random.default_rng(0)
    steps = (rng.random((10, 10)) > 0.7).repeat(4, 0).repeat(4, 1)
    depth = (2 + 0.05 * rng.random((40, 40)) + steps).astype("float32")
    depth[rng.random((40, 40)) < 0.05] = 0
    points, away = places(depth, 0.5)
    normal = np.zeros((3, 40, 40), "float32")
    normal[2] = -1
    normal[0, 20:] = tilt
    lively = restless(normal, 0.2)
    none = np.zeros((40, 40), bool)
    direction = np.zeros((40, 40, 3), "float32")
    change, _ = changes(points, normal, direction, none, away > 0, ~none, 0.2, 18)
    assert (change[19:21] > 0.2).any() and not change[~lively].any()
    assert not lively[[5, 35]].any()
