"""TensorProto to numpy and back without a Python loop over the values.

The packed `float_val` field on the wire is the array's own bytes, so answers carry typed fields
(what TensorFlow Serving sends, and what its clients read) at the price of a copy; the protobuf API
would take some 20 ms an image (spec f.2).
"""

from __future__ import annotations

import functools
import math

import numpy as np

LARGEST_TENSOR = 256 << 20  # bytes that one input may claim, whatever its message weighs
TENSOR_CONTENT = 0x22  # tag of that field
STRING, STRING_VAL = (
    7,
    0x42,
)  # TensorFlow's number of its string type, tag of the field of the values
PACKED = {"float32": (1, 0x2A, "float_val"), "float64": (2, 0x32, "double_val")}
CONTENT = {
    "int32": 3,
    "uint8": 4,
    "int16": 5,
    "int8": 6,
    "int64": 9,
    "uint16": 17,
    "uint32": 22,
    "uint64": 23,
}  # TensorFlow's numbers
WRITTEN = {name: (number, tag) for name, (number, tag, _) in PACKED.items()} | {
    name: (number, TENSOR_CONTENT) for name, number in CONTENT.items()
}


def parts_of(value: np.ndarray, content: bool = False) -> list[bytes | memoryview]:
    """a serialised TensorProto in pieces, to be joined; the array's own memory is one of them.

    Typed fields for floats and strings, `tensor_content` for whole numbers (their typed field is a
    varint each, which no array is); content: for floats too, as
    `--enable_serialization_as_tensor_content` wants it.
    """
    import tensorflow as tf

    number, tag = WRITTEN.get(value.dtype.name, (0, 0))
    if value.dtype == object:
        return strings_of(value)
    if not number or value.size < 2:
        return [tf.make_tensor_proto(value).SerializeToString()]
    tag = TENSOR_CONTENT if content else tag
    return [
        head(number, value.shape),
        bytes([tag]) + varint(value.nbytes),
        memoryview(np.ascontiguousarray(value).reshape(-1)).cast("B"),
    ]


@functools.lru_cache(maxsize=4096)
def head(number: int, shape: tuple[int, ...]) -> bytes:
    """a serialised TensorProto of type `number` and `shape` without its values."""
    import tensorflow as tf
    from tensorflow.core.framework import tensor_pb2

    return tensor_pb2.TensorProto(
        dtype=number, tensor_shape=tf.TensorShape(shape).as_proto()
    ).SerializeToString()


def strings_of(value: np.ndarray) -> list[bytes]:
    """pieces of a string tensor."""
    made = [head(STRING, value.shape)]
    for item in value.reshape(-1).tolist():
        data = item if isinstance(item, bytes) else str(item).encode()
        made += [bytes([STRING_VAL]) + varint(len(data)), data]
    return made


def from_proto(proto) -> np.ndarray:
    """the array of a TensorProto. Raises ValueError for an unset type, an unknown rank, negative or
    absurd sizes, or content that does not fit.
    """
    import tensorflow as tf

    kind = tf.as_dtype(proto.dtype)
    sizes = [dimension.size for dimension in proto.tensor_shape.dim]
    if proto.dtype == 0 or proto.tensor_shape.unknown_rank or min(sizes, default=0) < 0:
        raise ValueError(f"expected a known type and shape, got {kind.name} {sizes}")
    if math.prod(sizes) * max(kind.size or 1, 1) > LARGEST_TENSOR:
        raise ValueError(
            f"expected a tensor of at most {LARGEST_TENSOR} bytes, got shape {sizes} of {kind.name}"
        )
    _, tag, field = PACKED.get(kind.name, (0, 0, ""))
    if field and not proto.tensor_content and len(getattr(proto, field)) == math.prod(sizes):
        data, length = proto.SerializeToString(), math.prod(sizes) * kind.size
        if data[: -length or None].endswith(bytes([tag]) + varint(length)):
            return np.frombuffer(data, kind.as_numpy_dtype, offset=len(data) - length).reshape(
                sizes
            )
    return tf.make_ndarray(proto)


def varint(number: int) -> bytes:
    """protobuf's length prefix."""
    made = bytearray()
    while number > 127:
        made.append(number & 127 | 128)
        number >>= 7
    return bytes([*made, number])
