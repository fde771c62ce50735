"""Writes what a client sends as TensorProto, without TensorFlow."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.tasks.arrays import Array
from serving.wire.messages import message
from serving.wire.tensor_types import NUMBERS, STRING

# Python's numbers become what TensorFlow makes of them
PLAIN = {"float64": "float32", "int64": "int32"}


def tensor_of(value: object) -> Any:
    """Returns a TensorProto of `value`: an array, or lists of bytes, texts or numbers.
    Numbers go as raw content.
    Raises ValueError for ragged lists and types that have no number there.
    """
    array = np.asarray(value) if isinstance(value, np.ndarray) else _array_of(value)
    proto = message("TensorProto")()
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    if array.dtype.kind in "OSU":
        proto.dtype = STRING
        proto.string_val.extend(_text_bytes(item) for item in array.reshape(-1).tolist())
        return proto
    if array.dtype.name not in NUMBERS:
        raise ValueError(f"expected numbers or strings, got {array.dtype.name}")
    proto.dtype = NUMBERS[array.dtype.name]
    # C order, as the protocol reads it
    proto.tensor_content = np.ascontiguousarray(array).tobytes()
    return proto


def _array_of(value: object) -> Array:
    """Returns lists as an array; strings keep zeros at their end, which numpy's own byte type would
    cut off.
    """
    # down to the first value: it decides for all
    leaf = value
    while isinstance(leaf, list | tuple) and leaf:
        leaf = leaf[0]
    if isinstance(leaf, bytes | str):
        return _object_array(value)
    array = np.array(value)
    return array.astype(PLAIN.get(array.dtype.name, array.dtype))


def _object_array(value: object) -> Array:
    shape = []
    rows: list[object] = [value]
    while rows and isinstance(rows[0], list | tuple):
        lengths = {len(row) if isinstance(row, list | tuple) else -1 for row in rows}
        if len(lengths) > 1:
            raise ValueError(f"expected lists of one length, got {sorted(lengths)}")
        shape.append(lengths.pop())
        rows = [item for row in rows for item in row]  # type: ignore[attr-defined]
    # made empty and filled: NumPy would take equal lists of bytes apart further
    array = np.empty(len(rows), object)
    array[:] = rows
    return array.reshape(shape)


def _text_bytes(item: object) -> bytes:
    return item if isinstance(item, bytes) else str(item).encode()
