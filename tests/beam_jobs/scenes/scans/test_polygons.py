"""Polygons cut into triangles: their area is kept, however they are bent in."""

import numpy as np
import pytest

from beam_jobs.scenes.scans.polygons import triangles


def star(points: int, inner: float) -> np.ndarray:
    turn = np.arange(2 * points) * np.pi / points
    radius = np.where(np.arange(2 * points) % 2, inner, 1.0)
    return np.stack([radius * np.cos(turn), radius * np.sin(turn), 0 * turn], 1)


def area(polygon: np.ndarray) -> float:
    x, y = polygon[:, 0], polygon[:, 1]
    return abs(float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum())) / 2


@pytest.mark.parametrize("points, inner", [(3, 0.2), (5, 0.3), (9, 0.6), (4, 1.0)])
@pytest.mark.parametrize("turned", [False, True])
def test_the_triangles_of_a_star_fill_it_without_overlap(points, inner, turned):
    polygon = star(points, inner)[::-1] if turned else star(points, inner)
    cut = triangles(polygon)
    assert len(cut) == len(polygon) - 2
    assert sum(area(polygon[list(triangle)]) for triangle in cut) == pytest.approx(area(polygon))


def test_a_convex_polygon_is_a_fan():
    assert triangles(star(2, 1.0)) == [(0, 1, 2), (0, 2, 3)]
