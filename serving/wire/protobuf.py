"""Reads and writes serialised protobuf messages, field by field: what a stranger sent is counted
before it is made.

Parsed by protobuf, a message of empty strings takes eight times its own size and one of empty
submessages more; here a field costs nothing until somebody keeps it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

# as many values as a string tensor may have in a request
MOST_FIELDS = 4 << 20  # in one message; a string tensor has a field a value
VARINT = 0
FIXED_64 = 1
LENGTH = 2
FIXED_32 = 5
SINGLE = [bytes([number]) for number in range(128)]
SHORT = 64  # bytes that are cheaper to copy than to look at: a view alone takes 184
View = TypeVar("View", bound=bytes | memoryview)


def fields(data: int | memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yields (number, value) of a serialised message's fields in order: a varint, or the bytes of
    what has a length or a fixed width. Raises ValueError.
    """
    # a view: nothing is copied until somebody keeps it
    data = bytes_of(data)
    size = len(data)
    at = 0
    # a loop with an end: a message of empty fields has a field every two bytes
    for _ in range(MOST_FIELDS):
        if at == size:
            return
        # of one byte, as all fields up to 15 have it: without a call
        tag = data[at]
        if tag < 128:
            at += 1
        else:
            tag, at = read_varint(data, at)
        number = tag >> 3
        wire_type = tag & 7
        # field 0 is what zeros read as: no message begins so
        if not number:
            raise ValueError("expected a protobuf message, got a field without a number")
        if wire_type == VARINT:
            value, at = read_varint(data, at)
            yield number, value
            continue
        if wire_type == LENGTH:
            # a short one, as names, texts and single numbers have it
            if at < size and data[at] < 128:
                length = data[at]
                at += 1
            else:
                length, at = read_varint(data, at)
        elif wire_type in (FIXED_64, FIXED_32):
            length = 8 if wire_type == FIXED_64 else 4
        else:
            raise ValueError(f"expected a protobuf message, got wire type {wire_type}")
        # before the slice, which would be shorter without a word
        if at + length > size:
            raise ValueError(f"expected {length} bytes of field {number}, got {size - at}")
        yield number, data[at : at + length]
        at += length
    if at < size:
        raise ValueError(f"expected at most {MOST_FIELDS} fields in a message, got more")


def bytes_of(value: int | View) -> View:
    """Returns the value of a field that has a length. Raises ValueError for a number."""
    if isinstance(value, int):
        raise ValueError(f"expected a message, got the number {value}")
    return value


def short(value: memoryview) -> bytes | memoryview:
    """Returns bytes that are kept by the million: short ones as a copy, which the collector does
    not walk through again and again as it does through views.
    """
    return bytes(value) if len(value) <= SHORT else value


def text_of(value: int | memoryview) -> str:
    """Returns the value of a string field. Raises ValueError for what is no UTF-8."""
    # by way of bytes: a view has no decode
    return bytes(bytes_of(value)).decode()


def number_of(value: int | memoryview) -> int:
    """Returns the value of a varint field. Raises ValueError for bytes."""
    if not isinstance(value, int):
        raise ValueError(f"expected a number, got {len(value)} bytes")
    return value


def read_varint(data: memoryview, at: int) -> tuple[int, int]:
    """Returns (number, where it ends). Raises ValueError where it does not end within ten bytes."""
    number = 0
    shift = 0
    # ten bytes of seven bits: more no number of 64 bits has
    while at < len(data) and shift < 70:
        number |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return number, at
    raise ValueError("expected a protobuf message, got a number without an end")


def varint(number: int) -> bytes:
    """Returns protobuf's spelling of a number from 0 up: seven bits a byte, the lowest first."""
    # nearly every tag and length
    if number < 128:
        return SINGLE[number]
    data = bytearray()
    # eight bits to a byte, of which the highest says that there is more
    while number > 127:
        data.append(number & 127 | 128)
        number >>= 7
    return bytes([*data, number])


def prefix(number: int, length: int) -> bytes:
    """Returns the tag and length that stand before the bytes of field `number`."""
    return varint(number << 3 | LENGTH) + varint(length)
