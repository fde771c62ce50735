"""The interest image of NARF (Steder, Rusu, Konolige, Burgard 2011): where a surface changes in two directions nearby, but not on the change itself.

The steps and constants are those of the Point Cloud Library's NarfKeypoint, which made the published labels, with its default settings and a support of
0.3 m. A pixel that changes hands its score to every pixel within the support, instead of regions growing around every pixel.
Surfaces, borders and changes are found in `surface_change.py`.
"""

from __future__ import annotations

import math

import cv2
import numba
import numpy as np

from models.tasks.labels.surface_change import surface_changes

BINS, LEAST_CHANGE, OPTIMAL, PATCH = 18, 0.2, 0.25, 10


def interest(depth: np.ndarray, normal: np.ndarray, field_of_view: float, support: float = 0.3) -> np.ndarray:
    """[S, S] float32 in [0, 1]. depth: metres along the axis, inf unseen; normal: [S, S, 3], frame x right, y down, z away; support: diameter, metres.

    A surface at some distance is scored at the coarsest scale at which the support still spans `PATCH` pixels. Far surfaces need fine scales, near ones not.
    """
    z = np.where(np.isfinite(depth), depth, 0).astype("float32")
    scales, normals = [places(z, field_of_view)], [unit(normal.astype("float32"))]
    while len(scales[-1]) >= 64 and nearest(scales[-1]) < usage_start(len(scales[-1]) // 2, field_of_view, support):
        scales.append(places(halved(scales[-1][..., 2]), field_of_view))
        normals.append(unit(cv2.resize(normals[-1], scales[-1].shape[:2], interpolation=cv2.INTER_AREA)))
    score = None
    for level in reversed(range(len(scales))):
        start = usage_start(len(scales[level]) // 2, field_of_view, support) if level + 1 < len(scales) else 0.0
        score = at_scale(scales[level], normals[level], start, score, support / 2)
    return score


def usage_start(size: int, field_of_view: float, support: float) -> float:
    """metres up to which an image of `size` pixels still shows the support as `PATCH` pixels."""
    return support / math.tan(min(PATCH * field_of_view / size, 1.5))


def unit(normal: np.ndarray) -> np.ndarray:
    """[h, w, 3] of length 1, or 0 where there is none."""
    x, y, z = cv2.split(normal)
    return normal / (np.sqrt(x * x + y * y + z * z) + np.float32(1e-9))[..., None]


def nearest(points: np.ndarray) -> float:
    seen = points[..., 2] > 0
    return float(np.sqrt((points[seen] ** 2).sum(-1).min())) if seen.any() else np.inf


@numba.njit(cache=True, nogil=True)
def halved(z):
    """[S // 2, S // 2] mean seen depth of every 2 x 2 block, 0 where none is seen."""
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


def places(z: np.ndarray, field_of_view: float) -> np.ndarray:
    """[S, S, 3] float32 points in the camera frame x right, y down, z away."""
    scale = (np.tan(field_of_view / 2) * (((np.arange(z.shape[0]) + 0.5) / z.shape[0]) * 2 - 1)).astype("float32")
    return np.stack([scale[None] * z, scale[:, None] * z, z], -1)


def at_scale(points: np.ndarray, normal: np.ndarray, start: float, coarser: np.ndarray | None, radius: float) -> np.ndarray:
    """[h, w] interest of points from `start` metres on; of nearer ones the coarser scale's."""
    x, y, z = cv2.split(points)
    away = np.sqrt(x * x + y * y + z * z)
    change, cell, usable = surface_changes(points, normal, away, away >= np.float32(start - radius), LEAST_CHANGE, BINS)
    histogram, clear = handed_out(points, away, change, cell, np.float32(radius), np.float32(start))
    return best_pairs(histogram, clear, usable, away, np.float32(start), np.zeros((1, 1), "float32") if coarser is None else coarser)


@numba.njit(cache=True, nogil=True)
def handed_out(points, away, change, cell, radius, start):
    """the best score of every direction cell at every pixel from `start` on [h, w, BINS], and how free of near changes it is [h, w]."""
    height, width = change.shape
    histogram, clear = np.zeros((height, width, BINS), np.float32), np.ones((height, width), np.float32)
    for y in range(height):
        for x in range(width):
            score, at = change[y, x], cell[y, x]
            if score <= 0:
                continue
            reach = min(max(int(math.ceil(radius / pixel_spacing(points, y, x))), 2), 2 * PATCH)
            for v in range(max(0, y - reach), min(height, y + reach + 1)):
                for u in range(max(0, x - reach), min(width, x + reach + 1)):
                    if away[v, u] <= 0 or away[v, u] < start:
                        continue
                    far = max(abs(v - y), abs(u - x))
                    dx, dy, dz = points[v, u, 0] - points[y, x, 0], points[v, u, 1] - points[y, x, 1], points[v, u, 2] - points[y, x, 2]
                    squared = dx * dx + dy * dy + dz * dz
                    if far > 2 and squared > radius * radius:
                        continue
                    share = math.sqrt(squared) / radius
                    positive = score if far < 2 else score * (np.float32(1) - share)
                    histogram[v, u, at] = max(histogram[v, u, at], positive)
                    near = np.float32(1) - np.float32(0.5) * score * max(np.float32(1) - share * np.float32(1 / OPTIMAL), np.float32(0))
                    clear[v, u] = min(clear[v, u], near * near)
    return histogram, clear


@numba.njit(cache=True, nogil=True)
def pixel_spacing(points, y, x):
    """metres between neighbouring pixels at the depth of one: the ray's slope over its pixel distance to the centre."""
    half = points.shape[1] / 2
    return abs(points[y, x, 0] / (x + 0.5 - half))


@numba.njit(cache=True, nogil=True)
def best_pairs(histogram, clear, usable, away, start, coarser):
    """[h, w]: root of the best product of two direction cells, weighted by the angle between them (1 at a right angle), where free of near changes."""
    height, width = clear.shape
    found = np.zeros((height, width), np.float32)
    held, value = np.empty(BINS, np.int64), np.empty(BINS, np.float32)
    for y in range(height):
        for x in range(width):
            if not usable[y, x]:
                continue
            if away[y, x] < start:
                found[y, x] = coarser[min(y // 2, coarser.shape[0] - 1), min(x // 2, coarser.shape[1] - 1)]
                continue
            count = 0
            for k in range(BINS):
                if histogram[y, x, k] > 0:
                    held[count], value[count] = k, histogram[y, x, k]
                    count += 1
            best = np.float32(0)
            for i in range(count):
                for j in range(i + 1, count):
                    apart = 2.0 * (held[j] - held[i]) / BINS
                    best = max(best, value[i] * value[j] * np.float32(min(apart, 2 - apart)))
            found[y, x] = clear[y, x] * math.sqrt(best)
    return found
