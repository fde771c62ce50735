"""Polygons cut into triangles: their area is kept, however they are bent in."""

import numpy as np
import pytest

from beam_jobs.scenes.scans.polygons import cut, triangles


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


def test_many_polygons_at_once_are_cut_as_one_by_one():
    rng = np.random.default_rng(0)
    flat = [np.column_stack([rng.random((n, 2)), np.zeros(n)]) for n in rng.integers(0, 8, 300)]
    polygons = [corners @ np.linalg.qr(rng.normal(size=(3, 3)))[0] for corners in flat]
    polygons += [star(2, 1.0)] * 3 + [star(5, 0.3), star(2, 1.0)[[0, 1, 1, 2, 3]]]
    counts = np.array([len(polygon) for polygon in polygons])
    found = cut(np.concatenate(polygons), counts)
    wanted = [
        (number, *(np.add(triangle, counts[:number].sum())))
        for number, polygon in enumerate(polygons)
        if len(polygon) > 2
        for triangle in triangles(polygon)
    ]
    assert np.column_stack([found.polygon, found.corners]).tolist() == [list(t) for t in wanted]
    assert found.crossed


def test_polygons_of_equally_many_corners_are_not_looked_at_one_by_one(monkeypatch):
    """a million quads, as of Replica, took minutes."""
    monkeypatch.setattr("beam_jobs.scenes.scans.polygons.triangles", None)
    found = cut(np.tile(star(2, 1.0), (50, 1)), np.full(50, 4))
    assert len(found.polygon) == 100 and not found.crossed
