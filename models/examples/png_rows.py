"""Undoes the row filter that `png_codec.encode` writes, into an array that is given. Compiled: a
sum along a row needs the one before, which numpy waits for in memory and a loop keeps in a
register.
"""

from __future__ import annotations

import numba

from models.examples.png_codec import SUB
from models.tasks.arrays import Array, Bytes, Scalar


def sum_rows(lines: Bytes, pixels: Array) -> bool:
    """Writes the pixels of filtered rows. lines: uint8 [height * (1 + bytes a row)], as a PNG's
    data unpack. pixels: [height, width] or [height, width, 3] uint8, or [height, width] uint16.
    Returns False, and writes nothing, where a row has another filter.
    """
    rows = lines.reshape(len(pixels), -1)
    if (rows[:, 0] != SUB).any():
        return False
    if pixels.ndim == 3:
        sum_colours(rows, pixels)
    elif pixels.itemsize == 1:
        sum_bytes(rows, pixels)
    else:
        sum_pairs(rows, pixels)
    return True


@numba.njit(cache=True, nogil=True)
def sum_bytes(rows: Bytes, pixels: Bytes) -> None:
    """Writes sums along rows [height, 1 + width], a filter before each, into pixels [height,
    width].
    """
    for y in range(len(rows)):
        level: Scalar = 0
        for x in range(pixels.shape[1]):
            level += rows[y, 1 + x]
            pixels[y, x] = level & 0xFF


@numba.njit(cache=True, nogil=True)
def sum_pairs(rows: Bytes, pixels: Array) -> None:
    """Does the same for 16 bits: rows [height, 1 + 2 width], the high byte first."""
    for y in range(len(rows)):
        high: Scalar = 0
        low: Scalar = 0
        for x in range(pixels.shape[1]):
            high += rows[y, 1 + 2 * x]
            low += rows[y, 2 + 2 * x]
            pixels[y, x] = (high & 0xFF) << 8 | low & 0xFF


@numba.njit(cache=True, nogil=True)
def sum_colours(rows: Bytes, pixels: Bytes) -> None:
    """Does the same for three colours: rows [height, 1 + 3 width], pixels [height, width, 3]."""
    for y in range(len(rows)):
        red: Scalar = 0
        green: Scalar = 0
        blue: Scalar = 0
        for x in range(pixels.shape[1]):
            red += rows[y, 1 + 3 * x]
            green += rows[y, 2 + 3 * x]
            blue += rows[y, 3 + 3 * x]
            pixels[y, x, 0] = red & 0xFF
            pixels[y, x, 1] = green & 0xFF
            pixels[y, x, 2] = blue & 0xFF
