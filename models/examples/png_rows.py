"""Undoes PNG's row filters: all of them, and the one that `png_codec.encode` writes into an array
that is given. Compiled: nearly every byte needs the one before, which numpy cannot do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from models.examples.png_filters import AVERAGE, NONE, PAETH, SUB, UP
from models.provenance.kernels import njit
from models.tasks.arrays import Array, Bytes, Scalar

LANES = 4  # bytes that are read and written at once: of a pixel, and what is then written again


def unfiltered(rows: Bytes, step: int) -> Bytes | None:
    """Returns the bytes [height, bytes a row] uint8 of filtered rows. rows: uint8 [height, 1 +
    bytes a row], the number of its filter before each; step: bytes of a pixel. None where a number
    is none of the standard's.
    """
    if (rows[:, 0] > PAETH).any():
        return None
    lines: Bytes = np.empty((len(rows), rows.shape[1] - 1), "uint8")
    undo_filters(rows, step, lines)
    return lines


@njit(cache=True, nogil=True)
def undo_filters(rows: Bytes, step: int, lines: Bytes) -> None:
    """Writes the bytes of filtered rows uint8 [height, 1 + bytes a row] into lines uint8 [height,
    bytes a row]; step: bytes of a pixel.
    """
    # what is outside reads as zeros
    above = np.zeros(lines.shape[1], np.uint8)
    for y in range(len(rows)):
        number = rows[y, 0]
        row = rows[y, 1:]
        line = lines[y]
        # the first pixel, with nothing to its left: Paeth's nearest byte is the one above
        for x in range(step):
            if number in (UP, PAETH):
                line[x] = row[x] + above[x]
            elif number == AVERAGE:
                line[x] = row[x] + (above[x] >> 1)
            else:
                line[x] = row[x]
        undo_filter(number, row, above, line, step)
        above = line


@njit(cache=True, nogil=True)
def undo_filter(number: int, row: Bytes, above: Bytes, line: Bytes, step: int) -> None:
    """Writes the bytes of one row behind its first pixel, from the row under filter `number`
    without that number, and the row above. All: uint8 [bytes a row].
    """
    # one array for each of a byte's neighbours: loops over one index alone are vectorised
    packed = row[step:]
    upper = above[step:]
    left = line[:-step]
    rest = line[step:]
    if number == NONE:
        for x in range(len(rest)):
            rest[x] = packed[x]
    elif number == SUB:
        for x in range(len(rest)):
            rest[x] = packed[x] + left[x]
    elif number == UP:
        for x in range(len(rest)):
            rest[x] = packed[x] + upper[x]
    elif number == AVERAGE:
        for x in range(len(rest)):
            rest[x] = packed[x] + ((np.int32(left[x]) + np.int32(upper[x])) >> 1)
    else:
        since = 0
        # a vector holds a pixel of so many bytes, and stays within the row
        if step <= LANES <= len(row):
            undo_paeth(row, above, line, step)
            since = (len(row) - LANES) // step * step
        for x in range(since, len(rest)):
            rest[x] = packed[x] + nearest(np.int32(left[x]), np.int32(upper[x]), np.int32(above[x]))


@njit(inline="always")
def nearest(left: Scalar, above: Scalar, corner: Scalar) -> Scalar:
    """Returns that one of three bytes which is nearest to left + above - corner, of equally near
    ones the first (PNG specification, section 9.4).

    Beyond the smaller and the larger of the two the nearest is one of them, else the corner: two
    comparisons, where the distances themselves take three and twice the time.
    """
    least = min(left, above)
    most = max(left, above)
    edge = 3 * corner - left - above
    inner = least if most <= edge else corner
    return most if edge <= least else inner


@intrinsic
def undo_paeth(typing: Any, row: Any, above: Any, line: Any, step: Any) -> tuple[Any, Any]:
    """Writes the pixels of a row under Paeth's filter, whose first is written already (PNG
    specification, section 9.4), as far as LANES bytes from where they begin lie within the row.
    row: the filtered bytes; above: the line above; all uint8 [at least LANES bytes], contiguous.
    step: bytes of a pixel, at most LANES.

    Every pixel needs the one before it, so compilers find nothing to vectorise along a row, and
    most rows of photographs and maps are filtered so. A pixel's bytes stand side by side in one
    vector register: half the time of `nearest` byte by byte. Written for LLVM, which numba compiles
    with, and so for any processor.
    """

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        arrays = [
            context.make_array(kind)(context, builder, value)
            for kind, value in zip(signature.args[:3], values[:3], strict=True)
        ]
        row_at, above_at, line_at = (array.data for array in arrays)
        step = values[3]
        narrow = ir.VectorType(ir.IntType(8), LANES)
        # sums of three bytes, and their differences
        wide = ir.VectorType(ir.IntType(16), LANES)
        three = ir.Constant(wide, [3] * LANES)
        byte = ir.Constant(wide, [255] * LANES)

        def place(start: Any, at: Any) -> Any:
            return builder.bitcast(builder.gep(start, [at]), narrow.as_pointer())

        def pixel(start: Any, at: Any) -> Any:
            return builder.zext(builder.load(place(start, at), align=1), wide)

        first = ir.Constant(step.type, 0)
        left = cgutils.alloca_once_value(builder, pixel(line_at, first))
        corner = cgutils.alloca_once_value(builder, pixel(above_at, first))
        end = builder.sub(arrays[0].nitems, ir.Constant(step.type, LANES - 1))
        with cgutils.for_range_slice(builder, step, end, step) as (at, _):
            a = builder.load(left)
            b = pixel(above_at, at)
            c = builder.load(corner)
            # the rule of `nearest`
            ordered = builder.icmp_signed("<", a, b)
            least = builder.select(ordered, a, b)
            most = builder.select(ordered, b, a)
            edge = builder.sub(builder.sub(builder.mul(three, c), b), a)
            inner = builder.select(builder.icmp_signed("<=", most, edge), least, c)
            nearest = builder.select(builder.icmp_signed("<=", edge, least), most, inner)
            written = builder.and_(builder.add(pixel(row_at, at), nearest), byte)
            builder.store(builder.trunc(written, narrow), place(line_at, at), align=1)
            builder.store(written, left)
            builder.store(b, corner)
        return context.get_dummy_value()

    return types.void(row, above, line, step), code


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


@njit(cache=True, nogil=True)
def sum_bytes(rows: Bytes, pixels: Bytes) -> None:
    """Writes sums along rows [height, 1 + width], a filter before each, into pixels [height,
    width].
    """
    for y in range(len(rows)):
        level: Scalar = 0
        for x in range(pixels.shape[1]):
            level += rows[y, 1 + x]
            pixels[y, x] = level & 0xFF


@njit(cache=True, nogil=True)
def sum_pairs(rows: Bytes, pixels: Array) -> None:
    """Does the same for 16 bits: rows [height, 1 + 2 width], the high byte first."""
    for y in range(len(rows)):
        high: Scalar = 0
        low: Scalar = 0
        for x in range(pixels.shape[1]):
            high += rows[y, 1 + 2 * x]
            low += rows[y, 2 + 2 * x]
            pixels[y, x] = (high & 0xFF) << 8 | low & 0xFF


@njit(cache=True, nogil=True)
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
