"""Measures how much a surface changes at every pixel of a range image, and in which direction: 1 on
depth borders, else the spread of normals around it.

After the Point Cloud Library's RangeImageBorderExtractor (Steder, Rusu, Konolige, Burgard 2011),
with its constants. Points are [3, h, w] float32 in the camera frame x right, y down, z away; z = 0:
unseen. Compiled and single threaded: the same input gives the same bits.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from models.provenance.kernels import njit
from models.tasks.arrays import Bools, Bytes, Floats, Scalar
from models.tasks.labels.depth_borders import BORDER, depth_borders, jump

# the original's limit: directions further apart are those of two edges
ACROSS = math.cos(math.radians(120))


def surface_changes(
    points: Floats,
    normal: Floats,
    away: Floats,
    mask: Bools,
    least: float,
    bins: int,
) -> tuple[Floats, Bytes, Bools]:
    """Returns (change [h, w] float32 in [0, 1], 0 below `least`; cell [h, w] uint8: direction;
    usable [h, w] bool: seen, not behind a border).

    normal: [3, h, w] float32 unit; away: [h, w] metres from the camera; mask: where the answer
    matters. Normals are given, not fitted to depth as in the original: faster; on two released
    frames correlation went from 0.740 to 0.770 (Taskonomy) and 0.785 to 0.784 (Replica), at half
    size 0.736 to 0.764 and 0.799 to 0.782.
    """
    border, usable, spread = depth_borders(points, away, mask)
    direction, marked = border_directions(points, away, normal, spread, border)
    looked_at = mask & (marked | restless(normal, least))
    change, cell = changes(points, normal, direction, marked, usable, looked_at, least, bins)
    return change, cell, usable


def restless(normal: Floats, least: float) -> Bools:
    """Returns [h, w] bool, where normals within two pixels may spread by `least`: values in an
    interval of length r have a variance of r^2/4 at most.
    """
    side = np.ones((5, 5), "uint8")
    across = [cv2.dilate(part, side) - cv2.erode(part, side) for part in normal]
    # 4 by the bound above, less what single precision may lose
    longest: Bools = sum(a * a for a in across) > np.float32(3.99 * least * least)
    return longest


@njit(cache=True, nogil=True, error_model="numpy")
def border_directions(
    points: Floats, away: Floats, normal: Floats, spread: Floats, border: Bytes
) -> tuple[Floats, Bools]:
    """Returns (direction [h, w, 3] from a border pixel over its edge, along its own plane, averaged
    over 5 x 5 pixels; marked [h, w], whether a pixel has one).
    """
    raw, has = single_directions(points, normal, border)
    return averaged_directions(raw, has, points, away, spread)


@njit(cache=True, nogil=True, error_model="numpy")
def single_directions(points: Floats, normal: Floats, border: Bytes) -> tuple[Floats, Bools]:
    """Returns (direction [h, w, 3] of each border pixel by itself; [h, w], whether a pixel has
    one).
    """
    height, width = border.shape
    raw = np.zeros((height, width, 3), np.float32)
    has = np.zeros((height, width), np.bool_)
    for y in range(height):
        for x in range(width):
            bits = border[y, x]
            # bits 0 to 3 of a border: left, right, up, down
            dx, dy = ((bits >> 1) & 1) - (bits & 1), ((bits >> 3) & 1) - ((bits >> 2) & 1)
            if dx == 0 and dy == 0:
                continue
            px, py, pz = points[0, y, x], points[1, y, x], points[2, y, x]
            pitch = 1 / (width / 2)
            # the ray of the next pixel, by the slope of this one
            slope = abs(px / pz / ((x + 0.5) * pitch - 1)) * pitch
            rx, ry = px / pz + dx * slope, py / pz + dy * slope
            nx, ny, nz = normal[0, y, x], normal[1, y, x], normal[2, y, x]
            # where that ray meets the plane of this pixel
            facing = nx * rx + ny * ry + nz
            along = (nx * px + ny * py + nz * pz) / facing if abs(facing) > 1e-6 else pz
            ex, ey, ez = along * rx - px, along * ry - py, along - pz
            length = math.sqrt(ex * ex + ey * ey + ez * ez)
            if length > 0:
                raw[y, x, 0] = ex / length
                raw[y, x, 1] = ey / length
                raw[y, x, 2] = ez / length
                has[y, x] = True
    return raw, has


@njit(cache=True, nogil=True, error_model="numpy")
def averaged_directions(
    raw: Floats, has: Bools, points: Floats, away: Floats, spread: Floats
) -> tuple[Floats, Bools]:
    """Returns (mean direction [h, w, 3] of the similar ones within 5 x 5 pixels, no border between;
    marked [h, w]: at least three agree).
    """
    height, width = away.shape
    mean = np.zeros((height, width, 3), np.float32)
    marked = np.zeros((height, width), np.bool_)
    for y in range(height):
        for x in range(width):
            if not has[y, x]:
                continue
            ax, ay, az, n = 0.0, 0.0, 0.0, 0
            for v in range(max(0, y - 2), min(height, y + 3)):
                for u in range(max(0, x - 2), min(width, x + 3)):
                    if not has[v, u]:
                        continue
                    same = v == y and u == x
                    cosine = (
                        raw[v, u, 0] * raw[y, x, 0]
                        + raw[v, u, 1] * raw[y, x, 1]
                        + raw[v, u, 2] * raw[y, x, 2]
                    )
                    # 0.95: a shade below the threshold, as in the original
                    if same or (
                        cosine >= ACROSS
                        and abs(jump(points, away, spread, y, x, v - y, u - x, 1)) < 0.95 * BORDER
                    ):
                        ax += raw[v, u, 0]
                        ay += raw[v, u, 1]
                        az += raw[v, u, 2]
                        n += 1
            length = math.sqrt(ax * ax + ay * ay + az * az)
            if n >= 3 and length > 0:
                mean[y, x, 0] = ax / length
                mean[y, x, 1] = ay / length
                mean[y, x, 2] = az / length
                marked[y, x] = True
    return mean, marked


@njit(cache=True, nogil=True, error_model="numpy")
def changes(
    points: Floats,
    normal: Floats,
    direction: Floats,
    marked: Bools,
    usable: Bools,
    mask: Bools,
    least: float,
    bins: int,
) -> tuple[Floats, Bytes]:
    """Returns (change [h, w], cell [h, w] uint8): 1 and the border's direction on borders;
    elsewhere the root of the largest variance of up to 16 normals around.
    """
    height, width = usable.shape
    change = np.zeros((height, width), np.float32)
    cell = np.zeros((height, width), np.uint8)
    for y in range(height):
        for x in range(width):
            if not (usable[y, x] and mask[y, x]):
                continue
            if marked[y, x]:
                change[y, x] = 1
                cell[y, x] = direction_cell(
                    points, y, x, direction[y, x, 0], direction[y, x, 1], direction[y, x, 2], bins
                )
                continue
            n, xx, xy, xz, yy, yz, zz = covariance(points, normal, usable, y, x)
            if n < 3:
                continue
            if xx + yy + zz < least * least:
                continue  # the largest eigenvalue is no larger than the trace
            value, ex, ey, ez = eigenvector(xx, xy, xz, yy, yz, zz)
            score = math.sqrt(max(value, 0.0))
            if score >= least:
                change[y, x] = score
                cell[y, x] = direction_cell(points, y, x, ex, ey, ez, bins)
    return change, cell


@njit(cache=True, nogil=True, error_model="numpy")
def covariance(
    points: Floats, normal: Floats, usable: Bools, y: int, x: int
) -> tuple[int, Scalar, Scalar, Scalar, Scalar, Scalar, Scalar]:
    """Returns (n, xx, xy, xz, yy, yz, zz), the covariance of the n <= 16 usable normals within two
    pixels in eight directions, no border between; without meaning for n < 3. points, normal: [3, H,
    W]; usable: [H, W].
    """
    height, width = usable.shape
    n = 0
    sx: Scalar = 0.0
    sy: Scalar = 0.0
    sz: Scalar = 0.0
    xx: Scalar = 0.0
    xy: Scalar = 0.0
    xz: Scalar = 0.0
    yy: Scalar = 0.0
    yz: Scalar = 0.0
    zz: Scalar = 0.0
    for beam in range(9):
        dy, dx = beam // 3 - 1, beam % 3 - 1
        if dy == 0 and dx == 0:
            continue
        for k in range(1, 3):
            v, u = y + k * dy, x + k * dx
            if v < 0 or u < 0 or v >= height or u >= width:
                break
            if not usable[v, u]:
                if points[2, v, u] > 0:
                    break  # a border ends the beam; a hole does not
                continue
            # double precision: variances are small differences of large sums
            nx = np.float64(normal[0, v, u])
            ny = np.float64(normal[1, v, u])
            nz = np.float64(normal[2, v, u])
            n += 1
            sx += nx
            sy += ny
            sz += nz
            xx += nx * nx
            xy += nx * ny
            xz += nx * nz
            yy += ny * ny
            yz += ny * nz
            zz += nz * nz
    part = 1 / n if n else 0.0
    xx = (xx - sx * sx * part) * part
    xy = (xy - sx * sy * part) * part
    xz = (xz - sx * sz * part) * part
    yy = (yy - sy * sy * part) * part
    yz = (yz - sy * sz * part) * part
    zz = (zz - sz * sz * part) * part
    return n, xx, xy, xz, yy, yz, zz


@njit(cache=True, nogil=True, error_model="numpy")
def eigenvector(
    xx: float, xy: float, xz: float, yy: float, yz: float, zz: float
) -> tuple[float, float, float, float]:
    """Returns (eigenvalue, x, y, z) of the largest eigenvalue of a symmetric 3 x 3 matrix, in
    closed form (Smith 1961).
    """
    mean = (xx + yy + zz) / 3
    a, b, c = xx - mean, yy - mean, zz - mean
    p = math.sqrt((a * a + b * b + c * c + 2 * (xy * xy + xz * xz + yz * yz)) / 6)
    # a multiple of the identity: every direction is an eigenvector
    if p <= 1e-12 * abs(mean):
        return mean, 0.0, 0.0, 1.0
    half = (a * (b * c - yz * yz) - xy * (xy * c - yz * xz) + xz * (xy * yz - b * xz)) / (
        2 * p * p * p
    )
    # rounding may pass 1
    turn = math.acos(min(max(half, -1.0), 1.0)) / 3
    value = mean + 2 * p * math.cos(turn)
    a, b, c = xx - value, yy - value, zz - value
    # an eigenvector is normal to the rows of A - value: the longest cross product of two of them
    x1, y1, z1 = xy * yz - xz * b, xz * xy - a * yz, a * b - xy * xy
    x2, y2, z2 = xy * c - xz * yz, xz * xz - a * c, a * yz - xy * xz
    x3, y3, z3 = b * c - yz * yz, yz * xz - xy * c, xy * yz - b * xz
    one = x1 * x1 + y1 * y1 + z1 * z1
    two = x2 * x2 + y2 * y2 + z2 * z2
    three = x3 * x3 + y3 * y3 + z3 * z3
    if two > one:
        x1, y1, z1, one = x2, y2, z2, two
    if three > one:
        x1, y1, z1, one = x3, y3, z3, three
    # the largest eigenvalue is there twice: no single direction belongs to it
    if one <= 0:
        return value, 0.0, 0.0, 1.0
    one = 1 / math.sqrt(one)
    return value, x1 * one, y1 * one, z1 * one


@njit(cache=True, nogil=True, error_model="numpy")
def direction_cell(
    points: Floats, y: int, x: int, dx: float, dy: float, dz: float, bins: int
) -> int:
    """Returns the cell of a direction seen along the ray to a pixel: its angle to the image's x
    axis without sign, as the original has it, in `bins` cells of half a turn. points: [3, H, W].
    """
    px, py, pz = points[0, y, x], points[1, y, x], points[2, y, x]
    away, level = math.sqrt(px * px + py * py + pz * pz), math.sqrt(px * px + pz * pz)
    # what of the direction lies across the ray: to the right, and downwards
    first = (dx * pz - dz * px) / level
    second = (dy * level * level - py * (dx * px + dz * pz)) / (level * away)
    flat = math.sqrt(first * first + second * second)
    angle = math.acos(min(max(first / flat, -1.0), 1.0)) if flat > 0 else 0.0
    # without sign: opposite directions are the same
    if angle > math.pi / 2:
        angle -= math.pi
    # a right angle itself would be one cell too far
    return min(int((angle + math.pi / 2) / math.pi * bins), bins - 1)
