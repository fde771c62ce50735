"""Compiled kernels of unsupervised segmentation: Felzenszwalb's regions, their adjacency and means,
the best threshold of a cut, canonical ids.

Single threaded and without fast mathematics: the same input gives the same bits. scikit-image's
functions are the oracle in the tests.
"""

from __future__ import annotations

import math

import numpy as np

from models.provenance.kernels import njit
from models.tasks.arrays import Bools, Bytes, Floats, Integers, Scalar


def over_segmented(image: Floats, scale: float, smallest: int) -> tuple[Integers, int]:
    """Returns ([H, W] int32 region ids, their number) of an already smoothed float32 image [H, W,
    C] (Felzenszwalb and Huttenlocher 2004; scale as scikit-image's).

    Costs are sorted in 16 bits, ties in raster order: this is quick, and the order does not depend
    on the sorting algorithm.
    """
    cost = neighbour_costs(np.ascontiguousarray(np.moveaxis(image, -1, 0), "float32"))
    # scikit-image divides its scale alike
    ids, count = merged(cost, sorted_pairs(cost), scale / 255, smallest)
    return ids, count


@njit(cache=True, nogil=True)
def neighbour_costs(planes: Floats) -> Floats:
    """Returns [4, H, W] float32: Euclidean distance of a pixel's features to those of its right,
    lower right, lower and upper right neighbour; inf: no such pixel.

    planes: [C, H, W] float32.
    """
    channels, height, width = planes.shape
    cost = np.full((4, height, width), np.float32(np.inf))
    for way in range(4):
        # four of eight neighbours: pairs with the other four are theirs
        down, right = (0, 1, 1, -1)[way], (1, 1, 0, 1)[way]
        for y in range(max(0, -down), height - max(0, down)):
            row = cost[way, y, : width - right]
            row[:] = 0
            for c in range(channels):
                here, there = planes[c, y], planes[c, y + down, right:]
                for x in range(width - right):
                    d = here[x] - there[x]
                    row[x] += d * d
            for x in range(width - right):
                row[x] = math.sqrt(row[x])
    return cost


@njit(cache=True, nogil=True, error_model="numpy")
def sorted_pairs(cost: Floats) -> Integers:
    """Returns [pairs] int32, 4 * pixel + way for every pair of neighbours, sorted by its cost [4,
    H, W] in 16 bits (65535: the largest cost, at most 0.25), ties in the order of that number:
    counting sort.
    """
    pixels = cost[0].size
    flat = cost.reshape(-1)
    largest: Scalar = np.float32(0)
    for i in range(len(flat)):
        largest = max(largest, flat[i] if flat[i] < np.inf else np.float32(0))
    highest: Scalar = min(np.float64(largest), 0.25)
    # in a picture of one colour all costs are 0
    factor = np.float32(65535 / (highest + 1e-12))
    key = np.empty(len(flat), np.int32)
    # 32 bits: the places that are looked up pair by pair take half as much of the cache
    start = np.zeros(65537, np.int32)
    order = np.empty(len(flat), np.int32)
    for i in range(len(flat)):
        if flat[i] < np.inf:
            key[i] = np.int32(min(flat[i] * factor, np.float32(65535)))
        else:
            # no such neighbour: behind all keys
            key[i] = np.int32(65536)
    for i in range(len(flat)):
        if key[i] < 65536:
            start[key[i] + 1] += 1
    for k in range(65536):
        start[k + 1] += start[k]
    for pixel in range(pixels):
        for way in range(4):
            k = key[way * pixels + pixel]
            if k < 65536:
                order[start[k]] = 4 * pixel + way
                start[k] += 1
    # every start has moved on to the end of its key: the last one to the number of all pairs
    return order[: start[65535]]


@njit(cache=True, nogil=True)
def root(parent: Integers, i: int) -> int:
    """Returns the region that pixel i has been joined to, by the parent [pixels] of each; paths are
    halved on the way.
    """
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@njit(cache=True, nogil=True)
def join(parent: Integers, size: Integers, a: int, b: int) -> int:
    """Joins two regions and returns the root of their union: that of the larger one. parent, size:
    [pixels], changed in place.
    """
    if size[a] < size[b]:
        a, b = b, a
    parent[b] = a
    size[a] += size[b]
    return a


@njit(cache=True, nogil=True, error_model="numpy")
def merged(cost: Floats, pairs: Integers, scale: float, smallest: int) -> tuple[Integers, int]:
    """Returns ([H, W] int32 ids in raster order, their number): regions are joined where the pair
    costs less than both allow, then the small ones.

    cost: [4, H, W]; pairs: 4 * pixel + way in ascending order of cost. Three of four pairs lie
    within one region by then: a first look at a block of pairs, two parents up and without a
    branch, drops most of them.
    """
    _, height, width = cost.shape
    parent = np.arange(height * width, dtype=np.int32)
    size = np.ones(height * width, np.int32)
    # of a single pixel: no pair within it, and scale over a size of 1
    allowed = np.full(height * width, scale)
    offset = np.array([1, width + 1, width, 1 - width])
    flat = cost.reshape(4, height * width)
    block = 256
    waiting = np.empty(256, np.int32)
    border_pairs = np.empty_like(pairs)
    count = 0
    for start in range(0, len(pairs), block):
        waiting_count = 0
        for pair in pairs[start : start + block]:
            waiting[waiting_count] = pair
            waiting_count += (
                parent[parent[pair >> 2]] != parent[parent[(pair >> 2) + offset[pair & 3]]]
            )
        for pair in waiting[:waiting_count]:
            a, b = root(parent, pair >> 2), root(parent, (pair >> 2) + offset[pair & 3])
            if a == b:
                continue
            price = flat[pair & 3, pair >> 2]
            if price < min(allowed[a], allowed[b]):
                a = join(parent, size, a, b)
                # Felzenszwalb and Huttenlocher's MInt: the dearest pair within a region, plus scale
                # over size
                allowed[a] = price + scale / size[a]
            else:
                border_pairs[count] = pair
                count += 1
    for pair in border_pairs[:count]:
        a, b = root(parent, pair >> 2), root(parent, (pair >> 2) + offset[pair & 3])
        if a != b and (size[a] < smallest or size[b] < smallest):
            join(parent, size, a, b)
    ids = np.empty((height, width), np.int32)
    name = np.full(height * width, np.int32(-1))
    count = 0
    for i in range(height * width):
        r = root(parent, i)
        if name[r] < 0:
            name[r] = count
            count += 1
        ids[i // width, i % width] = name[r]
    return ids, count


@njit(cache=True, nogil=True)
def region_graph(ids: Integers, count: int, features: Floats) -> tuple[Bools, Floats]:
    """Returns (touching [count, count] bool, corners included; mean feature of every region [count,
    C] float64).
    """
    height, width, channels = features.shape
    touching = np.zeros((count, count), np.bool_)
    mean = np.zeros((count, channels))
    size = np.zeros(count)
    for y in range(height):
        for x in range(width):
            a = ids[y, x]
            size[a] += 1
            for c in range(channels):
                mean[a, c] += features[y, x, c]
            for way in range(4):
                # half of the neighbours: pairs are entered both ways
                v, u = y + (0, 1, 1, 1)[way], x + (1, 0, 1, -1)[way]
                if v < height and 0 <= u < width and ids[v, u] != a:
                    touching[a, ids[v, u]] = touching[ids[v, u], a] = True
    return touching, mean / size.reshape(count, 1)


def subgraph(weights: Floats, members: Integers) -> tuple[Floats, Floats, Floats]:
    """Returns (rows and columns `members` of a matrix [n, n]; their sums [n]; its normalised
    Laplacian [n, n], column by column as LAPACK wants it: the identity less the weights over the
    roots of both degrees).
    """
    n = len(members)
    # made here: an array that a kernel hands back takes ten times as long as numpy's own
    part, degree, laplacian = np.empty((n, n)), np.empty(n), np.empty((n, n)).T
    fill_subgraph(weights, members, part, degree, laplacian)
    return part, degree, laplacian


@njit(cache=True, nogil=True, error_model="numpy")
def fill_subgraph(
    weights: Floats, members: Integers, part: Floats, degree: Floats, laplacian: Floats
) -> None:
    """Writes what `subgraph` returns into `part` [n, n], `degree` [n] and `laplacian` [n, n]."""
    n = len(members)
    for i in range(n):
        row = weights[members[i]]
        for j in range(n):
            part[i, j] = row[members[j]]
        degree[i] = pairwise_sum(part[i])
    inverse = 1 / np.sqrt(degree)
    for j in range(n):
        for i in range(n):
            laplacian[i, j] = (1.0 if i == j else 0.0) - inverse[i] * part[i, j] * inverse[j]


@njit(cache=True, nogil=True, error_model="numpy")
def pairwise_sum(values: Floats) -> float:
    """Returns the sum of values [n], in the order in which numpy adds them: the same bits."""
    n = len(values)
    if n > 128:
        half = n // 2 - n // 2 % 8
        return pairwise_sum(values[:half]) + pairwise_sum(values[half:])
    first = n - n % 8 if n >= 8 else 0
    total = 0.0
    if first:
        lanes = values[:8].copy()
        for i in range(8, first, 8):
            for k in range(8):
                lanes[k] += values[i + k]
        total = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + (
            (lanes[4] + lanes[5]) + (lanes[6] + lanes[7])
        )
    for i in range(first, n):
        total += values[i]
    return total


def best_threshold(
    vector: Floats, weights: Floats, degree: Floats, steps: int
) -> tuple[float, float]:
    """Returns (cost, threshold) of the cheapest normalised cut at one of `steps` levels of an
    eigenvector [n] (cost inf: no level divides it). weights: [n, n]; degree: [n], its sums.
    """
    # the method: numpy's function looks for one first, which takes as long for a few regions
    cost, level = cheapest_level(vector, (-vector).argsort(), weights, degree, steps)
    return cost, level


@njit(cache=True, nogil=True, error_model="numpy")
def cheapest_level(
    vector: Floats, order: Integers, weights: Floats, degree: Floats, steps: int
) -> tuple[float, float]:
    """Returns (cost, threshold) as `best_threshold` does. Levels are tried from the top, and the
    cut is kept up to date as members pass over: n^2 steps in all. order: [n] members, the largest
    first.
    """
    low = vector.min()
    span = vector.max() - low
    total = degree.sum()
    members = 0
    inside = 0.0
    cut = 0.0
    best = np.inf
    best_level = low
    for step in range(steps - 1, -1, -1):
        level = low + span * step / steps
        while members < len(order) and vector[order[members]] > level:
            i = order[members]
            inside += degree[i]
            # all pairs of the new member enter the cut; those with members leave it, where they
            # were counted
            cut += degree[i] - weights[i, i]
            for j in order[:members]:
                cut -= 2 * weights[i, j]
            members += 1
        if 0 < members < len(order):
            # Ncut of Shi and Malik, equation 2
            cost = cut / inside + cut / (total - inside)
            if cost <= best:  # the lowest of levels that divide alike, as when trying from below
                best, best_level = cost, level
    return best, best_level


@njit(cache=True, nogil=True)
def canonical(labels: Integers) -> Bytes:
    """Returns uint8 [H, W], the ids of labels [H, W] numbered by first appearance in raster order
    (an eigenvector's sign is arbitrary); ids past 255 share the last.
    """
    name = np.full(labels.max() + 1, -1)
    count = 0
    out = np.empty(labels.shape, np.uint8)
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            if name[labels[y, x]] < 0:
                name[labels[y, x]] = count
                count += 1
            out[y, x] = min(name[labels[y, x]], 255)
    return out
