"""Colour bins for colorization: the lattice of CIE Lab (a, b) points, 10 apart, that sRGB can show
(Zhang, Isola, Efros 2016).

Computed from the gamut, D65 white, instead of shipped as a table.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from models.tasks.arrays import Floats, Integers

TO_XYZ = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
WHITE = np.array([0.95047, 1.0, 1.08883])
STEP = 10  # between neighbouring bins, in a and b
BINS = 313
# Soft encoding: bins that a colour is spread over, and how far (Zhang et al. 2016, 2.2).
NEIGHBOURS = 10
SIGMA = 5.0
# Side of the squares in which centres are looked for, in a and b; of those of the compiled search,
# to which a few candidates less are worth a table of 104,720 squares; and of those between, from
# whose candidates theirs are chosen.
SQUARE = STEP / 2
SMALL_SQUARE = STEP / 4
SMALLEST_SQUARE = STEP / 16
# In place of a centre that is not there.
FAR = 1e6


def rgb_to_lab(rgb: Floats) -> Floats:
    """Converts [..., 3] sRGB in [0, 1] to [..., 3] L in [0, 100], a, b (CIE 1976, D65)."""
    return lab_of(linear_light(np.asarray(rgb, "float64")))


def linear_light(rgb: Floats) -> Floats:
    """Undoes sRGB's transfer function (IEC 61966-2-1) of values [...] in [0, 1]; it is linear near
    black.
    """
    return np.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)


@functools.cache
def light_of_sixteenths() -> Floats:
    """Returns `linear_light` of every mean of sixteen bytes, 0 to 255 by sixteenths, [4081]
    float64.
    """
    return linear_light(np.arange(255 * 16 + 1) / 16 / 255)


def lab_of(linear: Floats) -> Floats:
    """Converts light [..., 3] float64 to Lab, as `rgb_to_lab` does."""
    ratio = linear @ TO_XYZ.T / WHITE
    # CIE 1976, linear near black
    f = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    lightness = 116 * f[..., 1] - 16
    a = 500 * (f[..., 0] - f[..., 1])
    b = 200 * (f[..., 1] - f[..., 2])
    return np.stack([lightness, a, b], -1)


@functools.cache
def bin_centres() -> Floats:
    """Returns [313, 2] float64: the lattice cells that the gamut fills, then the lattice points
    nearest to it inside the published box, sorted.
    """
    # every fifth of the 256 levels
    levels = np.linspace(0, 1, 52)
    cube = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), -1).reshape(-1, 3)
    cells, counts = np.unique(
        np.round(rgb_to_lab(cube)[:, 1:] / STEP).astype(int), axis=0, return_counts=True
    )
    lattice = {tuple(cell): count for cell, count in zip(cells, counts)}
    # The published set holds 313 points: the gamut's cells, and where those are fewer, the lattice
    # neighbours nearest to it.
    if len(lattice) < BINS:
        tree = cKDTree(rgb_to_lab(cube)[:, 1:])
        axes = np.meshgrid(np.arange(-9, 11), np.arange(-11, 11), indexing="ij")
        grid = np.stack(axes, -1).reshape(-1, 2)
        rest = [tuple(cell) for cell in grid if tuple(cell) not in lattice]
        distance = tree.query(np.array(rest) * STEP)[0]
        for i in np.argsort(distance, kind="stable")[: BINS - len(lattice)]:
            lattice[rest[i]] = 0
    kept = sorted(lattice, key=lambda cell: (-lattice[cell], cell))[:BINS]
    centres = np.array(sorted(kept), "float64")
    return np.multiply(centres, STEP)


@dataclass(frozen=True)
class Near:
    """For squares of the (a, b) plane, the centres that can be among the ten nearest to some point
    of a square. low: [2], the corner of the first square. shape: squares along a and b. a, b:
    [squares, most] float64, the centres' own; a is far away where a square has fewer. index:
    [squares, most], which centres they are.
    """

    low: Floats
    shape: tuple[int, int]
    a: Floats
    b: Floats
    index: Integers


@functools.cache
def near_centres(side: float = SQUARE) -> Near:
    """Returns the near centres for the squares from the lowest centre to the highest, which hold
    every colour of sRGB.
    """
    centres = bin_centres()
    half = side / 2
    low, high = centres.min(0) - half, centres.max(0) + half
    along_a, along_b = np.round((high - low) / side).astype(int).tolist()
    shape = along_a, along_b
    middles = low + half + side * np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1)
    offset = np.abs(middles.reshape(-1, 1, 2) - centres)
    farthest = ((offset + half) ** 2).sum(-1)
    nearest = (np.maximum(offset - half, 0) ** 2).sum(-1)
    # ten centres lie wholly within this of any point of the square
    possible = nearest <= np.partition(farthest, NEIGHBOURS - 1, 1)[:, NEIGHBOURS - 1 : NEIGHBOURS]
    most = possible.sum(1).max()
    index = np.argsort(~possible, 1, kind="stable")[:, :most]
    a = np.where(np.take_along_axis(possible, index, 1), centres[index, 0], FAR)
    return Near(low, shape, a, centres[index, 1], index)


@dataclass(frozen=True)
class Squares:
    """What the compiled search looks up, for squares of `SMALLEST_SQUARE`. low: as in `Near`.
    candidates: uint16 [rows, columns, most], the numbers of the centres that are among the ten
    nearest to some point, first those that are at every point; counts, certain: uint8 [rows,
    columns], how many are meant, and how many of them stand first.
    """

    low: Floats
    candidates: Integers
    counts: Integers
    certain: Integers


@functools.cache
def squares() -> Squares:
    """Returns the tables of the compiled search."""
    from models.tasks.labels.colour_kernels import possible_centres  # numba

    near = near_centres(SMALL_SQUARE)
    parts = round(SMALL_SQUARE / SMALLEST_SQUARE)
    shape = near.shape[0] * parts, near.shape[1] * parts
    candidates = np.empty((*shape, near.index.shape[1]), "uint16")
    counts, certain = np.empty((2, *shape), "uint8")
    possible_centres(
        bin_centres(),
        near.low,
        SMALLEST_SQUARE,
        NEIGHBOURS,
        near.index.astype("uint16"),
        (near.a < FAR).sum(1),
        candidates,
        counts,
        certain,
    )
    return Squares(near.low, candidates[..., : counts.max()].copy(), counts, certain)


@functools.cache
def lattice() -> Integers:
    """Returns [313, 2] int64, the places of the centres on their lattice."""
    return np.round(bin_centres() / STEP).astype("int64")


def ten_nearest(ab: Floats) -> tuple[Floats, Integers]:
    """Returns, for [n, 2] colours, [n, 10] squared distances and [n, 10] numbers of the nearest
    centres, in no order.
    """
    near = near_centres()
    square = np.floor((ab - near.low) / SQUARE).astype(int)
    # what no sRGB colour has is moved to the border, and looked for among all centres
    outside = ((square < 0) | (square >= near.shape)).any(1)
    square = np.clip(square, 0, np.subtract(near.shape, 1))
    rows = square[:, 0] * near.shape[1] + square[:, 1]
    distance = near.a.take(rows, 0)
    distance -= ab[:, :1]
    distance *= distance
    along_b = near.b.take(rows, 0)
    along_b -= ab[:, 1:]
    along_b *= along_b
    distance += along_b
    chosen = np.argpartition(distance, NEIGHBOURS - 1, 1)[:, :NEIGHBOURS]
    most = distance.shape[1]
    # flat positions: `take_along_axis` takes as long as all before
    nearest = distance.ravel().take(chosen + (np.arange(len(ab)) * most)[:, None])
    index = near.index.ravel().take(chosen + (rows * most)[:, None])
    if outside.any():
        every = ((ab[outside, None] - bin_centres()) ** 2).sum(-1)
        index[outside] = np.argpartition(every, NEIGHBOURS - 1, 1)[:, :NEIGHBOURS]
        nearest[outside] = np.take_along_axis(every, index[outside], 1)
    return nearest, index


def soft_shares(ab: Floats) -> tuple[Integers, Floats]:
    """Returns, for [n, 2] colours, [n, 10] numbers of the nearest centres and their [n, 10] float32
    shares: weights exp(-d^2 / 2 sigma^2), sigma 5, summing to 1.
    """
    from models.tasks.labels.colour_kernels import lattice_shares, nearest_centres  # numba

    table = squares()
    index = np.empty((len(ab), NEIGHBOURS), "uint16")
    shares = np.empty((len(ab), NEIGHBOURS), "float32")
    clear = np.empty(len(ab), "bool")
    nearest_centres(
        ab,
        bin_centres(),
        table.low,
        SMALLEST_SQUARE,
        table.candidates,
        table.counts,
        table.certain,
        index,
        clear,
    )
    lattice_shares(ab, lattice(), index, STEP, SIGMA, shares, clear)
    if not clear.all():
        # which of two centres at one distance is the tenth, numpy says
        distance, index[~clear] = ten_nearest(ab[~clear])
        # the nearest distance is taken out, which cancels in the shares: far from every bin all
        # weights would be 0
        weight = np.exp((distance - distance.min(1, keepdims=True)) / (-2 * SIGMA**2))
        shares[~clear] = weight / weight.sum(1, keepdims=True)
    return index, shares


def soft_encoding(ab: Floats) -> Floats:
    """Converts [..., 2] Lab (a, b) to [..., 313] float32, the shares of `soft_shares` at the places
    of their centres.
    """
    index, weight = soft_shares(np.asarray(ab, "float64").reshape(-1, 2))
    shares = np.zeros((len(index), BINS), "float32")
    np.put_along_axis(shares, index.astype("int64"), weight, 1)
    return shares.reshape(*np.shape(ab)[:-1], BINS)
