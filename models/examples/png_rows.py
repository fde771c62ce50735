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
    Returns False, and nothing that counts, where a row has another filter.
    """
    if pixels.ndim == 3:
        return bool(sum_colours(lines, pixels))
    return bool((sum_bytes if pixels.itemsize == 1 else sum_pairs)(lines, pixels))


@numba.njit(cache=True, nogil=True)
def sum_bytes(lines: Bytes, pixels: Bytes) -> bool:
    height, width = pixels.shape
    place = 0
    for y in range(height):
        if lines[place] != SUB:
            return False
        row = lines[place + 1 : place + 1 + width]
        place += 1 + width
        level: Scalar = 0
        for x in range(width):
            level += row[x]
            pixels[y, x] = level & 0xFF
    return True


@numba.njit(cache=True, nogil=True)
def sum_pairs(lines: Bytes, pixels: Array) -> bool:
    height, width = pixels.shape
    place = 0
    for y in range(height):
        if lines[place] != SUB:
            return False
        row = lines[place + 1 : place + 1 + 2 * width]
        place += 1 + 2 * width
        high: Scalar = 0
        low: Scalar = 0
        for x in range(width):
            high += row[2 * x]
            low += row[2 * x + 1]
            pixels[y, x] = (high & 0xFF) << 8 | low & 0xFF
    return True


@numba.njit(cache=True, nogil=True)
def sum_colours(lines: Bytes, pixels: Bytes) -> bool:
    height, width = pixels.shape[:2]
    place = 0
    for y in range(height):
        if lines[place] != SUB:
            return False
        row = lines[place + 1 : place + 1 + 3 * width]
        place += 1 + 3 * width
        red: Scalar = 0
        green: Scalar = 0
        blue: Scalar = 0
        for x in range(width):
            red += row[3 * x]
            green += row[3 * x + 1]
            blue += row[3 * x + 2]
            pixels[y, x, 0] = red & 0xFF
            pixels[y, x, 1] = green & 0xFF
            pixels[y, x, 2] = blue & 0xFF
    return True
