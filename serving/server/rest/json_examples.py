"""Reads `examples` and `context` of a classify or regress request as serialized tf.Examples."""

from __future__ import annotations

import math

import numpy as np

from models.tasks.arrays import Array
from serving.errors import invalid
from serving.server.rest.json_tensors import FLOATS, INT64, UINT64, from_base64, is_bytes
from serving.server.rest.json_text import Json, Members, shown, type_name
from serving.wire.protobuf import prefix
from serving.wire.tensor_reader import STRING_COST, Allowance
from serving.wire.varints import encode

# tf.Examples hold floats of 32 bits
LARGEST_FLOAT = FLOATS["float32"][2]
# Feature's fields
BYTES = 1
FLOAT = 2
INTEGER = 3
KINDS = {BYTES: "bytes", FLOAT: "float", INTEGER: "int64"}
# Example.features, Features.feature, a list's value
# all three messages have one field, number 1
ONLY = 1
# a map's entry
KEY = 1
VALUE = 2


def examples_of(content: dict[str, Json], method: str) -> Array:
    """Returns object [N] of serialized tf.Examples, the context merged into each: their own
    features win. Raises INVALID_ARGUMENT.
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
    # protobuf merges messages whose bytes follow one another: a feature that comes twice counts by
    # its last, the example's own
    array[:] = _joined(context, examples)
    return array


def _joined(context: bytes, examples: list[Json]) -> list[bytes]:
    """Returns the examples, serialised, each after the context. Raises INVALID_ARGUMENT for more
    bytes than gRPC takes: a body of a megabyte could make hundreds of gigabytes.
    """
    allowance = Allowance()
    joined = []
    try:
        # the context is copied into every example, which may be two bytes of the body
        allowance.take((STRING_COST + len(context)) * len(examples))
        for example in examples:
            joined.append(context + serialized(example))
            allowance.take(len(joined[-1]) - len(context))
    except ValueError as error:
        raise invalid(f"{error}, got {len(examples)} examples") from None
    return joined


def serialized(value: Json) -> bytes:
    """Returns the serialised tf.Example of a JSON object. Raises INVALID_ARGUMENT."""
    if not isinstance(value, dict):
        raise invalid(f"Example must be JSON object but got JSON {type_name(value)}")
    # protobuf's map keeps the last of equal keys, unlike a predict body
    features = value.last if isinstance(value, Members) else value
    entries = b"".join(
        field(ONLY, field(KEY, name.encode()) + field(VALUE, feature_of(name, item)))
        for name, item in features.items()
    )
    return field(ONLY, entries)


def feature_of(name: str, item: Json) -> bytes:
    """Returns a serialised Feature, whose kind the first value decides. Raises INVALID_ARGUMENT."""
    kind = 0
    values = []
    for one in item if isinstance(item, list) else [item]:
        its_kind, value = kind_and_value(name, one)
        # 0 is no kind: an empty list stays a Feature without one
        kind = kind or its_kind
        if its_kind != kind:
            raise invalid(
                f"Unexpected element type in feature: {name} expecting type: {KINDS[kind]}"
            )
        values.append(value)
    if not values:
        return b""
    if kind == BYTES:
        # a bytes list has a field a value; the others are packed into one
        body = b"".join(field(ONLY, text) for text in values if isinstance(text, bytes))
    elif kind == FLOAT:
        body = field(ONLY, np.array(values, np.float32).tobytes())
    else:
        # a varint may be written wider than it needs: one width for all
        body = field(ONLY, bytes(encode(np.array(values, np.int64))))
    return field(kind, body)


def field(number: int, data: bytes) -> bytes:
    """Returns one field of a message, serialised. data: its bytes."""
    return prefix(number, len(data)) + data


def kind_and_value(name: str, value: Json) -> tuple[int, bytes | int | float]:
    """Returns the kind of a JSON value, and the value: booleans are whole numbers; whole numbers
    beyond 64 bits are fractions. Raises INVALID_ARGUMENT.
    """
    # before int: a boolean is one in Python
    if isinstance(value, bool):
        return INTEGER, int(value)
    if isinstance(value, str):
        return BYTES, value.encode()
    if is_bytes(value):
        return BYTES, from_base64(value["b64"])
    # in the order of the original's parser: int64, uint64, double
    if isinstance(value, int) and INT64[0] <= value <= INT64[1]:
        return INTEGER, value
    if isinstance(value, int) and 0 <= value <= UINT64[1]:
        raise invalid(f"Feature: {name} has uint64 element. Only int64 is supported.")
    if isinstance(value, int | float):
        number = float(value)
        # infinities are spelled out in JSON and taken
        if LARGEST_FLOAT < abs(number) < math.inf:
            raise invalid(
                f"Cannot convert JSON value: {shown(value)} to float without loss of precision."
            )
        return FLOAT, number
    raise invalid(f"Feature: {name} has element with unexpected JSON type: {type_name(value)}")
