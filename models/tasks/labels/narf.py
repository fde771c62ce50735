"""The interest image of NARF (Steder, Rusu, Konolige, Burgard 2011): where a surface changes in two
directions nearby, but not on the change itself.

The steps and constants are those of the Point Cloud Library's NarfKeypoint, which made the
published labels, with its default settings and a support of 0.3 m. A pixel that changes gives its
score to every pixel within the support, instead of regions growing around every pixel. Surfaces,
borders and changes are found in `surface_change.py`.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from models.provenance.kernels import njit
from models.tasks.arrays import Bools, Bytes, Floats, Integers, Scalar
from models.tasks.labels.surface_change import surface_changes

BINS = 18  # cells of directions in half a turn
LEAST_CHANGE = 0.2  # of a surface; smaller changes do not count
OPTIMAL = 0.25  # share of the radius from which a change does not disturb
PATCH = 10  # pixels that the support spans at least
LANES = 8  # numbers of a vector instruction


def interest(depth: Floats, normal: Floats, field_of_view: float, support: float = 0.3) -> Floats:
    """Returns [S, S] float32 in [0, 1]. depth: metres along the axis, inf unseen; normal: [S, S,
    3], frame x right, y down, z away; support: diameter, metres.

    A surface at some distance is scored at the coarsest scale at which the support still spans
    `PATCH` pixels. Far surfaces need fine scales, near ones not.
    """
    z = np.where(np.isfinite(depth), depth, 0).astype("float32")
    edge = np.tan(field_of_view / 2)
    scales = [places(z, edge)]
    normals = [unit(np.moveaxis(normal, -1, 0).astype("float32", order="C"))]
    while len(z) >= 64:
        finer = usage_start(len(z) // 2, field_of_view, support)
        # nothing is near enough for the next coarser scale
        if nearest(scales[-1][1]) >= finer:
            break
        z = halved(z)
        scales.append(places(z, edge))
        normals.append(unit(shrunk(normals[-1], z.shape)))
    coarsest = len(scales) - 1
    starts = [usage_start(len(z) // 2, field_of_view, support) for _, z in scales[:coarsest]]
    # for each scale, the pixels that the finer one will take from it
    needed = [np.ones(scales[0][1].shape, np.bool_)]
    for level in range(coarsest):
        needed.append(handed_down(needed[level], scales[level][1], np.float32(starts[level])))
    points, away = scales[coarsest]
    radius = support / 2
    score = at_scale(points, away, normals[coarsest], 0.0, needed[coarsest], None, radius)
    for level in reversed(range(coarsest)):
        points, away = scales[level]
        score = at_scale(points, away, normals[level], starts[level], needed[level], score, radius)
    return score


@njit(cache=True, nogil=True)
def handed_down(needed: Bools, away: Floats, start: float) -> Bools:
    """Returns [S
    2, S
    2], whether a pixel of the next coarser scale scores a needed one that is nearer than `start`.
    """
    height, width = away.shape
    coarser = np.zeros((height // 2, width // 2), np.bool_)
    for v in range(height):
        for u in range(width):
            if needed[v, u] and 0 < away[v, u] < start:
                # an odd side loses its last row in halving
                row = min(v // 2, coarser.shape[0] - 1)
                coarser[row, min(u // 2, coarser.shape[1] - 1)] = True
    return coarser


def shrunk(normal: Floats, shape: tuple[int, ...]) -> Floats:
    """Returns [3, h, w], the normals averaged to another shape; OpenCV wants the channels last."""
    small = cv2.resize(cv2.merge(list(normal)), shape, interpolation=cv2.INTER_AREA)
    return np.stack(cv2.split(small))


def usage_start(size: int, field_of_view: float, support: float) -> float:
    """Returns the metres up to which an image of `size` pixels still shows the support as `PATCH`
    pixels.
    """
    # beyond a right angle the tangent would turn over
    return support / math.tan(min(PATCH * field_of_view / size, 1.5))


@njit(cache=True, nogil=True, error_model="numpy")
def unit(normal: Floats) -> Floats:
    """Scales normals [3, h, w] to length 1 in place and returns them; 0 where there is none."""
    for y in range(normal.shape[1]):
        nx, ny, nz = normal[0, y], normal[1, y], normal[2, y]
        for x in range(len(nx)):
            # pixels without a normal stay (0, 0, 0)
            length = math.sqrt(nx[x] * nx[x] + ny[x] * ny[x] + nz[x] * nz[x]) + np.float32(1e-9)
            nx[x], ny[x], nz[x] = nx[x] / length, ny[x] / length, nz[x] / length
    return normal


def nearest(away: Floats) -> float:
    """Returns the metres to the nearest seen point of a map [H, W], inf if none is seen (0: not
    seen).
    """
    return float(away.min(initial=np.inf, where=away > 0))


@njit(cache=True, nogil=True)
def halved(z: Floats) -> Floats:
    """Returns [S
    2, S
    2], the mean seen depth of every 2 x 2 block, 0 where none is seen.
    """
    small = np.zeros((z.shape[0] // 2, z.shape[1] // 2), np.float32)
    for y in range(small.shape[0]):
        for x in range(small.shape[1]):
            total, count = np.float32(0), 0
            for i in range(2):
                for j in range(2):
                    if z[2 * y + i, 2 * x + j] > 0:
                        total += z[2 * y + i, 2 * x + j]
                        count += 1
            if count:
                small[y, x] = total / count
    return small


@njit(cache=True, nogil=True, error_model="numpy")
def places(z: Floats, edge: float) -> tuple[Floats, Floats]:
    """Returns (points [3, S, S] float32 in the camera frame x right, y down, z away; metres from
    the camera [S, S] float32). edge: the outermost ray's slope.
    """
    size = z.shape[0]
    slope = np.empty(size, np.float32)
    for i in range(size):
        slope[i] = edge * ((i + 0.5) / size * 2 - 1)
    points = np.empty((3, size, size), np.float32)
    away = np.empty((size, size), np.float32)
    for y in range(size):
        for x in range(size):
            px, py, pz = slope[x] * z[y, x], slope[y] * z[y, x], z[y, x]
            points[0, y, x], points[1, y, x], points[2, y, x] = px, py, pz
            away[y, x] = math.sqrt(px * px + py * py + pz * pz)
    return points, away


def at_scale(
    points: Floats,
    away: Floats,
    normal: Floats,
    start: float,
    needed: Bools,
    coarser: Floats | None,
    radius: float,
) -> Floats:
    """Returns [h, w], the interest of the `needed` points from `start` metres on; for nearer ones
    that of the coarser scale.
    """
    # from a radius nearer on: pixels there give their scores across the limit
    change, cell, usable = surface_changes(
        points, normal, away, away >= np.float32(start - radius), LEAST_CHANGE, BINS
    )
    near = np.float32(start)
    reach = np.float32(radius)
    # the compiled function takes one type: an array that nobody reads instead of None
    if coarser is None:
        coarser = np.zeros((1, 1), "float32")
    pixels = givers(points, change, reach)
    score: Floats = interesting(
        points, away, pixels, change, cell, usable, needed, near, reach, coarser
    )
    return score


@njit(cache=True, nogil=True, error_model="numpy")
def givers(points: Floats, change: Floats, radius: float) -> Integers:
    """Returns [n, 3] int32 (row, column, pixels that the radius spans) of all pixels that change,
    in raster order.
    """
    height, width = change.shape
    pixels = np.empty((height * width, 3), np.int32)
    n = 0
    for y in range(height):
        for x in range(width):
            if change[y, x] > 0:
                span = int(math.ceil(radius / pixel_spacing(points, y, x)))
                pixels[n, 0] = y
                pixels[n, 1] = x
                # `interesting` looks no further than 2 PATCH rows away
                pixels[n, 2] = min(max(span, 2), 2 * PATCH)
                n += 1
    return pixels[:n]


@njit(cache=True, nogil=True, error_model="numpy")
def pixel_spacing(points: Floats, y: int, x: int) -> float:
    """Returns the metres between neighbouring pixels at the depth of one: its offset from the axis
    over its pixel distance to the centre. points: [3, H, W] m.
    """
    return abs(points[0, y, x] / (x + 0.5 - points.shape[2] / 2))


@njit(cache=True, nogil=True, error_model="numpy")
def interesting(
    points: Floats,
    away: Floats,
    givers: Integers,
    change: Floats,
    cell: Bytes,
    usable: Bools,
    needed: Bools,
    start: float,
    radius: float,
    coarser: Floats,
) -> Floats:
    """Returns [h, w]: root of the best product of two direction cells, weighted by the angle
    between them (1 at a right angle), where free of near changes; without meaning where not needed.

    givers: as `givers` returns them. Points nearer than `start` metres take the coarser scale's.
    Row by row, so that the scores of all directions stay in the fastest cache.
    """
    height, width = change.shape
    score = np.zeros((height, width), np.float32)
    first = 0
    takers = np.full((3, width + LANES), np.float32(np.inf))
    best = np.empty((BINS, width + LANES), np.float32)
    filled = np.empty(BINS, np.bool_)
    clear = np.empty(width + LANES, np.float32)
    for v in range(height):
        best[:] = 0
        filled[:] = False
        clear[:] = 1
        # in raster order: what may reach this row is a window that moves on
        while first < len(givers) and givers[first, 0] < v - 2 * PATCH:
            first += 1
        last = first
        while last < len(givers) and givers[last, 0] <= v + 2 * PATCH:
            last += 1
        left, right = width, 0
        for u in range(width):
            here = needed[v, u] and away[v, u] > 0 and away[v, u] >= start
            if here:
                left, right = min(left, u), u + 1
            for c in range(3):
                takers[c, u] = points[c, v, u] if here else np.float32(np.inf)
        if left < right:
            near = givers[first:last]
            hand_out(
                points, takers, near, change, cell, v, left, right, radius, best, filled, clear
            )
        pair_up(best, np.nonzero(filled)[0], clear, score[v])
        for u in range(width):
            if not usable[v, u]:
                score[v, u] = 0
            elif away[v, u] < start:
                # an odd side loses its last row in halving
                row = min(v // 2, coarser.shape[0] - 1)
                score[v, u] = coarser[row, min(u // 2, coarser.shape[1] - 1)]
    return score


@njit(cache=True, nogil=True, error_model="numpy")
def hand_out(
    points: Floats,
    takers: Floats,
    givers: Integers,
    change: Floats,
    cell: Bytes,
    v: int,
    left: int,
    right: int,
    radius: float,
    best: Floats,
    filled: Bools,
    clear: Floats,
) -> None:
    """Raises row v's `best` scores [BINS, w + LANES] by what pixels give to it, marks the cells
    that are `filled` [BINS], and lowers how `clear` [w + LANES] of changes its pixels are.

    takers: [3, w + LANES] the row's points, inf where no score is wanted: before `left` and from
    `right` on none is. The very next pixels get the whole score, at any distance. Indices are
    unsigned and spans whole multiples of `LANES`, otherwise the compiler makes no vector
    instructions.
    """
    for g in range(len(givers)):
        y, x, reach = givers[g, 0], givers[g, 1], givers[g, 2]
        down, low, high = abs(v - y), max(left, x - reach), min(right, x + reach + 1)
        if down > reach or low >= high:
            continue
        filled[cell[y, x]] = True
        px, py, pz = points[0, y, x], points[1, y, x], points[2, y, x]
        score = change[y, x]
        at = cell[y, x]
        for i in range(np.uint32(low), np.uint32(low + (high - low + LANES - 1) // LANES * LANES)):
            u = np.uint64(i)
            dx, dy, dz = takers[0, u] - px, takers[1, u] - py, takers[2, u] - pz
            squared = dx * dx + dy * dy + dz * dz
            share = math.sqrt(squared) / radius
            inside = (squared <= radius * radius) & (i < np.uint32(high))
            best[at, u] = max(
                best[at, u], score * (np.float32(1) - share) if inside else np.float32(0)
            )
            clear[u] = min(clear[u], clearness(score, share) if inside else np.float32(1))
        if down < 2:
            for beside in range(max(left, x - 1), min(right, x + 2)):
                if takers[2, beside] < np.inf:
                    best[at, beside] = max(best[at, beside], score)


@njit(cache=True, nogil=True, error_model="numpy")
def clearness(score: Scalar, share: Scalar) -> Scalar:
    """Returns how free of a change a pixel is, at a share of the radius from it: from 0.25 to 1."""
    close = np.float32(1) - np.float32(0.5) * score * max(
        np.float32(1) - share * np.float32(1 / OPTIMAL), np.float32(0)
    )
    return close * close


@njit(cache=True, nogil=True, error_model="numpy")
def pair_up(best: Floats, cells: Integers, clear: Floats, score: Floats) -> None:
    """Writes one row's interest [w] into `score` from the scores [BINS, w + LANES] of some
    direction cells.
    """
    width = len(score)
    for i in range(len(cells)):
        for j in range(i + 1, len(cells)):
            one, two = cells[i], cells[j]
            # BINS cells are half a turn: half as many apart, a right angle, are 1
            angle = 2.0 * (two - one) / BINS
            weight = np.float32(min(angle, 2 - angle))
            for u in range(np.uint32(width)):
                score[u] = max(score[u], best[one, u] * best[two, u] * weight)
    for u in range(np.uint32(width)):
        score[u] = clear[u] * math.sqrt(score[u])
