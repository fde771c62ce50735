"""Cuts polygons into triangles by clipping ears. This is right for concave ones, where a fan would
fold over (Meisters, "Polygons have ears", 1975), and for those with holes, whose outline goes into
each hole and back by a bridge, so that the bridge's corners are there twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from models.tasks.arrays import Bools, Floats, Integers

# what a reader notes of polygons without triangles
CROSSED = "polygons that cross themselves are left out"
GUESSED = (
    "the outlines of {count} polygons do not say what is inside: they are cut as can be guessed, "
    "which may fill holes; export the mesh as triangles"
)
Triangle = tuple[int, int, int]


class Cut(NamedTuple):
    """Triangles of many polygons, polygon by polygon. corners [t, 3]: where each stands in the list
    of all polygons' corners; polygon [t]: its number; notes: what a person should know.
    """

    corners: Integers
    polygon: Integers
    notes: tuple[str, ...]


def cut(points: Floats, counts: Integers) -> Cut:
    """Returns the triangles of polygons, each cut as by `triangles`. points [c, 3]: corners, one
    polygon behind the other; counts [n]: how many each has. Fewer than three are no polygon.
    """
    starts = np.cumsum(counts) - counts
    corners = [np.zeros((0, 3), "int64")]
    polygon = [np.zeros(0, "int64")]
    crossed = False
    guessed = 0
    # all polygons of equally many corners at once, since files may hold a million quads
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
            triples, sure = triangles(points[start : start + count])
            crossed |= not triples
            guessed += not sure
            corners.append(start + np.array(triples, "int64").reshape(-1, 3))
            polygon.append(np.full(len(triples), number))
    numbers = np.concatenate(polygon)
    order = np.argsort(numbers, kind="stable")
    notes = [CROSSED] * crossed + [GUESSED.format(count=guessed)] * bool(guessed)
    return Cut(np.concatenate(corners)[order], numbers[order], tuple(notes))


def triangles(points: Floats) -> tuple[list[Triangle], bool]:
    """Returns (corners of the n - 2 triangles of a polygon [n, 3], whether they are sure to be
    right). A convex one is cut as a fan around its first corner. [] for one that crosses itself:
    its corners alone cannot fill it without overlap. Not sure: a fan, where nothing can be cut off
    or sides cross at corners; and an outline that goes around twice.
    """
    count = len(points)
    # right for triangles and convex polygons, and the best guess for what has no ears
    fan = [(0, i, i + 1) for i in range(1, count - 1)]
    if count < 4:
        return fan, True
    flat = projected(points[None])[0]
    # nearly all polygons of exporters are convex; only the others need the search for ears
    if convex(flat[None])[0]:
        return fan, True
    if crosses_itself(flat):
        return [], True
    outline = list(range(count))
    ears: list[Triangle] = []
    while len(outline) > 3:
        numbers = range(len(outline))
        k = next((k for may_go in ORDER for k in numbers if may_go(flat, outline, k)), None)
        if k is None:
            return fan, False
        ears.append(corner(outline, k))
        del outline[k]
    # what crosses itself at its own corners ends in a triangle that is turned over
    sure = turn(flat, *outline) >= -rounding(flat)
    if not sure:
        return fan, False
    return [*ears, (outline[0], outline[1], outline[2])], not around_twice(flat)


def projected(points: Floats) -> Floats:
    """Returns the polygons [m, n, 3] as [m, n, 2], each on the coordinate plane that it faces most,
    counter-clockwise.
    """
    away = points - points[:, :1]
    # the sum over all corners: a single corner may be straight or turn the other way
    normal = np.cross(away, np.roll(away, -1, 1)).sum(1)
    extent = np.ptp(points, axis=1)
    broad = np.abs(normal).max(1) > 1e-9 * extent.max(1) ** 2
    # not broad: as much area to the left as to the right (a bow tie), or none at all
    axis = np.where(broad, np.abs(normal).argmax(1), extent.argmin(1))[:, None]
    planes = np.concatenate([(axis + 1) % 3, (axis + 2) % 3], 1)
    flat = np.take_along_axis(points, planes[:, None], 2)
    # mirrored where it faces away, so that turns to the left are positive for every polygon
    behind = np.take_along_axis(normal, axis, 1) < 0
    flat[..., 0] *= np.where(behind, -1.0, 1.0)
    return flat


def turn(flat: Floats, a: int, b: int, c: int) -> float:
    """Returns twice the signed area of the triangle of three of the points [n, 2]."""
    one = flat[b] - flat[a]
    two = flat[c] - flat[a]
    return float(one[0] * two[1] - one[1] * two[0])


def convex(flat: Floats) -> Bools:
    """Returns [m] bool, whether each polygon [m, n, 2] turns to the left at every corner, and goes
    around once. A pentagram goes around twice.
    """
    before = np.roll(flat, 1, 1)
    one = flat - before
    two = np.roll(flat, -1, 1) - before
    # a little below 0: corners in the middle of a straight side
    turns_left = (one[..., 0] * two[..., 1] - one[..., 1] * two[..., 0] >= -1e-12).all(1)
    sides = np.roll(flat, -1, 1) - flat
    is_convex = turns_left & (turned(sides) < 3 * np.pi) & ~folded(sides)
    # a corner that is there twice has no side in between, and its turn would be lost
    there = (sides != 0).any(2)
    for number in np.flatnonzero(turns_left & ~there.all(1)):
        is_convex[number] = convex(flat[number, there[number]][None])[0]
    return np.asarray(is_convex)


def turned(sides: Floats) -> Floats:
    """Returns [m] radians that polygons with sides [m, n, 2] turn to the left over all corners."""
    x, y = sides[..., 0], sides[..., 1]
    following = np.roll(sides, -1, 1)
    cross = x * following[..., 1] - y * following[..., 0]
    return np.asarray(np.arctan2(cross, (sides * following).sum(2)).sum(1))


def folded(sides: Floats) -> Bools:
    """Returns [m] bool, whether polygons with sides [m, n, 2] somewhere go back the way
    they came.
    """
    x, y = sides[..., 0], sides[..., 1]
    following = np.roll(sides, -1, 1)
    straight = x * following[..., 1] - y * following[..., 0] == 0
    return np.asarray((straight & ((sides * following).sum(2) < 0)).any(1))


def around_twice(flat: Floats) -> bool:
    """Returns whether an outline [n, 2] that does not cross itself goes around twice. It does if it
    goes around a hole the same way as around itself: then its triangles cover the hole.
    """
    sides = np.roll(flat, -1, 0) - flat
    sides = sides[None, (sides != 0).any(1)]
    # a fold is half a turn to whichever side: nothing is known then
    return bool(~folded(sides)[0] & (turned(sides)[0] > 3 * np.pi))


def crosses_itself(flat: Floats) -> bool:
    """Returns whether a side of an outline [n, 2] goes through another one. Sides that touch, or
    lie in each other, do not.
    """
    ends = np.roll(flat, -1, 0)
    side = ends - flat
    # [i, j]: on which side of side i its start and its end have corner j
    away = flat[None] - flat[:, None]
    area = side[:, None, 0] * away[..., 1] - side[:, None, 1] * away[..., 0]
    start = np.where(np.abs(area) > rounding(flat), np.sign(area), 0)
    parted = start * np.roll(start, -1, 1) < 0
    return bool((parted & parted.T).any())


def corner(outline: Sequence[int], k: int) -> Triangle:
    """Returns corner k of those that are left, between the one before it and the one behind it."""
    return outline[k - 1], outline[k], outline[(k + 1) % len(outline)]


def is_ear(flat: Floats, outline: Sequence[int], k: int) -> bool:
    """Returns whether corner k sticks out and no other corner lies in the triangle that it cuts
    off. flat: [n, 2]; outline: the corners that are not cut off yet.
    """
    a, b, c = corner(outline, k)
    # a corner that turns inwards, or lies on a straight side, is no ear
    if turn(flat, a, b, c) <= 0:
        return False
    for j, d in enumerate(outline):
        if d in (a, b, c) or turn(flat, a, b, d) < 0:
            continue
        if turn(flat, b, c, d) < 0 or turn(flat, c, a, d) < 0:
            continue
        # a bridge's corners are there twice, and do not block themselves
        if not any((flat[d] == flat[e]).all() for e in (a, b, c)):
            return False
        # unless the outline goes from there into the triangle, and leaves it by the cut
        before, _, behind = corner(outline, j)
        if (flat[d] == flat[b]).all() and any(
            turn(flat, a, b, e) > 0 and turn(flat, b, c, e) > 0 for e in (before, behind)
        ):
            return False
    return True


def is_fold(flat: Floats, outline: Sequence[int], k: int) -> bool:
    """Returns whether the outline of the corners `outline` of flat [n, 2] at corner k goes back the
    way it came, or stands still.
    """
    a, b, c = corner(outline, k)
    back = float((flat[a] - flat[b]) @ (flat[c] - flat[b]))
    return back >= 0 and turn(flat, a, b, c) == 0


def is_straight(flat: Floats, outline: Sequence[int], k: int) -> bool:
    """Returns whether the triangle of corner k of an outline of flat [n, 2] has no area."""
    return abs(turn(flat, *corner(outline, k))) <= rounding(flat)


# Which corner is cut off next. Folds go first: they have no area, and their corners would block
# others. Straight ones go last: of a bridge that is cut off on both sides only a line is left.
ORDER = (is_fold, is_ear, is_straight)


def rounding(flat: Floats) -> float:
    """Returns the area, in squares of the unit, up to which rounding may turn 0, for coordinates
    [n, 2] of this size.
    """
    return 1e-9 * float(np.ptp(flat, axis=0).max()) ** 2
