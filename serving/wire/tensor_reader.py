"""Reads a serialised TensorProto as an array, by the rules of TensorFlow's own reader
(`Tensor::FromProto`), for server and client; without TensorFlow.

What a message claims is counted before it is made: a few bytes may claim gigabytes, by a shape and
one value that stands for all.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import numpy as np

from models.tasks.arrays import Array
from serving.wire.messages import message
from serving.wire.protobuf import bytes_of, fields, number_of, read_varint, short, varint
from serving.wire.tensor_types import (
    AS_BITS,
    AS_IN_MEMORY,
    CONTENT,
    DTYPE,
    SHAPE,
    STRING,
    STRING_VAL,
    TYPES,
    numpy_type,
)
from serving.wire.varints import decode

LARGEST_REQUEST = 256 << 20  # bytes that all tensors of one request may claim together
STRING_COST = 256  # bytes of a string beside its text, while Python and TensorFlow hold it
LONGEST_SHAPE = 8192  # bytes; TensorFlow knows 254 dimensions
MOST_SHAPES = 254  # pieces of one shape, which protobuf merges: one a dimension
MOST_DIMENSIONS = 32  # numpy's

Value = int | bytes | memoryview  # of a field that is kept


class Allowance:
    """Bytes that the tensors of one request may still take. noun: what is counted, for errors."""

    def __init__(self, left: int = LARGEST_REQUEST, noun: str = "tensors") -> None:
        self.most = left
        self.left = left
        self.noun = noun

    def take(self, size: int) -> None:
        """Takes bytes from the allowance. Raises ValueError if fewer are left."""
        if size > self.left:
            raise ValueError(f"expected {self.noun} of at most {self.most} bytes in a request")
        self.left -= size


def array(tensor: memoryview, allowance: Allowance | None = None) -> Array:
    """Returns the array of a serialised TensorProto; dense floats are read-only views of it.

    Missing values repeat the last one, none at all are zeros, surplus ones are cut. Raises
    ValueError for another message, an unknown type or shape, content that does not fit, or more
    than the allowance.
    """
    allowance = allowance or Allowance()
    kind = 0
    # in pieces: a message that comes twice is merged
    shape: list[memoryview] = []
    content = None
    values: list[tuple[int, Value]] = []
    # once over the fields: the shape may come after the values
    for number, value in fields(tensor):
        # strings and unpacked numbers have one field a value; the others cost time, if many
        allowance.take(STRING_COST)
        if number == DTYPE:
            kind = number_of(value)
        elif number == SHAPE:
            shape.append(_shape_piece(value, shape))
        elif number == CONTENT:
            content = bytes_of(value)
        else:
            values.append((number, value if isinstance(value, int) else short(value)))
    dtype = numpy_type(kind)
    sizes = sizes_of(b"".join(shape))
    count = math.prod(sizes)
    if kind == STRING:
        return _strings(values, content, count, allowance).reshape(sizes)
    # before it is made: a shape of a few bytes may ask for gigabytes
    allowance.take(count * dtype.itemsize)
    # empty content is none
    if content is not None and len(content):
        return np.frombuffer(content, dtype).reshape(sizes)
    # other typed fields are not looked at, as TensorFlow does not
    pieces = [value for number, value in values if number == TYPES[kind][2]]
    return _numbers(pieces, kind, count).reshape(sizes)


def _shape_piece(value: int | memoryview, before: list[memoryview]) -> memoryview:
    """Returns one more piece of a shape. Raises ValueError for more bytes or pieces than any shape
    has.
    """
    piece = bytes_of(value)
    if len(before) == MOST_SHAPES or len(piece) > LONGEST_SHAPE:
        raise ValueError(
            f"expected a shape of at most {LONGEST_SHAPE} bytes in at most {MOST_SHAPES} pieces"
        )
    return piece


def _numbers(pieces: list[Value], kind: int, count: int) -> Array:
    """Returns [count] of the typed field's pieces: packed values, or single ones."""
    dtype = numpy_type(kind)
    if kind in AS_IN_MEMORY:
        # packed in one piece and whole, as nearly always: a view, no copy
        if len(pieces) == 1 and len(bytes_of(pieces[0])) == count * dtype.itemsize:
            return np.frombuffer(bytes_of(pieces[0]), dtype)
        return _padded(np.frombuffer(b"".join([bytes_of(piece) for piece in pieces]), dtype), count)
    # halves travel as whole numbers of their bits
    width = np.dtype("uint16") if kind in AS_BITS else dtype
    return _padded(decode(_packed(pieces), width, count).view(dtype), count)


def _packed(pieces: list[Value]) -> bytes | memoryview:
    """Returns the varints of all pieces, one after the other: numpy is asked once, not a piece.
    Raises ValueError where a piece ends within a number.
    """
    # one packed piece, as nearly always: no copy
    if len(pieces) == 1 and not isinstance(pieces[0], int):
        return pieces[0]
    parts: list[bytes | memoryview] = []
    for piece in pieces:
        if isinstance(piece, int):
            # negative numbers travel as 64 bits
            parts.append(varint(piece & (2**64 - 1)))
        elif len(piece) and piece[-1] > 127:
            raise ValueError("expected numbers, got one without an end")
        else:
            parts.append(piece)
    return b"".join(parts)


def _strings(
    values: list[tuple[int, Value]],
    content: memoryview | None,
    count: int,
    allowance: Allowance,
) -> Array:
    """Returns object [count] of bytes. Every string is counted against the allowance, also those
    that repeat the last.
    """
    texts: Sequence[bytes | memoryview]
    if content is not None and len(content):
        # before they are listed: a byte of content is a text, and a list of lengths costs memory
        allowance.take(STRING_COST * count)
        texts = _listed_strings(content, count)
    else:
        texts = [bytes_of(value) for number, value in values if number == STRING_VAL]
    missing = max(count - len(texts), 0)
    last = len(texts[-1]) if texts else 0
    # also those that repeat the last: each becomes an object
    allowance.take(sum(map(len, texts[:count])) + missing * (STRING_COST + last))
    array_of_texts: Array = np.empty(min(len(texts), count), object)
    array_of_texts[:] = [bytes(text) for text in texts[:count]]
    return _padded(array_of_texts, count)


def _listed_strings(content: memoryview, count: int) -> list[memoryview]:
    """Returns the strings of `tensor_content`: all lengths, then all texts."""
    # each string has a length of one byte at least
    if count > len(content):
        raise ValueError(f"expected {count} strings, got {len(content)} bytes")
    at = 0
    lengths = []
    for _ in range(count):
        length, at = read_varint(content, at)
        lengths.append(length)
    if at + sum(lengths) != len(content):
        raise ValueError(f"expected {sum(lengths)} bytes of text, got {len(content) - at}")
    texts = []
    for length in lengths:
        texts.append(content[at : at + length])
        at += length
    return texts


def _padded(values: Array, count: int) -> Array:
    """Returns [count] values: cut, or filled up with the last value."""
    if len(values) >= count:
        return values[:count]
    if len(values):
        last = values[-1]
    else:
        last = b"" if values.dtype == object else values.dtype.type(0)
    filled = np.full(count, last, values.dtype)
    filled[: len(values)] = values
    return filled


# requests of one client have one shape: it is parsed once
@functools.lru_cache(maxsize=4096)
def sizes_of(text: bytes) -> tuple[int, ...]:
    """Returns the sizes of a serialised TensorShapeProto. Raises ValueError for a shape that is not
    known.
    """
    from google.protobuf.message import DecodeError

    if len(text) > LONGEST_SHAPE:
        raise ValueError(f"expected a shape, got {len(text)} bytes of it")
    try:
        shape = message("TensorShapeProto").FromString(text)
    except DecodeError as error:
        raise ValueError(f"expected a shape, got {error}") from error
    sizes = tuple(dimension.size for dimension in shape.dim)
    # an unknown dimension is written as -1
    if shape.unknown_rank or min(sizes, default=0) < 0:
        raise ValueError(f"expected a known shape, got {list(sizes)}")
    if len(sizes) > MOST_DIMENSIONS:
        raise ValueError(f"expected at most {MOST_DIMENSIONS} dimensions, got {len(sizes)}")
    return sizes
