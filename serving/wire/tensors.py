"""Writes arrays as serialised TensorProto, without a Python loop over the values.

The packed `float_val` field on the wire is the array's own bytes, so answers carry typed fields
(what TensorFlow Serving sends, and what its clients read) at the price of a copy; the protobuf API
would take some 20 ms an image. `serving/wire/tensor_reader.py` reads them.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from models.tasks.arrays import Array
from serving.wire.messages import message
from serving.wire.protobuf import prefix
from serving.wire.tensor_types import (
    AS_BITS,
    AS_IN_MEMORY,
    CONTENT,
    NUMBERS,
    STRING,
    STRING_VAL,
    TYPES,
)
from serving.wire.varints import encode

Piece = bytes | memoryview


def parts_of(value: Array, content: bool = False) -> list[Piece]:
    """Returns a serialised TensorProto in pieces, to be joined; the array's own memory is one of
    them.

    Typed fields, or `tensor_content` where `content` says so, as
    `--enable_serialization_as_tensor_content` wants it; texts are typed always, since TensorFlow's
    Python reads no others. Raises ValueError for a type that TensorProto has no field for.
    """
    if value.dtype.kind in "OSU":
        return _strings(value)
    number = number_of_type(value.dtype)
    head = head_of(number, value.shape)
    if not value.size:
        # an empty tensor has a type and a shape
        return [head]
    if content:
        return [head, prefix(CONTENT, value.nbytes), _memory(value)]
    field = TYPES[number][2]
    if number in AS_IN_MEMORY:
        return [head, prefix(field, value.nbytes), _memory(value)]
    # bits of a half, as a whole number
    values = encode(value.view(np.uint16) if number in AS_BITS else value)
    return [head, prefix(field, len(values)), values]


# numpy puts a type's name together anew each time
@functools.lru_cache(maxsize=64)
def number_of_type(dtype: np.dtype[Any]) -> int:
    """Returns TensorFlow's number of a numpy type. Raises ValueError for a type that TensorProto
    has no field for.
    """
    if dtype.name not in NUMBERS:
        raise ValueError(f"expected one of {sorted(NUMBERS)} or texts, got {dtype.name}")
    return NUMBERS[dtype.name]


def _memory(value: Array) -> memoryview:
    """Returns an array's bytes, in the order of its own axes."""
    # row by row, as the protocol has it; no copy where it lies so already
    return np.ascontiguousarray(value).reshape(-1).view(np.uint8).data


# answers of one model have few shapes
@functools.lru_cache(maxsize=4096)
def head_of(number: int, shape: tuple[int, ...]) -> bytes:
    """Returns a serialised TensorProto of type `number` and `shape` without its values."""
    proto = message("TensorProto")(dtype=number)
    # a scalar has a shape, which is empty
    proto.tensor_shape.SetInParent()
    for size in shape:
        proto.tensor_shape.dim.add(size=size)
    data: bytes = proto.SerializeToString()
    return data


def _strings(value: Array) -> list[Piece]:
    """Returns the pieces of a string tensor."""
    parts: list[Piece] = [head_of(STRING, value.shape)]
    for item in value.reshape(-1).tolist():
        text = item if isinstance(item, bytes) else str(item).encode()
        parts += [prefix(STRING_VAL, len(text)), text]
    return parts
