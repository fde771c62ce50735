"""Compiled search for the ten centres of colour bins that are nearest to a colour. numpy's
partition of twenty distances a pixel took most of a batch's time.
"""

from __future__ import annotations

import numba
import numpy as np

from models.tasks.arrays import Bools, Floats, Integers, Scalar


@numba.njit(cache=True, nogil=True)
def nearest_centres(
    ab: Floats,
    centres: Floats,
    low: Floats,
    shape: tuple[int, int],
    side: float,
    candidates: Integers,
    counts: Integers,
    index: Integers,
    beyond: Floats,
    clear: Bools,
) -> None:
    """Writes numbers [n, k] of the k centres nearest to ab [n, 2], rising, and how much farther
    than the nearest they are, squared distances [n, k]. candidates: int16 [squares, most], rising,
    of which the first `counts` [squares] are meant; low, shape: as in `Near`, squares of `side`.
    clear: [n], False where nothing that counts was written: outside all squares, or where the last
    of the k is as far as the next.
    """
    wanted = index.shape[1]
    most = candidates.shape[1]
    found = np.full(most, np.inf)
    for i in range(len(ab)):
        a, b = ab[i]
        row = int(np.floor((a - low[0]) / side))
        column = int(np.floor((b - low[1]) / side))
        clear[i] = 0 <= row < shape[0] and 0 <= column < shape[1]
        if not clear[i]:
            continue
        square = row * shape[1] + column
        count = counts[square]
        nearest: Scalar = np.inf
        for j in range(count):
            centre = candidates[square, j]
            beside, above = centres[centre, 0] - a, centres[centre, 1] - b
            found[j] = beside * beside + above * above
            nearest = min(nearest, found[j])
        found[count:] = np.inf
        kept = 0
        for j in range(count):
            # ranked by counting, without a branch: a sort guesses wrong at every second comparison
            nearer = 0
            for other in range(most):
                nearer += found[other] < found[j]
            if nearer < wanted:
                if kept < wanted:
                    index[i, kept] = candidates[square, j]
                    beyond[i, kept] = found[j] - nearest
                kept += 1
        clear[i] = kept == wanted


@numba.njit(cache=True, nogil=True)
def shares_of(weight: Floats, shares: Floats) -> None:
    """Writes weight [n, k] over its sum a row into shares [n, k] float32."""
    for i in range(len(weight)):
        total: Scalar = 0.0
        for j in range(weight.shape[1]):
            total += weight[i, j]
        for j in range(weight.shape[1]):
            shares[i, j] = weight[i, j] / total
