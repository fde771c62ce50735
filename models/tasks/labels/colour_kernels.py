"""Compiled loops over any colours: the ten centres of colour bins that are nearest to each, and
their shares.
"""

from __future__ import annotations

import math

import numpy as np

from models.provenance.kernels import njit
from models.tasks.arrays import Bools, Floats, Integers, Scalar


@njit(cache=True, nogil=True)
def possible_centres(
    centres: Floats,
    low: Floats,
    side: float,
    wanted: int,
    near: Integers,
    near_counts: Integers,
    candidates: Integers,
    counts: Integers,
    certain: Integers,
) -> None:
    """Writes into candidates [rows, columns, most] the numbers of those centres [m, 2] that are
    among the `wanted` nearest to some point of a square of `side`, and how many they are into
    counts [rows, columns]; first those that are among them at every point, their number into
    certain [rows, columns]. low: [2], the corner of the first square. near: [larger squares, most],
    the same for squares of which each holds several of these, near_counts of them meant.

    How much farther, by its square, one centre is than another is linear in the point.
    """
    rows, columns, most = candidates.shape
    along = int(np.sqrt(rows * columns // len(near)))
    middle = np.empty(2)
    for row in range(rows):
        for column in range(columns):
            middle[0], middle[1] = low[0] + (row + 0.5) * side, low[1] + (column + 0.5) * side
            square = row // along * (columns // along) + column // along
            kept = last = 0
            for number in near[square, : near_counts[square]]:
                always = sometimes = 0  # how many others are nearer, at every and at some point
                for other in near[square, : near_counts[square]]:
                    if other == number:
                        continue
                    farther = reach = 0.0
                    for axis in range(2):
                        mine, theirs = centres[number, axis], centres[other, axis]
                        farther += (middle[axis] - mine) ** 2 - (middle[axis] - theirs) ** 2
                        reach += side * abs(mine - theirs)
                    always += farther > reach
                    sometimes += farther >= -reach
                if always < wanted:
                    candidates[row, column, kept] = number
                    if sometimes < wanted:
                        candidates[row, column, kept] = candidates[row, column, last]
                        candidates[row, column, last] = number
                        last += 1
                    kept += 1
            counts[row, column] = kept
            certain[row, column] = last


@njit(cache=True, nogil=True)
def nearest_centres(
    ab: Floats,
    centres: Floats,
    low: Floats,
    side: float,
    candidates: Integers,
    counts: Integers,
    certain: Integers,
    index: Integers,
    clear: Bools,
) -> None:
    """Writes numbers [n, k] of the k centres nearest to ab [n, 2], in no order. low, side,
    candidates, counts, certain: as `possible_centres` has them. clear: [n], False where nothing
    that counts was written: outside all squares, or where the last of the k is as far as the next.
    """
    wanted = index.shape[1]
    rows, columns, most = candidates.shape
    distance = np.empty(most)
    for i in range(len(ab)):
        a, b = ab[i]
        row = int(np.floor((a - low[0]) / side))
        column = int(np.floor((b - low[1]) / side))
        clear[i] = 0 <= row < rows and 0 <= column < columns
        if not clear[i]:
            continue
        near = candidates[row, column]
        for j in range(wanted):
            index[i, j] = near[j]
        count = counts[row, column]
        if count == wanted:
            continue
        kept = certain[row, column]
        for j in range(kept, count):
            beside, above = centres[near[j], 0] - a, centres[near[j], 1] - b
            distance[j] = beside * beside + above * above
        # the farthest are dropped, one after the other
        last: Scalar = np.inf
        for _ in range(count - wanted):
            farthest = kept
            for j in range(kept + 1, count):
                farthest = j if distance[j] > distance[farthest] else farthest
            last = distance[farthest]
            distance[farthest] = -1
        for j in range(certain[row, column], count):
            clear[i] &= distance[j] != last
            if distance[j] >= 0:
                index[i, kept] = near[j]
                kept += 1


@njit(cache=True, nogil=True)
def lattice_shares(
    ab: Floats,
    lattice: Integers,
    index: Integers,
    step: float,
    sigma: float,
    shares: Floats,
    clear: Bools,
) -> None:
    """Writes into shares [n, k] float32, where clear [n], weights exp(-d^2 / 2 sigma^2) over their
    sum, d the distance of ab [n, 2] from the centres index [n, k], which lie at `step` times
    lattice [m, 2]. Sets clear to False where a centre is more than three steps from the place of
    the lattice that is nearest to the colour.

    A point of the lattice that is x beside the colour's own and k steps on is x - k step away:
    exp(-(x - k step)^2 / 2 s^2) = exp(-x^2 / 2 s^2) exp(x step / s^2)^k exp(-(k step)^2 / 2 s^2).
    The first factor cancels in the shares: two exponentials of a colour are enough for all centres.
    """
    reach = 3
    fall = np.empty(reach + 1)
    for k in range(reach + 1):
        fall[k] = math.exp(-((k * step) ** 2) / (2 * sigma**2))
    along = np.empty((2, 2 * reach + 1))
    weight = np.empty(index.shape[1])
    for i in range(len(ab)):
        if not clear[i]:
            continue
        place_a = int(np.floor(ab[i, 0] / step + 0.5))
        place_b = int(np.floor(ab[i, 1] / step + 0.5))
        for axis, place in enumerate((place_a, place_b)):
            growth = math.exp((ab[i, axis] - place * step) * step / sigma**2)
            shrinking = 1 / growth
            up: Scalar = 1.0
            down: Scalar = 1.0
            for k in range(reach + 1):
                along[axis, reach + k] = up * fall[k]
                along[axis, reach - k] = down * fall[k]
                up *= growth
                down *= shrinking
        total: Scalar = 0.0
        for j in range(index.shape[1]):
            centre = index[i, j]
            # without a sign: a number below 0 is larger than all others, and numba would take it
            # for one that counts from the end
            beside = np.uint64(lattice[centre, 0] - place_a + reach)
            above = np.uint64(lattice[centre, 1] - place_b + reach)
            if max(beside, above) > 2 * reach:
                clear[i] = False
                break
            weight[j] = along[0, beside] * along[1, above]
            total += weight[j]
        whole = 1 / total
        for j in range(index.shape[1]):
            shares[i, j] = weight[j] * whole
