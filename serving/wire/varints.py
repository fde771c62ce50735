"""Converts packed whole numbers (`int_val`, `int64_val`, ...) to numpy and back without a loop over
them.

A varint may be spelled with more bytes than it needs, and every reader of protobuf takes it. So all
values of a tensor are written equally wide, which is plain arithmetic on the array.
"""

from __future__ import annotations

import numpy as np

from models.tasks.arrays import Array, Bytes, Integers

WIDEST = 10  # bytes of a negative number, which protobuf extends to 64 bits
PIECE = 1 << 17  # bytes that are read at a time: each value takes 8 while it is put together
CACHED = 1 << 15  # values that are written at a time
# a value of three bytes
TRIPLE = np.dtype({"names": ["pair", "last"], "formats": ["<u2", "u1"], "offsets": [0, 2]})


def encode(values: Integers) -> bytes | memoryview:
    """Returns `values`, any shape, as varints of one width."""
    values = values.reshape(-1)
    if not values.size:
        return b""
    # a negative number fills all ten bytes
    if values.dtype.kind != "u" and values.min() < 0:
        return _spread(values.astype(np.int64).view(np.uint64), WIDEST)
    # as wide as the largest needs, seven bits a byte
    width = max(1, -(-int(values.max()).bit_length() // 7))
    if width == 1:
        # below 128 a varint is the byte itself
        return _memory(values.astype(np.uint8))
    # whole numbers of a picture's codes: two bytes
    if width == 2:
        return _pairs(values)
    # depths in steps of 1/512 m: three from 32 m on
    if width == 3:
        return _triples(values)
    return _spread(values.astype(np.uint32 if width == 4 else np.uint64), width)


def _pairs(values: Integers) -> memoryview:
    """Returns two bytes a value, as pictures have it: a piece at a time, which stays in the
    cache.
    """
    pairs = np.empty(len(values), "<u2")
    for start in range(0, len(values), CACHED):
        piece = values[start : start + CACHED].astype("<u2", copy=False)
        pair = pairs[start : start + CACHED]
        # v + (v & ~127) + 128: bits 7 to 13 go one up, as 2 b = b + b, and bit 7, which they leave
        # free, says that a second byte follows
        np.bitwise_and(piece, 0x3F80, out=pair)
        np.add(pair, piece, out=pair)
        np.add(pair, 0x80, out=pair)
    return _memory(pairs)


def _triples(values: Integers) -> memoryview:
    """Returns three bytes a value, a piece at a time: the first two are written as one number."""
    triples = np.empty(len(values), TRIPLE)
    # 16 bits where they hold the values: half the work
    width = "<u2" if values.dtype.itemsize <= 2 else "<u4"
    for start in range(0, len(values), CACHED):
        piece = values[start : start + CACHED].astype(width, copy=False)
        triple = triples[start : start + CACHED]
        # as in `_pairs`, and bit 15: a third byte follows
        triple["pair"] = (piece & 0x3F80) + (piece & 0x3FFF) + 0x8080
        triple["last"] = piece >> 14
    return _memory(triples)


def _memory(values: Array) -> memoryview:
    return values.view(np.uint8).data


def _spread(values: Integers, width: int) -> memoryview:
    digits = np.empty((len(values), width), np.uint8)
    for i in range(width):
        digits[:, i] = (values >> (7 * i)) & 127
    # all but the last byte say that there is more
    digits[:, :-1] |= 128
    return _memory(digits.reshape(-1))


def decode(data: bytes | memoryview, dtype: np.dtype[np.generic], most: int) -> Array:
    """Returns [n] of `dtype`, the first `most` values of `data`; what is too large for `dtype` is
    cut, as a cast in C does. Raises ValueError where a number does not end.
    """
    raw: Bytes = np.frombuffer(data, np.uint8)
    # only the last byte of a number is below 128
    if raw.size and raw[-1] > 127:
        raise ValueError("expected numbers, got one without an end")
    pieces = []
    count = 0
    at = 0
    # no more than were asked for: surplus values cost nothing
    while at < len(raw) and count < most:
        end = min(at + PIECE, len(raw))
        # pieces end where numbers do: on to the end of the number that the piece cuts
        end += _left_of_number(raw[end - 1 : end - 1 + WIDEST])
        values = _joined(raw[at:end]).astype(dtype)
        pieces.append(values)
        count += len(values)
        at = end
    return np.concatenate(pieces)[:most] if pieces else np.empty(0, dtype)


def _left_of_number(raw: Bytes) -> int:
    """Returns how many bytes follow the first one of `raw` until the number ends. Raises ValueError
    where it is wider than protobuf's, whose end may be megabytes away.
    """
    ends = np.flatnonzero(raw < 128)
    if not len(ends):
        raise ValueError(f"expected numbers of at most {WIDEST} bytes, got a wider one")
    return int(ends[0])


def _joined(raw: Bytes) -> Integers:
    """Returns [n] values of whole varints; quick where all are as wide as the first."""
    # as wide as the first: written by us, all others are
    width = int(np.argmax(raw < 128)) + 1
    if width == 1 and raw.max() < 128:
        return raw
    if width == 2 and len(raw) % 2 == 0:
        pairs = raw.view("<u2")
        # the first byte of each pair goes on, the second does not
        if ((pairs & 0x8080) == 0x0080).all():
            return ((pairs >> 1) & 0x3F80) | (pairs & 0x7F)
    if 2 < width <= WIDEST and len(raw) % width == 0:
        table = raw.reshape(-1, width)
        if (table[:, -1] < 128).all() and (table[:, :-1] > 127).all():
            return _equally_wide(table)
    return _of_any_width(raw)


def _equally_wide(table: Bytes) -> Integers:
    """Returns uint64 [n] of varints [n, width]."""
    values = np.zeros(len(table), np.uint64)
    for i in range(table.shape[1]):
        values |= (table[:, i] & 127).astype(np.uint64) << np.uint64(7 * i)
    return values


def _of_any_width(raw: Bytes) -> Integers:
    """Returns uint64 [n] of varints of different widths. Raises ValueError for a number wider than
    protobuf's.
    """
    ends = np.flatnonzero(raw < 128)
    starts = np.concatenate([[0], ends[:-1] + 1])
    widths = ends - starts + 1
    if widths.max() > WIDEST:
        raise ValueError(f"expected numbers of at most {WIDEST} bytes, got {widths.max()}")
    values = np.zeros(len(ends), np.uint64)
    for i in range(int(widths.max())):
        # only those that are so long; all, without an index, while none is shorter
        longer = slice(None) if widths.min() > i else widths > i
        digits = raw[starts[longer] + i].astype(np.uint64) & np.uint64(127)
        values[longer] |= digits << np.uint64(7 * i)
    return values
