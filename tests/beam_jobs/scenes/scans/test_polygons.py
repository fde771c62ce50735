"""Polygons cut into triangles: their area is kept, however they are bent in."""

import numpy as np
import pytest

from beam_jobs.scenes.scans.polygons import CROSSED, cut, triangles


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
    cut, sure = triangles(polygon)
    assert len(cut) == len(polygon) - 2 and sure
    assert sum(area(polygon[list(triangle)]) for triangle in cut) == pytest.approx(area(polygon))


def test_a_convex_polygon_is_a_fan():
    assert triangles(star(2, 1.0)) == ([(0, 1, 2), (0, 2, 3)], True)


@pytest.mark.parametrize("points, step", [(5, 2), (7, 2), (7, 3)])
@pytest.mark.parametrize("turned", [1, -1])
def test_a_star_drawn_in_one_stroke_crosses_itself_and_is_refused(points, step, turned):
    corners = np.exp(2j * np.pi * step * np.arange(points) / points)[::turned]
    polygon = np.stack([corners.real, corners.imag, 0 * corners.real], 1)
    assert triangles(polygon) == ([], True)


def test_a_bow_tie_is_refused():
    assert triangles(np.array([[0, 0, 0], [4, 0, 0], [0, 3, 0], [5, 4, 0.0]])) == ([], True)


WALL = [(0, 0), (8, 0), (8, 4), (0, 4)]
# clockwise, each from the corner to which the bridge leads
LEFT, RIGHT = [(1, 1), (1, 3), (3, 3), (3, 1)], [(7, 1), (5, 1), (5, 3), (7, 3)]
NEXT = [(5, 3), (7, 3), (7, 1), (5, 1)]
OUTLINES = {
    "a window": (WALL[:1] + LEFT + LEFT[:1] + WALL, 28),
    "a window, walked on from its bridge": (LEFT + LEFT[:1] + WALL + WALL[:1], 28),
    "a window of each of two corners": (
        WALL[:1] + LEFT + LEFT[:1] + WALL[:2] + RIGHT + RIGHT[:1] + WALL[1:],
        24,
    ),
    "two windows of one corner": (
        WALL[:1] + LEFT + LEFT[:1] + WALL[:1] + RIGHT + RIGHT[:1] + WALL,
        24,
    ),
    "a window behind a window": (
        WALL[:1] + LEFT[:3] + NEXT + NEXT[:1] + LEFT[2:] + LEFT[:1] + WALL,
        24,
    ),
    "a bridge along a side": (
        [(0, 0), (2, 0), (2, 3), (6, 3), (6, 1), (2, 1), (2, 0), (8, 0), (8, 4), (0, 4)],
        24,
    ),
    "a bent corner that is there twice": ([*WALL[:2], (1, 1), (1, 1), WALL[3]], 6),
    "a fold on a side": ([*WALL[:3], (4, 4), (6, 4), (4, 4), WALL[3]], 32),
    "a slit": ([*WALL[:3], (4, 4), (4, 2), (4, 4), WALL[3]], 32),
}


def covered(corners: np.ndarray, places: np.ndarray) -> np.ndarray:
    """[p] how many triangles [t, 3, 2], counter-clockwise, lie over each place [p, 2]."""
    side = np.roll(corners, -1, 1) - corners
    away = places[:, None, None] - corners
    left = side[..., 0] * away[..., 1] - side[..., 1] * away[..., 0] > 0
    return left.all(2).sum(1)


def winding(outline: np.ndarray, places: np.ndarray) -> np.ndarray:
    """[p] how many times the outline [n, 2] goes around each place."""
    away = (outline - places[:, None]) @ [1, 1j]
    return np.round(np.angle(np.roll(away, -1, 1) / away).sum(1) / 2 / np.pi)


@pytest.mark.parametrize("name", OUTLINES)
@pytest.mark.parametrize("turned", [0.0, 0.6])
@pytest.mark.parametrize("first", [0, 3])
@pytest.mark.parametrize("mirrored", [False, True])
def test_holes_that_a_bridge_joins_to_the_outline_stay_open(name, turned, first, mirrored):
    outline, size = OUTLINES[name]
    c, s = np.cos(turned), np.sin(turned)
    flat = np.roll(np.array(outline, float), first, 0) @ [[c, s], [-s, c]]
    polygon = np.column_stack([flat, np.zeros(len(flat))])[:: -1 if mirrored else 1]
    ears, sure = triangles(polygon)
    assert sure and len(ears) == len(outline) - 2
    corners = polygon[np.array(ears)][:, :: -1 if mirrored else 1, :2]
    assert sum(map(area, corners)) == pytest.approx(size)
    places = np.random.default_rng(0).uniform(-1, 10, (2000, 2))
    np.testing.assert_array_equal(covered(corners, places), winding(flat, places))


def test_what_can_only_be_guessed_is_counted_and_said():
    # a figure of eight through one corner, and a walk that turns back into itself
    eight = np.array([(0, 0), (2, 2), (3, 3), (3, 1), (2, 2), (0, 4)])
    folded = np.array([(3, 3), (1, 1), (1, 2), (0, 3), (0, 1), (1, 2)])
    # a window that is walked the same way around as its wall
    filled = np.array(WALL[:1] + LEFT[::-1] + LEFT[-1:] + WALL)
    polygons = [np.column_stack([flat, 0.0 * flat[:, 0]]) for flat in (eight, folded, filled)]
    assert not any(triangles(polygon)[1] for polygon in polygons)
    pieces = cut(np.concatenate([*polygons, star(5, 0.3)]), np.array([6, 6, 10, 10]))
    assert len(pieces.notes) == 1 and "outlines of 3 polygons" in pieces.notes[0]


@pytest.mark.parametrize("kind", ["doubled corner", "corner on a side"])
def test_a_convex_polygon_with_a_corner_too_many_is_still_a_fan(kind):
    square = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0.0]]
    more = square[1] if kind == "doubled corner" else [0.5, 0, 0]
    polygon = np.array([square[0], more, *square[1:]])
    assert triangles(polygon) == ([(0, 1, 2), (0, 2, 3), (0, 3, 4)], True)


def test_many_polygons_at_once_are_cut_as_one_by_one():
    rng = np.random.default_rng(0)
    flat = [np.column_stack([rng.random((n, 2)), np.zeros(n)]) for n in rng.integers(0, 8, 300)]
    polygons = [corners @ np.linalg.qr(rng.normal(size=(3, 3)))[0] for corners in flat]
    polygons += [star(2, 1.0)] * 3 + [star(5, 0.3), star(2, 1.0)[[0, 1, 1, 2, 3]]]
    counts = np.array([len(polygon) for polygon in polygons])
    pieces = cut(np.concatenate(polygons), counts)
    expected = [
        (number, *(np.add(triangle, counts[:number].sum())))
        for number, polygon in enumerate(polygons)
        if len(polygon) > 2
        for triangle in triangles(polygon)[0]
    ]
    assert np.column_stack([pieces.polygon, pieces.corners]).tolist() == [list(t) for t in expected]
    assert pieces.notes == (CROSSED,)


def test_polygons_of_equally_many_corners_are_not_looked_at_one_by_one(monkeypatch):
    """a million quads, as of Replica, took minutes."""
    monkeypatch.setattr("beam_jobs.scenes.scans.polygons.triangles", None)
    pieces = cut(np.tile(star(2, 1.0), (50, 1)), np.full(50, 4))
    assert len(pieces.polygon) == 100 and not pieces.notes
