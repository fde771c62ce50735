"""Joins interleaved light samples: a cross-bilateral window of exactly 4 x 4 samples (Keller and
Heidrich 2001; Segovia 2006); another width would show the lattice. A second pass, two pixels apart,
softens the steps that are left in half shadows.

It works tile by tile, row by row, one tap of the window at a time, with coordinates and colours
apart: a loop without branches over neighbours in memory becomes vector instructions. (Blocks have a
constant shape for the same reason: LLVM must see that what is written does not overlap what is
read.)
"""

from __future__ import annotations

import numpy as np

from models.provenance.kernels import njit
from models.tasks.arrays import Array, Bools, Floats, Integers

TILE = 64  # pixels; a tile of ten numbers a pixel fits into the second-level cache
# the second pass takes pixels at -3, -1, 1 and 3, the first at -2 to 1
HALO = 3  # pixels
WIDE = TILE + 2 * HALO
# What counts as the same surface: cosine of planes, metres off the plane.
ALIKE = np.float32(0.85)
THICK = np.float32(0.04)
ONE = np.float32(1)
ZERO = np.float32(0)


@njit(cache=True, fastmath=True, nogil=True)
def rejoined(
    light: Floats,
    points: Floats,
    planes: Floats,
    material: Integers,
    sampled: Bools,
    size: int,
    step: int,
    out: Array,
) -> None:
    """Writes into `out` the mean light of a 4 x 4 window, `step` (1 or 2) pixels apart, over the
    sampled pixels on the same plane. light, points, planes, out: [n, 3] float32.

    Where no neighbour lies on the plane: the pixel's own light if it is sampled, else -1; 0 where
    nothing is seen (material -1).
    """
    block, total = np.empty((10, WIDE, WIDE), np.float32), np.empty((4, TILE), np.float32)
    for top in range(0, size, TILE):
        for left in range(0, size, TILE):
            _fetched(light, points, planes, material, sampled, size, top, left, block)
            for y in range(min(TILE, size - top)):
                total[:] = 0
                # -2 to 1: four in a row meet every phase of the 4 x 4 lattice exactly once
                for dy in range(-2, 2):
                    for dx in range(-2, 2):
                        _tap(
                            block,
                            y + HALO,
                            y + HALO + dy * step + (step - 1),
                            HALO + dx * step + (step - 1),
                            total,
                        )
                for x in range(min(TILE, size - left)):
                    i = (top + y) * size + left + x
                    for q in range(3):
                        if total[3, x] > 0:
                            out[i, q] = total[q, x] / total[3, x]
                        elif material[i] < 0:
                            out[i, q] = 0
                        else:
                            # fastmath forbids NaN: a number that no light has marks what has none
                            out[i, q] = light[i, q] if sampled[i] else -1


@njit(cache=True, fastmath=True, nogil=True)
def _fetched(
    light: Floats,
    points: Floats,
    planes: Floats,
    material: Integers,
    sampled: Bools,
    size: int,
    top: int,
    left: int,
    block: Floats,
) -> None:
    """Fills block [10, WIDE, WIDE] with planes, points, light, and 1 where a sample was taken,
    around the tile; 0 outside the picture.
    """
    for v in range(WIDE):
        y = top + v - HALO
        for u in range(WIDE):
            x = left + u - HALO
            # outside, any pixel serves as a source: its weight is 0
            inside = 0 <= y < size and 0 <= x < size
            i = y * size + x if inside else 0
            for q in range(3):
                block[q, v, u] = planes[i, q] if inside else ZERO
                block[3 + q, v, u], block[6 + q, v, u] = points[i, q], light[i, q]
            # pixels that were not sampled hold no light, and must not count in the mean
            block[9, v, u] = ONE if inside and sampled[i] and material[i] >= 0 else ZERO


@njit(cache=True, fastmath=True, nogil=True)
def _tap(block: Floats, here: int, there: int, shift: int, total: Floats) -> None:
    """Adds to total [4, TILE] the colours and the count of those pixels of row `there`, from column
    `shift`, that lie on the planes of row `here`.
    """
    # of a constant shape (TILE): LLVM then sees that what is written does not overlap what is read
    own, other = block[:, here, HALO : HALO + TILE], block[:, there, shift : shift + TILE]
    for x in range(TILE):
        tilt = own[0, x] * other[0, x] + own[1, x] * other[1, x] + own[2, x] * other[2, x]
        gap = (
            own[0, x] * (other[3, x] - own[3, x])
            + own[1, x] * (other[4, x] - own[4, x])
            + own[2, x] * (other[5, x] - own[5, x])
        )
        # chosen, not branched: a comparison becomes a mask of the vector
        weight = other[9, x] if tilt >= ALIKE else ZERO
        weight = weight if abs(gap) <= THICK else ZERO
        total[0, x] += weight * other[6, x]
        total[1, x] += weight * other[7, x]
        total[2, x] += weight * other[8, x]
        total[3, x] += weight
