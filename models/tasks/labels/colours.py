"""Colour bins for colorization: the lattice of CIE Lab (a, b) points, 10 apart, that sRGB can show
(Zhang, Isola, Efros 2016).

Computed from the gamut, D65 white, instead of shipped as a table.
"""

from __future__ import annotations

import functools

import numpy as np
from scipy.spatial import cKDTree

from models.tasks.arrays import Floats

_TO_XYZ = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])
STEP = 10  # between neighbouring bins, in a and b
BINS = 313


def rgb_to_lab(rgb: Floats) -> Floats:
    """[..., 3] sRGB in [0, 1] -> [..., 3] L in [0, 100], a, b (CIE 1976, D65)."""
    rgb = np.asarray(rgb, "float64")
    # sRGB's transfer function (IEC 61966-2-1), linear near black
    linear = np.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    ratio = linear @ _TO_XYZ.T / _WHITE
    # CIE 1976, linear near black
    f = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    lightness = 116 * f[..., 1] - 16
    a = 500 * (f[..., 0] - f[..., 1])
    b = 200 * (f[..., 1] - f[..., 2])
    return np.stack([lightness, a, b], -1)


@functools.cache
def bin_centres() -> Floats:
    """[313, 2] float64: the lattice cells that the gamut fills, then the lattice points nearest to
    it inside the published box, sorted.
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


@functools.cache
def _tree() -> cKDTree:
    return cKDTree(bin_centres())


def soft_encoding(ab: Floats, neighbours: int = 10, sigma: float = 5.0) -> Floats:
    """[..., 2] Lab (a, b) -> [..., 313] float32 shares: the `neighbours` nearest centres weighted
    by exp(-d^2 / 2 sigma^2), summing to 1.
    """
    flat = np.asarray(ab, "float64").reshape(-1, 2)
    distance, index = _tree().query(flat, k=neighbours)
    # the nearest distance is taken out, which cancels in the shares: far from every bin all weights
    # would be 0
    weight = np.exp(-(distance**2 - distance[:, :1] ** 2) / (2 * sigma**2))
    shares = np.zeros((len(flat), BINS), "float32")
    weight = weight / weight.sum(1, keepdims=True)
    np.put_along_axis(shares, index, weight.astype("float32"), axis=1)
    return shares.reshape(*np.shape(ab)[:-1], BINS)
