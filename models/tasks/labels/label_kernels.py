"""Compiled loops that write the label of colorization, as halves, where it belongs: two megabytes a
picture of which one number in thirty is not 0.

A few rows are filled in the processor's first cache and written past all others, so that memory is
not read before it is overwritten, and what is cached stays. Colours whose neighbours are not all
bins, and those with two centres at one distance, are left to `colours.soft_shares`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from models.provenance.kernels import njit
from models.tasks.arrays import Bools, Bytes, Floats, Integers
from models.tasks.labels.block_kernels import (
    cells_of_row,
    choose_tenth,
    extremes,
    factors,
    growths,
    light_of_row,
    roots_of_light,
    shares_of_two,
    totals,
)
from models.tasks.labels.colour_neighbours import CELLS, REACH

# By so many steps must the tenth centre be nearer than the next. The colours of `rgb_to_lab` and of
# `block_kernels` differ by 1e-14.
MARGIN = 1e-9
# Blocks whose labels, 20 KB, lie in the first cache until they are written: a picture takes a third
# longer by a quarter as many, and no less by twice as many.
TOGETHER = 32
# Numbers of 8 bytes, and the bytes, that one instruction writes past the caches.
LANES = 2
LANE_BYTES = 16
# Where a row of `Neighbours.index` has the far centre and the three tenth ones.
FAR = 3
TENTH = 4
# The row of `Neighbours` that is of the middle of the lattice.
MIDDLE = 8 * (REACH * CELLS + REACH)
# Exponents of float32 and of halves begin at -126 and at -14.
REBIAS = 112 << 23


@njit(cache=True, nogil=True, error_model="numpy")
def round_to_halves(singles: Floats, halves: Integers) -> None:
    """Writes the bits of the halves that are nearest to singles [m] float32, ties to even, into
    halves [m]. No share here is so small that its half lacks digits.
    """
    bits = singles.view(np.uint32)
    for i in range(len(bits)):
        odd = (bits[i] >> np.uint32(13)) & np.uint32(1)
        rounded = bits[i] - np.uint32(REBIAS - 0xFFF) + odd
        halves[i] = rounded >> np.uint32(13)


@njit(cache=True, nogil=True, error_model="numpy")
def three_by_three(
    rows: Floats, columns: Floats, steps: Floats, singles: Floats, halves: Integers, words: Integers
) -> None:
    """Writes into words [3, n] uint64 the halves of three by three centres, 0 for the farthest
    corner: a word for each step along a, in it the three along b, which are neighbours by number
    too. singles: [3 n] float32, halves: [3 n] uint32, overwritten.
    """
    n = words.shape[1]
    for row in range(3):
        for i in range(n):
            singles[i] = rows[row, i] * columns[0, i]
        for i in range(n):
            singles[n + i] = rows[row, i]
        for i in range(n):
            singles[2 * n + i] = rows[row, i] * columns[1, i]
        round_to_halves(singles, halves)
        for i in range(n):
            below, above = np.uint64(halves[i]), np.uint64(halves[2 * n + i])
            if row != 1:
                facing = (steps[0, i] >= 0) == (row == 0)
                below = np.uint64(0) if facing & (steps[1, i] >= 0) else below
                above = np.uint64(0) if facing & (steps[1, i] < 0) else above
            middle = np.uint64(halves[n + i]) << np.uint64(16)
            words[row, i] = below | middle | (above << np.uint64(32))


@intrinsic
def stream(typing: Any, goal: Any, source: Any, place: Any) -> tuple[Any, Any]:
    """Writes LANES numbers of source [n], from a place on, to that place of goal [n], past the
    caches: memory is not read first, and what is cached stays. Both are uint64; goal begins at a
    multiple of LANE_BYTES. `settle` ends a number of them.
    """

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        lanes = ir.VectorType(ir.IntType(64), LANES).as_pointer()
        goal_at, source_at = (
            builder.bitcast(
                builder.gep(context.make_array(kind)(context, builder, value).data, [values[2]]),
                lanes,
            )
            for kind, value in zip(signature.args[:2], values[:2], strict=True)
        )
        store = builder.store(builder.load(source_at, align=8), goal_at, align=LANE_BYTES)
        one = builder.module.add_metadata([ir.Constant(ir.IntType(32), 1)])
        store.set_metadata("nontemporal", one)
        return context.get_dummy_value()

    return types.void(goal, source, place), code


@intrinsic
def settle(typing: Any) -> tuple[Any, Any]:
    """Waits until every thread sees what `stream` has written."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(), code


@njit(cache=True, nogil=True, error_model="numpy")
def copy_past_caches(source: Integers, goal: Integers) -> None:
    """Copies source [m] to goal [m] by `stream`; of both the bytes are a multiple of LANE_BYTES."""
    words, places = source.view(np.uint64), goal.view(np.uint64)
    at = 0
    # eight a turn: counting takes as long as writing
    while at + 8 * LANES <= len(words):
        stream(places, words, at)
        stream(places, words, at + LANES)
        stream(places, words, at + 2 * LANES)
        stream(places, words, at + 3 * LANES)
        stream(places, words, at + 4 * LANES)
        stream(places, words, at + 5 * LANES)
        stream(places, words, at + 6 * LANES)
        stream(places, words, at + 7 * LANES)
        at += 8 * LANES
    while at < len(words):
        stream(places, words, at)
        at += LANES


@intrinsic
def write_word(typing: Any, row: Any, place: Any, word: Any) -> tuple[Any, Any]:
    """Writes a word, uint64, over the four numbers of row [n] uint16 from a place on."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        start = context.make_array(signature.args[0])(context, builder, values[0]).data
        at = builder.gep(start, [values[1]])
        builder.store(values[2], builder.bitcast(at, values[2].type.as_pointer()), align=2)
        return context.get_dummy_value()

    return types.void(row, place, word), code


@njit(cache=True, nogil=True, error_model="numpy")
def place_halves(
    cell: Integers,
    tenth: Floats,
    index: Integers,
    words: Integers,
    others: Integers,
    rows: Integers,
) -> None:
    """Writes the halves of blocks into rows [m, bins] uint16. words: [3, m]; others: [2, m]; index:
    as in `Neighbours`. A word's fourth number, 0, is written before what may stand there.
    """
    for i in range(len(rows)):
        row, at = rows[i], index[np.uint64(cell[i])]
        for k in range(3):
            write_word(row, np.uint64(at[k]), words[k, i])
        row[np.uint64(at[FAR])] = others[0, i]
        row[np.uint64(at[np.uint64(TENTH + np.int64(tenth[i]))])] = others[1, i]


@njit(cache=True, nogil=True, error_model="numpy")
def clear_halves(cell: Integers, tenth: Floats, index: Integers, rows: Integers) -> None:
    """Writes 0 where `place_halves` wrote."""
    for i in range(len(rows)):
        row, at = rows[i], index[np.uint64(cell[i])]
        for k in range(3):
            write_word(row, np.uint64(at[k]), np.uint64(0))
        row[np.uint64(at[FAR])] = 0
        row[np.uint64(at[np.uint64(TENTH + np.int64(tenth[i]))])] = 0


@njit(cache=True, nogil=True, error_model="numpy")
def place_sparse(
    cell: Integers,
    tenth: Floats,
    index: Integers,
    words: Integers,
    others: Integers,
    numbers: Integers,
    scratch: Integers,
    label: Integers,
) -> None:
    """Writes the sparse form of blocks into label [m, 20], of what `place_halves` writes into rows.
    numbers: [bins] uint64, a bin's and those of the three behind it; scratch: [m, 32] uint16.

    Three neighbours along b follow each other, and neither of the two others lies between; one may
    be the corner that has no share among the nine. What a word has behind its neighbours is
    overwritten by what follows, or stands behind the tenth.
    """
    for i in range(len(label)):
        bins, shares = scratch[i, :16], scratch[i, 16:]
        at = index[np.uint64(cell[i])]
        far, last = at[np.uint64(FAR)], at[np.uint64(TENTH + np.int64(tenth[i]))]
        place, far_place, last_place = np.int64(0), np.int64(last < far), np.int64(far < last)
        for k in range(3):
            first, word = at[np.uint64(k)], words[k, i]
            # the corner that has no share, if it is the first of three
            lacks = np.int64((word & np.uint64(0xFFFF)) == 0)
            count = 3 - lacks - np.int64((word >> np.uint64(32)) == 0)
            above_far = np.int64(first + lacks > far)
            above_last = np.int64(first + lacks > last)
            shift = np.uint64(16 * lacks)
            start = np.uint64(place + above_far + above_last)
            write_word(bins, start, numbers[np.uint64(first)] >> shift)
            write_word(shares, start, word >> shift)
            place += count
            far_place += (1 - above_far) * count
            last_place += (1 - above_last) * count
        bins[np.uint64(far_place)] = numbers[np.uint64(far)]
        shares[np.uint64(far_place)] = others[0, i]
        bins[np.uint64(last_place)] = numbers[np.uint64(last)]
        shares[np.uint64(last_place)] = others[1, i]
    # behind all of them: what was written in words and is read in others has to reach the cache
    for i in range(len(label)):
        for k in range(10):
            label[i, k] = scratch[i, k]
            label[i, 10 + k] = scratch[i, 16 + k]


@njit(cache=True, nogil=True, error_model="numpy")
def write_halves(
    pixels: Bytes,
    levels: Floats,
    to_ratio: Floats,
    index: Integers,
    complete: Bools,
    numbers: Integers,
    label: Integers,
    rest: Integers,
    rest_ab: Floats,
) -> int:
    """Writes the shares of all blocks of pixels, uint8 [4 side or more, 4 side or more, 3], into
    label [side, side, bins], or in the sparse form into label [side, side, 20]; all are the bits of
    halves (uint16). Returns the number of blocks that are left to the caller: whatever is written
    for them, their places are in rest [side^2], and their colours in rest_ab [side^2, 2].

    levels: [4081], light of a sum of sixteen bytes; to_ratio: [3, 3], light to XYZ over that of
    white; index, complete: as in `Neighbours`; numbers: as of `place_sparse`.
    """
    side, bins = len(label), len(numbers)
    sparse = label.shape[2] != bins
    columns = np.empty(12 * side, "uint16")
    light = np.empty((3, side))
    ratio, roots = np.empty(3 * side), np.empty(3 * side)
    singles = np.empty(3 * side, "float32")
    ab, steps, growth = np.empty((2, side)), np.empty((2, side)), np.empty((2, side))
    inverse, towards, away = np.empty((2, side)), np.empty((2, side)), np.empty((2, side))
    tenth, margin = np.empty(side), np.empty(side)
    far, last, whole = np.empty(side), np.empty(side), np.empty(side)
    cell = np.empty(side, "int32")
    down, along = np.empty((3, side)), np.empty((2, side))
    halves = np.empty(3 * side, "uint32")
    words = np.empty((3, side), "uint64")
    far_singles, others = np.empty((2, side), "float32"), np.empty((2, side), "uint16")
    rows = np.zeros((TOGETHER, bins), "uint16")
    scratch = np.empty((side, 32), "uint16")
    goal = label.reshape(-1)
    # asked once: it takes as long as some hundred bytes
    begins = goal.ctypes.data
    left = 0
    for y in range(side):
        light_of_row(pixels[4 * y : 4 * y + 4], levels, columns, light)
        roots_of_light(light, to_ratio, ratio, singles, roots)
        cells_of_row(roots, ab, steps, cell)
        choose_tenth(steps, tenth, margin)
        growths(steps.reshape(-1), growth.reshape(-1))
        extremes(growth.reshape(-1), inverse.reshape(-1), towards.reshape(-1), away.reshape(-1))
        totals(towards, away, tenth, far, last, whole)
        factors(growth, inverse, whole, down, along)
        shares_of_two(whole, far, last, far_singles)
        three_by_three(down, along, steps, singles, halves, words)
        round_to_halves(far_singles.reshape(-1), others.reshape(-1))
        for i in range(side):
            if not (margin[i] > MARGIN and complete[cell[i]]):
                rest[left] = y * side + i
                rest_ab[left, 0] = ab[0, i]
                rest_ab[left, 1] = ab[1, i]
                left += 1
                # whose bins are there
                cell[i] = MIDDLE
        if sparse:
            place_sparse(cell, tenth, index, words, others, numbers, scratch, label[y])
            continue
        for start in range(0, side, TOGETHER):
            stop = min(start + TOGETHER, side)
            some, first = rows[: stop - start], (y * side + start) * bins
            which, tenths = cell[start:stop], tenth[start:stop]
            place_halves(which, tenths, index, words[:, start:stop], others[:, start:stop], some)
            part = goal[first : first + some.size]
            if (begins + part.itemsize * first) % LANE_BYTES or part.nbytes % LANE_BYTES:
                part[:] = some.reshape(-1)
            else:
                copy_past_caches(some.reshape(-1), part)
            clear_halves(which, tenths, index, some)
    settle()
    return left


@njit(cache=True, nogil=True, error_model="numpy")
def widen(halves: Integers, singles: Floats) -> None:
    """Writes the numbers of halves [m], bits in uint16, into singles [m] float32."""
    bits = singles.view(np.uint32)
    for i in range(len(bits)):
        bits[i] = np.uint32(halves[i]) << np.uint32(13)
    # the digits are in their place, the exponent is too small: of a half without a leading one, too
    for i in range(len(singles)):
        singles[i] *= np.float32(2.0**112)
