"""PredictResponse as bytes, each array copied once: protobuf would copy it several times between
the session and the wire.

At batch 8 every task's floats are 21 MB; building, filling and serialising the message took longer
than the networks did, and so did parsing it.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping

import numpy as np

from serving.wire.tensors import PACKED, STRING, STRING_VAL, from_proto, parts_of, varint

# TensorFlow's number of a type -> numpy's name, number of the values' field
FIELDS = {
    **{kind: (name, tag >> 3) for name, (kind, tag, _) in PACKED.items()},
    STRING: ("object", STRING_VAL >> 3),
}
OUTPUTS, SPEC, KEY, VALUE = (
    b"\x0a",
    b"\x12",
    b"\x0a",
    b"\x12",
)  # PredictResponse.outputs and .model_spec; key and value of an entry


def predict_response(
    spec: bytes, outputs: Mapping[str, np.ndarray], content: bool = False
) -> bytes:
    """a serialised PredictResponse; spec: its serialised ModelSpec; outputs: arrays by alias;
    content: floats as raw bytes instead of typed fields.
    """
    parts = [SPEC, varint(len(spec)), spec]
    for name, value in outputs.items():
        tensor, key = parts_of(value, content), name.encode()
        size = sum(map(len, tensor))
        entry = KEY + varint(len(key)) + key + VALUE + varint(size)
        parts += [OUTPUTS, varint(len(entry) + size), entry, *tensor]
    return b"".join(parts)


def arrays(data: bytes) -> dict[str, np.ndarray]:
    """the outputs of a serialised PredictResponse of any server, by alias; floats are read-only
    views of `data`. Raises ValueError where it is none.
    """
    made = {}
    for number, entry in fields(memoryview(data)):
        if number == OUTPUTS[0] >> 3:
            parts = dict(fields(entry))
            key, tensor = (parts.get(tag[0] >> 3, memoryview(b"")) for tag in (KEY, VALUE))
            made[bytes(key).decode()] = array(tensor)
    return made


def array(tensor: memoryview) -> np.ndarray:
    """of a serialised TensorProto: as it lies where that is one packed field of floats (`PACKED`),
    or its strings, else through protobuf. Raises ValueError.
    """
    from google.protobuf.message import DecodeError
    from tensorflow.core.framework import tensor_pb2

    found = list(fields(tensor))
    parts = dict(found)
    try:
        name, number = FIELDS.get(parts.get(1), ("", 0))
        if (
            name
            and set(parts) == {1, 2, number}
            and (sizes := sizes_of(bytes(parts[2]))) is not None
        ):
            if name == "object" and len(found) == 2 + math.prod(sizes):
                return np.array(
                    [bytes(memoryview(value)) for at, value in found if at == number], object
                ).reshape(sizes)
            if (
                name != "object"
                and len(found) == 3
                and math.prod(sizes) * np.dtype(name).itemsize == len(parts[number])
            ):
                return np.frombuffer(parts[number], name).reshape(sizes)
        return from_proto(tensor_pb2.TensorProto.FromString(bytes(tensor)))
    except (DecodeError, TypeError, KeyError) as error:
        raise ValueError(f"expected a tensor, got {error}") from error


@functools.lru_cache(maxsize=4096)
def sizes_of(text: bytes) -> tuple[int, ...] | None:
    """of a serialised TensorShapeProto; None where a size is not known. Raises DecodeError."""
    from tensorflow.core.framework import tensor_shape_pb2

    shape = tensor_shape_pb2.TensorShapeProto.FromString(text)
    sizes = tuple(dimension.size for dimension in shape.dim)
    return None if shape.unknown_rank or min(sizes, default=0) < 0 else sizes


def fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """(number, value) of a serialised message's fields in order: a varint, or the bytes of what has
    a length or a fixed width. Raises ValueError.
    """
    if isinstance(data, int):
        raise ValueError(f"expected a message, got the number {data}")
    at = 0
    while at < len(data):
        tag, at = read_varint(data, at)
        if tag & 7 == 0:
            value, at = read_varint(data, at)
            yield tag >> 3, value
            continue
        if tag & 7 not in (1, 2, 5):
            raise ValueError(f"expected a protobuf message, got wire type {tag & 7}")
        length, at = read_varint(data, at) if tag & 7 == 2 else ({1: 8, 5: 4}[tag & 7], at)
        if at + length > len(data):
            raise ValueError(f"expected {length} bytes of field {tag >> 3}, got {len(data) - at}")
        yield tag >> 3, data[at : at + length]
        at += length


def read_varint(data: memoryview, at: int) -> tuple[int, int]:
    """(number, where it ends)."""
    number, shift = 0, 0
    while at < len(data) and shift < 70:
        number |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            return number, at
    raise ValueError("expected a protobuf message, got a number without an end")
