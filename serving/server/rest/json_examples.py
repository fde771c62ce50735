"""`examples` and `context` of a classify or regress request as serialized tf.Examples."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from models.tasks.arrays import Array
from serving.errors import invalid
from serving.server.rest.json_tensors import FLOATS, INT64, UINT64, from_base64, is_bytes
from serving.server.rest.json_text import Json, Members, shown, type_name

LARGEST_FLOAT = FLOATS["float32"][2]
KINDS = {"bytes_list": "bytes", "int64_list": "int64", "float_list": "float"}


def examples_of(content: dict[str, Json], method: str) -> Array:
    """object [N] of serialized tf.Examples, the context merged into each: their own features win.
    Raises INVALID_ARGUMENT.
    """
    context = b""
    if "context" in content:
        context = serialized(content["context"])
    if "examples" not in content:
        raise invalid(
            f"JSON Value: {shown(content)} When method is {method}, key 'examples' is expected and "
            "was not found"
        )
    examples = content["examples"]
    if not isinstance(examples, list):
        raise invalid(
            f"JSON Value: {shown(content)} Expecting 'examples' value to be an list/array"
        )
    if not examples:
        raise invalid(f"JSON Value: {shown(content)} 'examples' value is an empty array")
    array: Array = np.empty(len(examples), object)
    array[:] = [context + serialized(example) for example in examples]
    return array


def serialized(value: Json) -> bytes:
    """a tf.Example. Raises INVALID_ARGUMENT."""
    from tensorflow.core.example import example_pb2

    if not isinstance(value, dict):
        raise invalid(f"Example must be JSON object but got JSON {type_name(value)}")
    features = value.last if isinstance(value, Members) else value
    example = example_pb2.Example()
    for name, item in features.items():
        feature = example.features.feature[name]
        for one in item if isinstance(item, list) else [item]:
            add_value(name, feature, one)
    data: bytes = example.SerializeToString()
    return data


def add_value(name: str, feature: Any, value: Json) -> None:
    """one more value of a feature, whose kind the first one decides. Raises INVALID_ARGUMENT."""
    kind, item = kind_and_value(name, value)
    present = feature.WhichOneof("kind")
    if present not in (None, kind):
        raise invalid(
            f"Unexpected element type in feature: {name} expecting type: {KINDS[present]}"
        )
    getattr(feature, kind).value.append(item)


def kind_and_value(name: str, value: Json) -> tuple[str, bytes | int | float]:
    """booleans are whole numbers; whole numbers beyond 64 bits are fractions. Raises
    INVALID_ARGUMENT.
    """
    if isinstance(value, bool):
        return "int64_list", int(value)
    if isinstance(value, str):
        return "bytes_list", value.encode()
    if is_bytes(value):
        return "bytes_list", from_base64(value["b64"])
    if isinstance(value, int) and INT64[0] <= value <= INT64[1]:
        return "int64_list", value
    if isinstance(value, int) and 0 <= value <= UINT64[1]:
        raise invalid(f"Feature: {name} has uint64 element. Only int64 is supported.")
    if isinstance(value, int | float):
        number = float(value)
        if LARGEST_FLOAT < abs(number) < math.inf:
            raise invalid(
                f"Cannot convert JSON value: {shown(value)} to float without loss of precision."
            )
        return "float_list", number
    raise invalid(f"Feature: {name} has element with unexpected JSON type: {type_name(value)}")
