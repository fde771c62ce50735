"""The outputs of a serialised PredictResponse as arrays, without TensorFlow: a client needs no more
than gRPC and protobuf.

Dense answers are read where they lie, since the packed `float_val` field on the wire is the array's
own bytes; what is spelled otherwise goes through protobuf (`serving/wire/messages.py`).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from models.tasks.arrays import Array
from serving.wire.messages import message

LARGEST_TENSOR = 256 << 20  # bytes that a short message may claim by repeating one value
# PredictResponse.outputs; key and value of an entry
OUTPUTS = 1
KEY = 1
VALUE = 2
# TensorProto.dtype and .tensor_shape
DTYPE = 1
SHAPE = 2
STRING = 7  # TensorFlow's number of its string type
STRING_VAL = 8

# TensorFlow's number of a type -> (numpy's name, typed field, its number)
TYPES = {
    1: ("float32", "float_val", 5),
    2: ("float64", "double_val", 6),
    3: ("int32", "int_val", 7),
    4: ("uint8", "int_val", 7),
    5: ("int16", "int_val", 7),
    6: ("int8", "int_val", 7),
    8: ("complex64", "scomplex_val", 9),
    9: ("int64", "int64_val", 10),
    10: ("bool", "bool_val", 11),
    17: ("uint16", "int_val", 7),
    18: ("complex128", "dcomplex_val", 12),
    19: ("float16", "half_val", 13),
    22: ("uint32", "uint32_val", 16),
    23: ("uint64", "uint64_val", 17),
}
# types whose packed field holds the values as memory does
AS_IN_MEMORY = {1, 2, 8, 18}


def arrays(data: bytes) -> dict[str, Array]:
    """the outputs by alias; dense floats are read-only views of `data`. Raises ValueError where
    `data` is no PredictResponse.
    """
    answers = {}
    for number, entry in fields(memoryview(data)):
        if number == OUTPUTS:
            parts = dict(fields(entry))
            key = bytes(_bytes_of(parts.get(KEY, memoryview(b""))))
            answers[key.decode()] = array(_bytes_of(parts.get(VALUE, memoryview(b""))))
    return answers


def array(tensor: memoryview) -> Array:
    """of a serialised TensorProto. Raises ValueError for another message, an unknown type or shape,
    or content that does not fit.
    """
    from google.protobuf.message import DecodeError

    parts = list(fields(tensor))
    try:
        plain = _plain_array(parts)
        return plain if plain is not None else from_message(_parsed(tensor))
    except (DecodeError, TypeError, KeyError, OverflowError) as error:
        raise ValueError(f"expected a tensor, got {error}") from error


def from_message(proto: Any) -> Array:
    """of a TensorProto (`serving.wire.messages`). Missing values repeat the last one, none at all
    are zeros, as TensorFlow reads them. Raises ValueError, KeyError for an unknown type.
    """
    sizes = _known_sizes(proto.tensor_shape)
    if sizes is None:
        raise ValueError(f"expected a known shape, got {proto.tensor_shape}")
    count = math.prod(sizes)
    if proto.dtype == STRING:
        return _padded(np.array(list(proto.string_val), object), count, sizes)
    name, field, _ = TYPES[proto.dtype]
    if proto.tensor_content:
        return np.frombuffer(proto.tensor_content, name).reshape(sizes)
    return _padded(_typed_values(getattr(proto, field), np.dtype(name)), count, sizes)


def _typed_values(values: Any, dtype: np.dtype[Any]) -> Array:
    if dtype.name == "float16":  # the bits stand in whole numbers
        return np.array(values, "uint16").view(dtype)
    if dtype.kind == "c":  # real and imaginary parts alternate
        return np.array(values, f"float{4 * dtype.itemsize}").view(dtype)
    return np.array(values).astype(dtype)


def _padded(values: Array, count: int, sizes: tuple[int, ...]) -> Array:
    if count * values.dtype.itemsize > LARGEST_TENSOR:
        raise ValueError(
            f"expected a tensor of at most {LARGEST_TENSOR} bytes, got shape {list(sizes)} of "
            f"{values.dtype.name}"
        )
    if len(values) < count:
        if len(values):
            last = values[-1]
        else:
            last = b"" if values.dtype == object else values.dtype.type(0)
        missing = np.full(count - len(values), last, values.dtype)
        values = np.concatenate([values, missing])
    return values[:count].reshape(sizes)


def _plain_array(parts: list[tuple[int, int | memoryview]]) -> Array | None:
    """where the values are one packed field that lies as memory does, or all strings one by one;
    else None.
    """
    by_number = dict(parts)
    kind = by_number.get(DTYPE)
    if not isinstance(kind, int) or SHAPE not in by_number:
        return None
    sizes = sizes_of(bytes(_bytes_of(by_number[SHAPE])))
    if sizes is None:
        return None
    count = math.prod(sizes)
    if kind == STRING:
        texts = [bytes(_bytes_of(value)) for number, value in parts if number == STRING_VAL]
        complete = len(texts) == count and len(parts) == 2 + count
        return np.array(texts, object).reshape(sizes) if complete else None
    name, _, number = TYPES.get(kind, ("", "", 0))
    packed = by_number.get(number)
    if kind not in AS_IN_MEMORY or len(parts) != 3 or not isinstance(packed, memoryview):
        return None
    whole = len(packed) == count * np.dtype(name).itemsize
    return np.frombuffer(packed, name).reshape(sizes) if whole else None


def _parsed(tensor: memoryview) -> Any:
    return message("TensorProto").FromString(bytes(tensor))


@functools.lru_cache(maxsize=4096)
def sizes_of(text: bytes) -> tuple[int, ...] | None:
    """of a serialised TensorShapeProto; None where a size is not known. Raises DecodeError."""
    return _known_sizes(message("TensorShapeProto").FromString(text))


def _known_sizes(shape: Any) -> tuple[int, ...] | None:
    sizes = tuple(dimension.size for dimension in shape.dim)
    return None if shape.unknown_rank or min(sizes, default=0) < 0 else sizes


def _bytes_of(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError(f"expected a message, got the number {value}")
    return value


def fields(data: int | memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """(number, value) of a serialised message's fields in order: a varint, or the bytes of what has
    a length or a fixed width. Raises ValueError.
    """
    data = _bytes_of(data)
    at = 0
    while at < len(data):
        tag, at = read_varint(data, at)
        wire_type = tag & 7
        if wire_type == 0:
            value, at = read_varint(data, at)
            yield tag >> 3, value
            continue
        if wire_type == 2:
            length, at = read_varint(data, at)
        elif wire_type in (1, 5):
            length = {1: 8, 5: 4}[wire_type]
        else:
            raise ValueError(f"expected a protobuf message, got wire type {wire_type}")
        if at + length > len(data):
            raise ValueError(f"expected {length} bytes of field {tag >> 3}, got {len(data) - at}")
        yield tag >> 3, data[at : at + length]
        at += length


def read_varint(data: memoryview, at: int) -> tuple[int, int]:
    """(number, where it ends)."""
    number = 0
    shift = 0
    while at < len(data) and shift < 70:
        number |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return number, at
    raise ValueError("expected a protobuf message, got a number without an end")
