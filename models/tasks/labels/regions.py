"""Compiled kernels of unsupervised segmentation: Felzenszwalb's regions, their adjacency and means, the best threshold of a cut, canonical ids.

Single threaded and without fast mathematics: the same input gives the same bits. scikit-image's functions are the oracle in the tests.
"""

from __future__ import annotations

import math

import numba
import numpy as np


def over_segmented(image: np.ndarray, scale: float, smallest: int) -> tuple[np.ndarray, int]:
    """([H, W] int32 region ids, their number) of an already smoothed float32 image [H, W, C] (Felzenszwalb and Huttenlocher 2004; scale as scikit-image's).

    Costs are sorted by 16 bits of theirs, ties in raster order: a radix sort, and an order that does not hang on the sorting algorithm.
    """
    cost, first, second = neighbour_costs(np.ascontiguousarray(image, "float32"))
    largest = min(float(cost.max()), 0.25) + 1e-12
    order = np.argsort(np.minimum(cost * np.float32(65535 / largest), 65535).astype("uint16"), kind="stable")
    return merged(cost, first, second, order, image.shape[0], image.shape[1], scale / 255, smallest)


@numba.njit(cache=True, nogil=True)
def neighbour_costs(image):
    """(cost, pixel, pixel) of every pair of 8-neighbours: Euclidean distance of their features."""
    height, width, channels = image.shape
    most = 4 * height * width
    cost, first, second, n = np.empty(most, np.float32), np.empty(most, np.int32), np.empty(most, np.int32), 0
    for y in range(height):
        for x in range(width):
            for way in range(4):
                v, u = y + (0, 1, 1, -1)[way], x + (1, 0, 1, 1)[way]
                if v < 0 or v >= height or u >= width:
                    continue
                total = np.float32(0)
                for c in range(channels):
                    d = image[y, x, c] - image[v, u, c]
                    total += d * d
                cost[n], first[n], second[n] = math.sqrt(total), y * width + x, v * width + u
                n += 1
    return cost[:n], first[:n], second[:n]


@numba.njit(cache=True, nogil=True)
def root(parent, i):
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@numba.njit(cache=True, nogil=True)
def merged(cost, first, second, order, height, width, scale, smallest):
    """([height, width] int32 ids in raster order, their number): regions joined where the edge costs less than both allow, then the small ones."""
    parent, size, inner = np.arange(height * width, dtype=np.int32), np.ones(height * width, np.int32), np.zeros(height * width, np.float32)
    for rescue in range(2):
        for e in order:
            a, b = root(parent, first[e]), root(parent, second[e])
            if a == b:
                continue
            if rescue:
                join = size[a] < smallest or size[b] < smallest
            else:
                join = cost[e] < min(inner[a] + scale / size[a], inner[b] + scale / size[b])
            if join:
                a, b = min(a, b), max(a, b)
                parent[b] = a
                size[a] += size[b]
                inner[a] = cost[e]
    ids, name, count = np.empty((height, width), np.int32), np.full(height * width, np.int32(-1)), 0
    for i in range(height * width):
        r = root(parent, i)
        if name[r] < 0:
            name[r] = count
            count += 1
        ids[i // width, i % width] = name[r]
    return ids, count


@numba.njit(cache=True, nogil=True)
def region_graph(ids, count, features):
    """(touching [count, count] bool, corners included; mean feature of every region [count, C] float64)."""
    height, width, channels = features.shape
    touching, mean, size = np.zeros((count, count), np.bool_), np.zeros((count, channels)), np.zeros(count)
    for y in range(height):
        for x in range(width):
            a = ids[y, x]
            size[a] += 1
            for c in range(channels):
                mean[a, c] += features[y, x, c]
            for way in range(4):
                v, u = y + (0, 1, 1, 1)[way], x + (1, 0, 1, -1)[way]
                if v < height and 0 <= u < width and ids[v, u] != a:
                    touching[a, ids[v, u]] = touching[ids[v, u], a] = True
    return touching, mean / size.reshape(count, 1)


@numba.njit(cache=True, nogil=True)
def best_threshold(vector, weights, degree, steps):
    """(cost, threshold) of the cheapest normalised cut at one of `steps` levels of an eigenvector (cost inf: no level divides it).

    Levels are tried from the top, and the cut is kept up to date as members pass over: n^2 steps in all.
    """
    low, span, total = vector.min(), vector.max() - vector.min(), degree.sum()
    order, taken, inside, cut = np.argsort(-vector), 0, 0.0, 0.0
    best, chosen = np.inf, low
    for step in range(steps - 1, -1, -1):
        level = low + span * step / steps
        while taken < len(order) and vector[order[taken]] > level:
            i = order[taken]
            inside += degree[i]
            cut += degree[i] - weights[i, i]
            for j in order[:taken]:
                cut -= 2 * weights[i, j]
            taken += 1
        if 0 < taken < len(order):
            cost = cut / inside + cut / (total - inside)
            if cost <= best:  # of levels that divide alike the lowest, as when trying from below
                best, chosen = cost, level
    return best, chosen


@numba.njit(cache=True, nogil=True)
def canonical(labels):
    """uint8 ids numbered by first appearance in raster order (an eigenvector's sign is arbitrary); ids past 255 share the last."""
    name, count, out = np.full(labels.max() + 1, -1), 0, np.empty(labels.shape, np.uint8)
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            if name[labels[y, x]] < 0:
                name[labels[y, x]] = count
                count += 1
            out[y, x] = min(name[labels[y, x]], 255)
    return out
