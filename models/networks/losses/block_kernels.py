"""Compiled kernels that judge readouts on their own layout: weighted distances, entropies of
classes, and of pairs of pixels.

Each runs on the thread that calls it and lets other threads run. Arguments that they share:
answers [view, cell, all outputs] float32, of which a target's begin at column `start`; views
[sample] int64, the view of each sample; factor: what logits or embeddings are multiplied by.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from models.networks.losses.block_layout import SEGMENT_FEATURES
from models.provenance.kernels import njit
from models.tasks.arrays import Floats, Integers

# A number inside a compiled loop, where Python's and numpy's are of one kind.
Scalar = Any

LOG2E = np.float32(1.44269504)
# The logarithm of 2 as a sum, of which the first term is exact in few bits (Cody and Waite).
LN2_HIGH = np.float32(0.693359375)
LN2_LOW = np.float32(-2.12194440e-4)
# Coefficients of Cephes' expf.
SERIES = (
    np.float32(1.9875691500e-4),
    np.float32(1.3981999507e-3),
    np.float32(8.3334519073e-3),
    np.float32(4.1665795894e-2),
    np.float32(1.6666665459e-1),
    np.float32(0.5),
)
HALF = np.float32(0.5)
ONE = np.float32(1.0)
TWO = np.float32(2.0)
# An exponent beyond which e^x is taken as e^80, as the shared pair metric does.
FAR = np.float32(80.0)
# A similarity stays so far from 0 and 1.
TINY = np.float32(1e-7)
TILE = 32  # pixels whose pairs with one pixel are judged at once
# Without "reassoc": it would undo the two-step reduction in `exp32`.
LOOSE = {"nnan", "ninf", "nsz", "contract", "arcp"}

# error_model="numpy" below: the default checks every division for zero, and loops with checks are
# not vectorised


@intrinsic
def float_of_bits(context: Any, bits: Any) -> tuple[Any, Any]:
    """Returns the float32 whose bits an int32 holds; numba has no such cast for scalars."""

    def cast(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.int32), cast


@njit(fastmath=LOOSE, error_model="numpy")
def exp32(x: Scalar) -> Scalar:
    """Returns e^x to about 1e-7, without a call, so that loops over it become vector instructions
    (libm's does not).
    """
    x = min(max(x, -FAR), FAR)
    n = np.floor(x * LOG2E + HALF)
    r = x - n * LN2_HIGH
    r = r - n * LN2_LOW
    p = SERIES[0]
    p = p * r + SERIES[1]
    p = p * r + SERIES[2]
    p = p * r + SERIES[3]
    p = p * r + SERIES[4]
    p = p * r + SERIES[5]
    # 2^n: n written into the exponent of a float's bits
    return (p * r * r + r + ONE) * float_of_bits((np.int32(n) + np.int32(127)) << np.int32(23))


@njit(nogil=True, fastmath=True, cache=True, error_model="numpy")
def distances(
    answers: Floats, start: int, views: Integers, target: Floats, weight: Floats, squared: bool
) -> Floats:
    """[sample]: weighted sums of |target - answer| or its square. answers [view, cell, all
    outputs]; target, weight [sample, cell, stride^2, width].
    """
    samples, cells, repeats, width = target.shape
    losses = np.empty(samples, np.float32)
    for i in range(samples):
        total: Scalar = 0.0
        for cell in range(cells):
            answer = answers[views[i], cell, start : start + width]
            part = np.float32(0)
            for q in range(repeats):
                t = target[i, cell, q]
                w = weight[i, cell, q]
                if squared:
                    for j in range(width):
                        part += w[j] * (t[j] - answer[j]) * (t[j] - answer[j])
                else:
                    for j in range(width):
                        part += w[j] * abs(t[j] - answer[j])
            total += part
        losses[i] = total
    return losses


@njit(nogil=True, fastmath=True, cache=True, error_model="numpy")
def class_entropies(
    answers: Floats, start: int, views: Integers, counts: Floats, factor: np.float32
) -> Floats:
    """[sample]: cross-entropy of logits factor * answer. counts [sample, cell, r r, classes]:
    weight of each class among the pixels of a value.
    """
    samples, cells, inner, classes = counts.shape
    losses = np.empty(samples, np.float32)
    for i in range(samples):
        total: Scalar = 0.0
        powers = np.empty(inner * classes, np.float32)
        for cell in range(cells):
            answer = answers[views[i], cell, start : start + inner * classes]
            # nothing is taken out before the exponential, unlike in log_softmax: it ends at e^80,
            # and a sum of a few of those is still a float32
            for j in range(inner * classes):
                powers[j] = exp32(factor * answer[j])
            for q in range(inner):
                mass = np.float32(0)
                weight = np.float32(0)
                hit = np.float32(0)
                for c in range(classes):
                    mass += powers[q * classes + c]
                    weight += counts[i, cell, q, c]
                    hit += counts[i, cell, q, c] * answer[q * classes + c]
                total += weight * np.log(mass) - factor * hit
        losses[i] = total
    return losses


@njit(fastmath=True, error_model="numpy")
def likelihood(tile: Floats, own: Floats) -> Scalar:
    """Product over the pixels of a tile of 2 / (1 + e^square), the similarity to one pixel, where
    both are of one segment, else of what it lacks to 1.

    tile [features + 1, TILE]: embeddings, then the segments' numbers; own [features + 1]. The
    product is at least 1e-7^TILE, which is a float64.
    """
    product: Scalar = 1.0
    # Of constant length, over arrays that are only read: the compiler makes vector instructions of
    # it, without a remainder.
    for b in range(TILE):
        square = np.float32(0)
        for k in range(SEGMENT_FEATURES):
            square += (tile[k, b] - own[k]) * (tile[k, b] - own[k])
        similar = min(max(TWO / (ONE + exp32(square)), TINY), ONE - TINY)
        product *= similar if tile[SEGMENT_FEATURES, b] == own[SEGMENT_FEATURES] else ONE - similar
    return product


@njit(fastmath=True, error_model="numpy")
def multiply_running(running: tuple[float, float], factor: float) -> tuple[float, float]:
    """Multiplies (product, sum of logarithms) by a factor of at least 1e-224. A logarithm of a
    product costs less than logarithms: it is taken where float64 would end.
    """
    product = running[0] * factor
    total = running[1]
    return (1.0, total + np.log(product)) if product < 1e-80 else (product, total)


@njit(nogil=True, fastmath=True, cache=True, error_model="numpy")
def segment_entropies(
    answers: Floats,
    start: int,
    views: Integers,
    ids: Floats,
    cells: Integers,
    places: Integers,
    factor: np.float32,
) -> Floats:
    """[sample]: the pair metric of `losses.pair_metric` over the pixels in `cells` at `places` of
    their block. ids [sample, pixel] float32, none negative.
    """
    samples, pixels = ids.shape
    losses = np.empty(samples, np.float32)
    tiles = (pixels + TILE - 1) // TILE
    points = np.empty((tiles, SEGMENT_FEATURES + 1, TILE), np.float32)
    own = np.empty(SEGMENT_FEATURES + 1, np.float32)
    # The last tile is filled up with what is far from everything, and of no segment.
    points[:, :SEGMENT_FEATURES] = np.float32(1e4)
    points[:, SEGMENT_FEATURES] = np.float32(-1)
    for i in range(samples):
        for p in range(pixels):
            for k in range(SEGMENT_FEATURES):
                points[p // TILE, k, p % TILE] = (
                    factor * answers[views[i], cells[p], start + places[p] * SEGMENT_FEATURES + k]
                )
            points[p // TILE, SEGMENT_FEATURES, p % TILE] = ids[i, p]
        within = (1.0, 0.0)
        beyond = (1.0, 0.0)
        for p in range(pixels):
            own[:] = points[p // TILE, :, p % TILE]
            # Its own tile, where both pixels of a pair meet the other; of later tiles one does.
            within = multiply_running(within, likelihood(points[p // TILE], own))
            for tile in range(p // TILE + 1, tiles):
                beyond = multiply_running(beyond, likelihood(points[tile], own))
        losses[i] = -(within[1] + np.log(within[0]) + 2 * (beyond[1] + np.log(beyond[0]))) / (
            pixels * pixels
        )
    return losses
