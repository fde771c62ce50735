"""Polygons cut into triangles by clipping ears: right for concave ones, where a fan would fold over
(Meisters, "Polygons have ears", 1975).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.tasks.arrays import Floats


def triangles(points: Floats) -> list[tuple[int, int, int]]:
    """corners of the n - 2 triangles of a polygon [n, 3]; a convex one is cut as a fan around its
    first corner.
    """
    count = len(points)
    # right for triangles and convex polygons, and the best guess for what crosses itself
    fan = [(0, i, i + 1) for i in range(1, count - 1)]
    if count < 4:
        return fan
    flat = projected(points)
    # nearly all polygons of exporters are convex: the search for ears is for the others
    if convex(flat):
        return fan
    left = list(range(count))
    cut: list[tuple[int, int, int]] = []
    while len(left) > 3:
        ear = next((k for k in range(len(left)) if is_ear(flat, left, k)), None)
        if ear is None:  # it crosses itself: nothing is right
            return fan
        cut.append((left[ear - 1], left[ear], left[(ear + 1) % len(left)]))
        del left[ear]
    return [*cut, (left[0], left[1], left[2])]


def projected(points: Floats) -> Floats:
    """[n, 2] onto the coordinate plane that the polygon faces most, counter-clockwise."""
    following = np.roll(points, -1, 0)
    # the sum over all corners: a single corner may be straight or turn the other way
    normal = np.cross(points - points[0], following - points[0]).sum(0)
    axis = int(np.abs(normal).argmax())
    flat = points[:, [(axis + 1) % 3, (axis + 2) % 3]]
    # mirrored where it faces away, so that turns to the left are positive for every polygon
    return flat if normal[axis] >= 0 else flat * [-1, 1]


def turn(flat: Floats, a: int, b: int, c: int) -> float:
    """twice the signed area of a triangle."""
    one = flat[b] - flat[a]
    two = flat[c] - flat[a]
    return float(one[0] * two[1] - one[1] * two[0])


def convex(flat: Floats) -> bool:
    count = len(flat)
    # a little below 0: corners in the middle of a straight side
    return all(turn(flat, i - 1, i, (i + 1) % count) >= -1e-12 for i in range(count))


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
