"""Polygons cut into triangles by clipping ears: right for concave ones, where a fan would fold over
(Meisters, "Polygons have ears", 1975).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.tasks.arrays import Floats

# what a reader notes of polygons without triangles
CROSSED = "polygons that cross themselves are left out"


def triangles(points: Floats) -> list[tuple[int, int, int]]:
    """corners of the n - 2 triangles of a polygon [n, 3]; a convex one is cut as a fan around its
    first corner. [] for one that crosses itself: its corners alone cannot fill it without overlap.
    """
    count = len(points)
    # right for triangles and convex polygons, and the best guess for what has no area
    fan = [(0, i, i + 1) for i in range(1, count - 1)]
    if count < 4:
        return fan
    flat = projected(points)
    # nearly all polygons of exporters are convex: the search for ears is for the others
    if convex(flat):
        return fan
    if crosses_itself(flat):
        return []
    left = list(range(count))
    cut: list[tuple[int, int, int]] = []
    while len(left) > 3:
        ear = next((k for k in range(len(left)) if is_ear(flat, left, k)), None)
        if ear is None:  # without area, or walked along itself: nothing is right
            return fan
        cut.append((left[ear - 1], left[ear], left[(ear + 1) % len(left)]))
        del left[ear]
    return [*cut, (left[0], left[1], left[2])]


def projected(points: Floats) -> Floats:
    """[n, 2] onto the coordinate plane that the polygon faces most, counter-clockwise."""
    following = np.roll(points, -1, 0)
    # the sum over all corners: a single corner may be straight or turn the other way
    normal = np.cross(points - points[0], following - points[0]).sum(0)
    extent = np.ptp(points, axis=0)
    if np.abs(normal).max() > 1e-9 * extent.max() ** 2:
        axis = int(np.abs(normal).argmax())
    else:  # as much to the left as to the right: a bow tie, or no area at all
        axis = int(extent.argmin())
    flat = points[:, [(axis + 1) % 3, (axis + 2) % 3]]
    # mirrored where it faces away, so that turns to the left are positive for every polygon
    return flat if normal[axis] >= 0 else flat * [-1, 1]


def turn(flat: Floats, a: int, b: int, c: int) -> float:
    """twice the signed area of a triangle."""
    one = flat[b] - flat[a]
    two = flat[c] - flat[a]
    return float(one[0] * two[1] - one[1] * two[0])


def convex(flat: Floats) -> bool:
    """does it turn to the left at every corner, and once in all? A pentagram turns twice."""
    count = len(flat)
    # a little below 0: corners in the middle of a straight side
    if not all(turn(flat, i - 1, i, (i + 1) % count) >= -1e-12 for i in range(count)):
        return False
    sides = np.roll(flat, -1, 0) - flat
    # a corner that is there twice has no side in between, and its turn would be lost
    x, y = sides[(sides != 0).any(1)].T
    turns = np.arctan2(
        x * np.roll(y, -1) - y * np.roll(x, -1), x * np.roll(x, -1) + y * np.roll(y, -1)
    )
    return float(turns.sum()) < 3 * np.pi


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
