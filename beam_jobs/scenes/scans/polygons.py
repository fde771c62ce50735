"""Polygons cut into triangles by clipping ears: right for concave ones, where a fan would fold over
(Meisters, "Polygons have ears", 1975).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from models.tasks.arrays import Bools, Floats, Integers

# what a reader notes of polygons without triangles
CROSSED = "polygons that cross themselves are left out"


class Cut(NamedTuple):
    """Triangles of many polygons, polygon by polygon. corners [t, 3]: where each stands in the list
    of all polygons' corners; polygon [t]: its number; crossed: is one left out that has none?
    """

    corners: Integers
    polygon: Integers
    crossed: bool


def cut(points: Floats, counts: Integers) -> Cut:
    """the triangles of polygons, each as `triangles`. points [c, 3]: corners, one polygon behind
    the other; counts [n]: how many each has. Fewer than three are no polygon.
    """
    starts = np.cumsum(counts) - counts
    corners = [np.zeros((0, 3), "int64")]
    polygon = [np.zeros(0, "int64")]
    crossed = False
    # files of a million quads: those of equally many corners at once
    for count in np.unique(counts[counts > 2]):
        alike = np.flatnonzero(counts == count)
        first = starts[alike]
        fans = np.ones(len(alike), bool)
        if count > 3:
            fans = convex(projected(points[first[:, None] + np.arange(count)]))
        fan = np.stack([np.zeros(count - 2, "int64"), *(np.arange(count - 2) + k for k in (1, 2))])
        corners.append((first[fans, None, None] + fan.T).reshape(-1, 3))
        polygon.append(np.repeat(alike[fans], count - 2))
        for number, start in zip(alike[~fans], first[~fans]):
            found = triangles(points[start : start + count])
            crossed |= not found
            corners.append(start + np.array(found, "int64").reshape(-1, 3))
            polygon.append(np.full(len(found), number))
    numbers = np.concatenate(polygon)
    order = np.argsort(numbers, kind="stable")
    return Cut(np.concatenate(corners)[order], numbers[order], crossed)


def triangles(points: Floats) -> list[tuple[int, int, int]]:
    """corners of the n - 2 triangles of a polygon [n, 3]; a convex one is cut as a fan around its
    first corner. [] for one that crosses itself: its corners alone cannot fill it without overlap.
    """
    count = len(points)
    # right for triangles and convex polygons, and the best guess for what has no area
    fan = [(0, i, i + 1) for i in range(1, count - 1)]
    if count < 4:
        return fan
    flat = projected(points[None])[0]
    # nearly all polygons of exporters are convex: the search for ears is for the others
    if convex(flat[None])[0]:
        return fan
    if crosses_itself(flat):
        return []
    left = list(range(count))
    ears: list[tuple[int, int, int]] = []
    while len(left) > 3:
        ear = next((k for k in range(len(left)) if is_ear(flat, left, k)), None)
        if ear is None:  # without area, or walked along itself: nothing is right
            return fan
        ears.append((left[ear - 1], left[ear], left[(ear + 1) % len(left)]))
        del left[ear]
    return [*ears, (left[0], left[1], left[2])]


def projected(points: Floats) -> Floats:
    """[m, n, 2] polygons [m, n, 3], each onto the coordinate plane that it faces most,
    counter-clockwise.
    """
    away = points - points[:, :1]
    # the sum over all corners: a single corner may be straight or turn the other way
    normal = np.cross(away, np.roll(away, -1, 1)).sum(1)
    extent = np.ptp(points, axis=1)
    broad = np.abs(normal).max(1) > 1e-9 * extent.max(1) ** 2
    # else as much to the left as to the right: a bow tie, or no area at all
    axis = np.where(broad, np.abs(normal).argmax(1), extent.argmin(1))[:, None]
    planes = np.concatenate([(axis + 1) % 3, (axis + 2) % 3], 1)
    flat = np.take_along_axis(points, planes[:, None], 2)
    # mirrored where it faces away, so that turns to the left are positive for every polygon
    behind = np.take_along_axis(normal, axis, 1) < 0
    flat[..., 0] *= np.where(behind, -1.0, 1.0)
    return flat


def turn(flat: Floats, a: int, b: int, c: int) -> float:
    """twice the signed area of a triangle."""
    one = flat[b] - flat[a]
    two = flat[c] - flat[a]
    return float(one[0] * two[1] - one[1] * two[0])


def convex(flat: Floats) -> Bools:
    """[m] does each polygon [m, n, 2] turn to the left at every corner, and once in all? A
    pentagram turns twice.
    """
    before = np.roll(flat, 1, 1)
    one = flat - before
    two = np.roll(flat, -1, 1) - before
    # a little below 0: corners in the middle of a straight side
    left = (one[..., 0] * two[..., 1] - one[..., 1] * two[..., 0] >= -1e-12).all(1)
    sides = np.roll(flat, -1, 1) - flat
    around = turned(sides)
    # a corner that is there twice has no side in between, and its turn would be lost
    there = (sides != 0).any(2)
    for number in np.flatnonzero(left & ~there.all(1)):
        around[number] = turned(sides[number, there[number]][None])[0]
    return np.asarray(left & (around < 3 * np.pi))


def turned(sides: Floats) -> Floats:
    """[m] radians to the left over all corners of polygons with sides [m, n, 2]."""
    x, y = sides[..., 0], sides[..., 1]
    following = np.roll(sides, -1, 1)
    cross = x * following[..., 1] - y * following[..., 0]
    return np.asarray(np.arctan2(cross, (sides * following).sum(2)).sum(1))


def crosses_itself(flat: Floats) -> bool:
    """does a side go through another one? Sides that touch, or lie in each other, do not."""
    ends = np.roll(flat, -1, 0)
    side = ends - flat
    # [i, j]: on which side of side i its start and its end have corner j
    away = flat[None] - flat[:, None]
    area = side[:, None, 0] * away[..., 1] - side[:, None, 1] * away[..., 0]
    # what rounding leaves of 0, for coordinates of this size
    least = 1e-9 * float(np.ptp(flat, axis=0).max()) ** 2
    start = np.where(np.abs(area) > least, np.sign(area), 0)
    parted = start * np.roll(start, -1, 1) < 0
    return bool((parted & parted.T).any())


def is_ear(flat: Floats, left: Sequence[int], k: int) -> bool:
    """does corner k stick out, and does no other corner lie in the triangle that it cuts off?"""
    a, b, c = left[k - 1], left[k], left[(k + 1) % len(left)]
    # a corner that turns inwards, or lies on a straight side, is no ear
    if turn(flat, a, b, c) <= 0:
        return False
    others = (d for d in left if d not in (a, b, c))
    return not any(
        turn(flat, a, b, d) >= 0 and turn(flat, b, c, d) >= 0 and turn(flat, c, a, d) >= 0
        for d in others
    )
