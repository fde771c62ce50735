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


@pytest.mark.parametrize("points, step", [(5, 2), (7, 2), (7, 3)])
@pytest.mark.parametrize("turned", [1, -1])
def test_a_star_drawn_in_one_stroke_crosses_itself_and_is_refused(points, step, turned):
    corners = np.exp(2j * np.pi * step * np.arange(points) / points)[::turned]
    polygon = np.stack([corners.real, corners.imag, 0 * corners.real], 1)
    assert triangles(polygon) == []


def test_a_bow_tie_is_refused_and_what_only_touches_itself_is_not():
    assert triangles(np.array([[0, 0, 0], [4, 0, 0], [0, 3, 0], [5, 4, 0.0]])) == []
    # a square with a square hole, joined by a cut that is walked there and back
    ring = [[0, 0], [4, 0], [4, 4], [0, 4], [0, 0], [1, 1], [1, 3], [3, 3], [3, 1], [1, 1]]
    polygon = np.array([[x, y, 0.0] for x, y in ring])
    assert len(triangles(polygon)) == len(ring) - 2


@pytest.mark.parametrize("kind", ["doubled corner", "corner on a side"])
def test_a_convex_polygon_with_a_corner_too_many_is_still_a_fan(kind):
    square = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0.0]]
    more = square[1] if kind == "doubled corner" else [0.5, 0, 0]
    polygon = np.array([square[0], more, *square[1:]])
    assert triangles(polygon) == [(0, 1, 2), (0, 2, 3), (0, 3, 4)]
