"""Depth borders of a range image: where a surface ends in front of another one (obstacle's border)
and where that other one becomes visible again (shadow border).

After the Point Cloud Library's RangeImageBorderExtractor (Steder, Rusu, Konolige, Burgard 2011),
with its constants. Points are [3, h, w] float32 in the camera frame x right, y down, z away; z = 0:
unseen. Compiled and single threaded: the same input gives the same bits. Loops over a whole row
read and write few arrays, since the compiler makes vector instructions only while it can tell them
apart.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np

from models.provenance.kernels import njit
from models.tasks.arrays import Bools, Bytes, Floats

BORDER = 0.8  # score from which a step in depth is a border
REACH = 3  # pixels across which a border is looked for
# (x, y): left, right, up, down; the opposite of way w is w ^ 1.
WAYS = np.array([[-1, 0], [1, 0], [0, -1], [0, 1]])


def depth_borders(points: Floats, away: Floats, mask: Bools) -> tuple[Bytes, Bools, Floats]:
    """Returns (border [h, w] uint8: bit w set on an obstacle's border in way w; usable [h, w] bool:
    seen, and neither shadow border nor between border and shadow; spread [h, w] of
    `neighbourhoods`).
    away: [h, w] metres from the camera; mask: [h, w] bool, where the answer matters.
    """
    rows = framed(points, away)
    spread = neighbourhoods(rows, away, mask & near_steps(points))
    scores = smoothed(border_scores(points, rows, away, spread))
    shadows = shadow_borders(scores)
    border, usable = classified(scores, shadows, away)
    return border, usable, spread


def near_steps(points: Floats) -> Bools:
    """Returns [h, w] bool, whether a pixel is within reach of a step in depth that may be a border:
    a score can pass the threshold only if depth grows by 2.6 pixels' width.
    """
    z = points[2]
    side = np.ones((2 * REACH + 1, 2 * REACH + 1), "uint8")
    width = np.float32(2.6 * slope_of_a_pixel(points[0], z))
    step = (z > 0) & (cv2.dilate(z, side) - z > width * z)
    near: Bools = cv2.dilate(step.astype("uint8"), side) > 0
    return near


def slope_of_a_pixel(x: Floats, z: Floats) -> Any:
    """Returns by how much the rays of neighbouring pixels differ in x/z, from those in the outer
    columns; 0 where these see nothing. x, z: [H, W] m.
    """
    if not (z[:, [0, -1]] > 0).any():
        return 0.0
    middle = z.shape[1] // 2
    with np.errstate(invalid="ignore", divide="ignore"):
        outermost = np.append(x[:, 0] / z[:, 0], x[:, -1] / -z[:, -1])
    return np.nanmax(outermost / (0.5 - middle))


# numpy's error model everywhere: a division by zero gives inf; Python's would have to raise, and a
# loop that may raise is not made into vector instructions
@njit(cache=True, nogil=True, error_model="numpy")
def framed(points: Floats, away: Floats) -> Floats:
    """Returns [3, h + 2 REACH, w + 2 REACH] float32: the seen points, inf elsewhere and in a frame
    around, so that a whole row can be compared with a shifted one.
    """
    height, width = away.shape
    rows = np.full((3, height + 2 * REACH, width + 2 * REACH), np.float32(np.inf))
    for c in range(3):
        for y in range(height):
            for x in range(width):
                if away[y, x] > 0:
                    rows[c, y + REACH, x + REACH] = points[c, y, x]
    return rows


@njit(cache=True, nogil=True, error_model="numpy")
def neighbourhoods(rows: Floats, away: Floats, mask: Bools) -> Floats:
    """Returns [h, w] float32: squared distance of the ninth nearest of the 25 pixels around (itself
    the first), m^2; -1 where nothing is seen or the mask is false.

    A whole row at a time, which the compiler turns into vector instructions: each of 24 shifted
    rows of distances is sorted into the eight smallest.
    """
    height, width = away.shape
    spread = np.full((height, width), np.float32(-1))
    eight = np.empty((9, width), np.float32)
    for y in range(height):
        if not mask[y].any():
            continue
        eight[:] = np.inf
        for beside in range(24):
            # 24 neighbours of 5 x 5: the twelfth is the pixel itself
            square = beside + (beside > 11)
            squared_distances(rows, y + REACH, square // 5 - 2, square % 5 - 2, eight)
            for place in range(0, min(beside + 1, 8), 2):
                sort_in(eight, place)
        for x in range(width):
            if mask[y, x] and away[y, x] > 0:
                # with fewer than eight seen neighbours, the farthest of those that there are
                place = 7
                while place >= 0 and eight[place, x] == np.inf:
                    place -= 1
                spread[y, x] = eight[place, x] if place >= 0 else np.float32(0)
    return spread


@njit(cache=True, nogil=True, error_model="numpy")
def squared_distances(rows: Floats, y: int, down: int, right: int, out: Floats) -> None:
    """Writes |there - here|^2 [w] into the last row of `out`, inf where either is unseen (inf)."""
    last = len(out) - 1
    v = y + down
    for x in range(np.uint32(out.shape[1])):
        # unsigned: an index that could be negative counts from the end, and the test for it costs
        # the vector instructions
        u = np.uint64(x + np.uint32(REACH))
        w = np.uint64(x + np.uint32(REACH + right))
        dx = rows[0, v, w] - rows[0, y, u]
        dy = rows[1, v, w] - rows[1, y, u]
        dz = rows[2, v, w] - rows[2, y, u]
        out[last, np.uint64(x)] = dx * dx + dy * dy + dz * dz


@njit(cache=True, nogil=True, error_model="numpy")
def sort_in(rows: Floats, place: int) -> None:
    """Orders, pixel by pixel, of rows [n, W] row `place`, the one after it and the last one, so
    that the largest value is in the last; the first two are in order before.
    """
    last = len(rows) - 1
    for i in range(np.uint32(rows.shape[1])):
        x = np.uint64(i)
        one, two, three = rows[place, x], rows[place + 1, x], rows[last, x]
        rows[place, x] = min(one, three)
        rows[place + 1, x] = min(two, max(one, three))
        rows[last, x] = max(two, three)


@njit(cache=True, nogil=True, error_model="numpy")
def border_scores(points: Floats, rows: Floats, away: Floats, spread: Floats) -> Floats:
    """Returns [4, h, w] in [-1, 1]: `jump` in each of `WAYS` over `REACH` pixels; computed for
    whole rows at a time, and for single pixels where one of the three is unseen.
    """
    height, width = away.shape
    scores = np.zeros((4, height, width), np.float32)
    mean = np.empty((3, width))
    for y in range(height):
        if spread[y].max() < 0:
            continue
        for way in range(4):
            dx, dy = WAYS[way, 0], WAYS[way, 1]
            for c in range(3):
                first, second, third = REACH + dx, REACH + 2 * dx, REACH + 3 * dx
                mean_of_three(
                    rows[c, y + REACH + dy, first : first + width],
                    rows[c, y + REACH + 2 * dy, second : second + width],
                    rows[c, y + REACH + 3 * dy, third : third + width],
                    mean[c],
                )
            jumps(
                mean[0],
                mean[1],
                mean[2],
                points[0, y],
                points[1, y],
                points[2, y],
                spread[y],
                away[y],
                scores[way, y],
            )
            for x in range(width):
                if spread[y, x] >= 0 and mean[2, x] == np.inf:
                    scores[way, y, x] = jump(points, away, spread, y, x, dy, dx, REACH)
    return scores


@njit(cache=True, nogil=True, error_model="numpy")
def mean_of_three(first: Floats, second: Floats, third: Floats, out: Floats) -> None:
    """Writes the mean of three rows [W] into `out` [W]."""
    for x in range(len(out)):
        # double precision as in `jump`, which gives the other pixels of the row
        out[x] = (np.float64(first[x]) + second[x] + third[x]) / 3


@njit(cache=True, nogil=True, error_model="numpy")
def jumps(
    mx: Floats,
    my: Floats,
    mz: Floats,
    px: Floats,
    py: Floats,
    pz: Floats,
    spread: Floats,
    away: Floats,
    out: Floats,
) -> None:
    """Writes `jump` from pixels p to means m for a row [w] into `out`; 0 where spread is
    negative.
    """
    for x in range(len(out)):
        dx, dy, dz = mx[x] - px[x], my[x] - py[x], mz[x] - pz[x]
        squared = dx * dx + dy * dy + dz * dz
        score = 1 - math.sqrt(spread[x] / squared)
        nearer = math.sqrt(mx[x] * mx[x] + my[x] * my[x] + mz[x] * mz[x]) < away[x]
        score = -score if nearer else score
        # `&` and no `and`: a branch would cost the vector instructions
        out[x] = score if (spread[x] >= 0) & (squared > spread[x]) else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def jump(
    points: Floats, away: Floats, spread: Floats, y: int, x: int, dy: int, dx: int, count: int
) -> float:
    """Returns in [-1, 1] how far the mean of up to `count` pixels in direction (dy, dx) lies
    outside the pixel's own neighbourhood; negative if nearer to the camera.
    """
    height, width = away.shape
    sx, sy, sz, n = 0.0, 0.0, 0.0, 0
    for k in range(1, count + 1):
        v, u = y + k * dy, x + k * dx
        if v < 0 or u < 0 or v >= height or u >= width or away[v, u] <= 0:
            if k == 1:
                return 0.0
            continue
        sx += points[0, v, u]
        sy += points[1, v, u]
        sz += points[2, v, u]
        n += 1
    sx, sy, sz = sx / n, sy / n, sz / n
    ex, ey, ez = sx - points[0, y, x], sy - points[1, y, x], sz - points[2, y, x]
    squared = ex * ex + ey * ey + ez * ez
    if squared <= spread[y, x]:
        return 0.0
    score = 1 - math.sqrt(spread[y, x] / squared)
    return -score if math.sqrt(sx * sx + sy * sy + sz * sz) < away[y, x] else score


@njit(cache=True, nogil=True, error_model="numpy")
def smoothed(scores: Floats) -> Floats:
    """Returns scores [4, H, W], one for each way, raised by half of their eight neighbours' mean
    where both agree in sign.
    """
    _, height, width = scores.shape
    raised = scores.copy()
    for way in range(4):
        for y in range(height):
            for x in range(width):
                score = scores[way, y, x]
                if score < np.float32(2 * BORDER - 1):
                    continue  # could not pass even if all around were 1
                total, n = 0.0, 0
                for v in range(max(0, y - 1), min(height, y + 2)):
                    for u in range(max(0, x - 1), min(width, x + 2)):
                        total += scores[way, v, u]
                        n += 1
                mean = (total - score) / (n - 1)
                if mean * score >= 0:
                    raised[way, y, x] = score + 0.5 * mean * (1 - abs(score))
    return raised


@njit(cache=True, nogil=True, error_model="numpy")
def shadow_borders(scores: Floats) -> Bytes:
    """Returns [4, h, w] uint8: how many pixels behind an obstacle's border its shadow border lies,
    0 where there is none. Lowers `scores` accordingly, in place.
    """
    _, height, width = scores.shape
    distance = np.zeros(scores.shape, np.uint8)
    for way in range(4):
        dx, dy = WAYS[way, 0], WAYS[way, 1]
        for y in range(height):
            for x in range(width):
                if scores[way, y, x] < BORDER:
                    continue
                best, at = 0.0, 0
                for k in range(1, REACH + 1):
                    v, u = y + k * dy, x + k * dx
                    if 0 <= v < height and 0 <= u < width and scores[way ^ 1, v, u] < best:
                        best, at = scores[way ^ 1, v, u], k
                if at:
                    # the original's: a faint shadow takes a tenth off at most
                    scores[way, y, x] *= max(0.9, 1 - (1 + best) ** 3)
                if at and scores[way, y, x] >= BORDER:
                    distance[way, y, x] = at
                else:
                    scores[way, y, x] = 0
    return distance


@njit(cache=True, nogil=True, error_model="numpy")
def classified(scores: Floats, shadows: Bytes, away: Floats) -> tuple[Bytes, Bools]:
    """Returns (border [h, w] uint8: bit w set on an obstacle's border in way w; usable [h, w]:
    seen, and neither shadow border nor between border and shadow).
    """
    height, width = away.shape
    border = np.zeros((height, width), np.uint8)
    usable = away > 0
    for way in range(4):
        dx, dy = WAYS[way, 0], WAYS[way, 1]
        for y in range(height):
            for x in range(width):
                shadow = shadows[way, y, x]
                if not shadow:
                    continue
                score, largest = scores[way, y, x], True
                if (
                    0 <= y - dy < height
                    and 0 <= x - dx < width
                    and scores[way, y - dy, x - dx] > score
                ):
                    largest = False
                for k in range(1, shadow):
                    largest = largest and scores[way, y + k * dy, x + k * dx] <= score
                if largest:
                    border[y, x] |= 1 << way
                    for k in range(1, shadow + 1):
                        usable[y + k * dy, x + k * dx] = False
    return border, usable
