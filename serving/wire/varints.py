"""Packed whole numbers (`int_val`, `int64_val`, ...) to numpy and back without a loop over them.

A varint may be spelled with more bytes than it needs, and every reader of protobuf takes it. So all
values of a tensor are written equally wide, which is plain arithmetic on the array.
"""

from __future__ import annotations

import numpy as np

from models.tasks.arrays import Array, Bytes, Integers

WIDEST = 10  # bytes of a negative number, which protobuf extends to 64 bits
PIECE = 1 << 20  # bytes that are read at a time: each value takes 8 while it is put together


def encode(values: Integers) -> bytes:
    """`values`, any shape, as varints of one width."""
    values = values.reshape(-1)
    if not values.size:
        return b""
    if values.min() < 0:
        return _spread(values.astype(np.int64).view(np.uint64), WIDEST)
    width = max(1, -(-int(values.max()).bit_length() // 7))
    if width == 1:
        return values.astype(np.uint8).tobytes()
    if width == 2:
        wide = values.astype("<u2")
        return (((wide & 0x3F80) << 1) | (wide & 0x7F) | 0x80).astype("<u2").tobytes()
    return _spread(values.astype(np.uint32 if width <= 4 else np.uint64), width)


def _spread(values: Integers, width: int) -> bytes:
    digits = np.empty((len(values), width), np.uint8)
    for i in range(width):
        digits[:, i] = (values >> (7 * i)) & 127
    digits[:, :-1] |= 128
    return digits.tobytes()


def decode(data: memoryview, dtype: np.dtype[np.generic], most: int) -> Array:
    """[n] of `dtype`, the first `most` values of `data`; what is too large for `dtype` is cut, as a
    cast in C. Raises ValueError where a number does not end.
    """
    raw: Bytes = np.frombuffer(data, np.uint8)
    if raw.size and raw[-1] > 127:
        raise ValueError("expected numbers, got one without an end")
    pieces = []
    count = 0
    at = 0
    while at < len(raw) and count < most:
        end = min(at + PIECE, len(raw))
        while raw[end - 1] > 127:  # to the end of the number that the piece cuts
            end += 1
        values = _joined(raw[at:end]).astype(dtype)
        pieces.append(values)
        count += len(values)
        at = end
    return np.concatenate(pieces)[:most] if pieces else np.empty(0, dtype)


def _joined(raw: Bytes) -> Integers:
    """uint64 [n] of whole varints."""
    ends = np.flatnonzero(raw < 128)
    if len(ends) == len(raw):
        return raw.astype(np.uint64)
    starts = np.concatenate([[0], ends[:-1] + 1])
    widths = ends - starts + 1
    if widths.max() > WIDEST:
        raise ValueError(f"expected numbers of at most {WIDEST} bytes, got {widths.max()}")
    values = np.zeros(len(ends), np.uint64)
    for i in range(int(widths.max())):
        longer = slice(None) if widths.min() > i else widths > i
        digits = raw[starts[longer] + i].astype(np.uint64) & np.uint64(127)
        values[longer] |= digits << np.uint64(7 * i)
    return values
