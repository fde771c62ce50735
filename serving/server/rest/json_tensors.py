"""Reads JSON values as tensors, by the rules of TensorFlow Serving's value parser: rows and
columns, b64, what numbers a type takes.

Values are flattened level by level and judged all at once; a value's own words are looked for only
once something is wrong. `tests/serving/server/rest/test_json_tensors.py` has every branch.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from models.tasks.arrays import Array
from serving.errors import ServingError, invalid
from serving.server.rest.json_text import Json, Members, shown, type_name
from serving.wire.tensor_reader import MOST_DIMENSIONS, STRING_COST, Allowance
from serving.wire.tensor_types import STRING, TYPES, numpy_type

# absl skips all white space between base64's characters
BLANKS = str.maketrans("", "", " \t\n\v\f\r")
INT64 = (-(2**63), 2**63 - 1)
UINT64 = (0, 2**64 - 1)
INT32 = (-(2**31), 2**31 - 1)
# numpy's name -> the whole numbers that its parser takes; narrow types are held to int32 alone
WHOLE = {
    "int8": INT32,
    "uint8": INT32,
    "int16": INT32,
    "uint16": INT32,
    "int32": INT32,
    "int64": INT64,
    "uint32": (0, 2**32 - 1),
    "uint64": UINT64,
}
# numpy's name -> (C++'s name, digits of the significand, largest number)
# whole numbers up to 2^digits - 1 are those that the original takes for a float
FLOATS = {
    "float16": ("half", 11, 65504.0),
    "bfloat16": ("bfloat16", 8, 3.3895313892515355e38),
    "float32": ("float", 24, 3.4028234663852886e38),
    "float64": ("double", 53, 1.7976931348623157e308),
}
TYPE_TEXT = {"float32": "float", "float64": "double", "float16": "half", "object": "string"}


def columns_of(rows: Json, infos: Mapping[str, Any]) -> dict[str, Array]:
    """Returns the arrays of `instances` by alias, [rows, ...]. infos: TensorInfo by alias. Raises
    INVALID_ARGUMENT.
    """
    if not isinstance(rows, list):
        raise invalid(f"JSON Value: {shown(rows)} Excepting 'instances' to be an list/array")
    if not rows:
        raise invalid("JSON Value: [] No values in 'instances' array")
    # the first row decides what all must be
    named = _is_object(rows[0])
    if not isinstance(rows[0], dict) and len(infos) > 1:
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple input tensors "
            "required as per tensorinfo_map"
        )
    for i, row in enumerate(rows):
        if _is_object(row) != named:
            expected, came = ("object", "list") if named else ("value/list", "object")
            raise invalid(f"Expecting {expected} but got {came} at item {i} of input list")
    if not named:
        # one input, whatever it is called
        alias = min(infos)
        return {alias: _stacked(rows, infos[alias].dtype, "")}
    # names of all rows before a value is read
    for i, row in enumerate(rows):
        _check_keys(i, row, infos)
    return {
        alias: _stacked([row[alias] for row in rows], info.dtype, f" key: {alias}")
        for alias, info in infos.items()
    }


def _check_keys(i: int, row: dict[str, Json], infos: Mapping[str, Any]) -> None:
    for name in row:
        if name not in infos:
            raise invalid(
                f"Failed to process element: {i} key: {name} of 'instances' list. Error: "
                f"INVALID_ARGUMENT: JSON object: does not have named input: {name}"
            )
    if set(row) != set(infos):
        raise invalid(
            f"Failed to process element: {i} of 'instances' list. JSON object: {shown(row)} keys "
            f"must be equal to: {','.join(sorted(infos))}"
        )


def _stacked(values: list[Json], kind: int, key: str) -> Array:
    """Returns the array of all rows' values. Raises INVALID_ARGUMENT where it cannot be made, with
    the first row that is at fault.
    """
    # all rows at once: one array in place of one a row; in good requests nothing else happens
    try:
        return tensor_of(values, kind)
    except ServingError as error:
        code = error.code
        words = str(error)
    first: tuple[int, ...] | None = None
    for i, value in enumerate(values):
        where = f"Failed to process element: {i}{key} of 'instances' list. Error: INVALID_ARGUMENT"
        # only now row by row, to name the one that is at fault
        try:
            shape = tensor_of(value, kind).shape
        except ServingError as error:
            # `from None`: the first error said the same of all rows
            raise ServingError(error.code, f"{where}: {error}") from None
        first = first if first is not None else shape
        if math.prod(shape) != math.prod(first):
            raise invalid(
                f"{where}: Expecting tensor size: {math.prod(first)} but got: {math.prod(shape)}"
            )
        if shape != first:
            raise invalid(f"{where}: Expecting shape {_sides(first)} but got: {_sides(shape)}")
    # rows that are sound one by one: the fault is what they have together
    raise ServingError(code, words)


def _sides(shape: Iterable[int]) -> str:
    return f"[{','.join(map(str, shape))}]"


def inputs_of(columns: Json, infos: Mapping[str, Any]) -> dict[str, Array]:
    """Returns the arrays of `inputs` by alias. Raises INVALID_ARGUMENT."""
    if not _is_object(columns):
        if len(infos) > 1:
            raise invalid(
                "inputs is a plain value/list, but expecting an object as multiple input tensors "
                "required as per tensorinfo_map"
            )
        return {alias: tensor_of(columns, info.dtype) for alias, info in infos.items()}
    for alias in infos:
        if alias not in columns:
            raise invalid(f"Missing named input: {alias} in 'inputs' object.")
    return {alias: tensor_of(columns[alias], info.dtype) for alias, info in infos.items()}


def tensor_of(value: Json, kind: int) -> Array:
    """Returns the array of a tensor's JSON, [...] as its lists are nested. kind: TensorFlow's
    number of its type. Raises INVALID_ARGUMENT.
    """
    values, shape = dense(value)
    # NumPy's limit, said in words before NumPy raises
    if len(shape) > MOST_DIMENSIONS:
        raise invalid(f"at most {MOST_DIMENSIONS} dimensions are read, got {len(shape)}")
    if kind == STRING:
        _check_count(len(values))
        texts: Array = np.empty(len(values), object)
        texts[:] = [text_of(item) for item in values]
        return texts.reshape(shape)
    dtype = numpy_type(kind) if kind in TYPES else None
    name = dtype.name if dtype is not None else ""
    # booleans are no numbers in the original, nor numbers booleans
    if name == "bool":
        check_types(values, {bool}, name)
        return np.array(values, bool).reshape(shape)
    if dtype is not None and name in WHOLE:
        return _whole_numbers(values, dtype).reshape(shape)
    if dtype is not None and name in FLOATS:
        return _floats(values, dtype).reshape(shape)
    raise invalid(f"Conversion of JSON Value: {shown(value)} to type: {name or kind}")


def _check_count(count: int) -> None:
    """Raises INVALID_ARGUMENT for more texts than gRPC takes: an empty one has three bytes here and
    takes hundreds in the graph.
    """
    try:
        Allowance().take(STRING_COST * count)
    except ValueError as error:
        raise invalid(f"{error}, got {count} texts") from None


def dense(value: Json) -> tuple[list[Json], tuple[int, ...]]:
    """Returns (all values in order, shape) of lists in lists. Raises INVALID_ARGUMENT where they
    are ragged. Without recursion: depth costs nothing.
    """
    shape: list[int] = []
    values = [value]
    # one level after another: what is first decides, and all others must be alike
    while values and isinstance(values[0], list):
        size = len(values[0])
        level = len(shape)
        # types by identity: a set of them is quick for a million values
        if set(map(type, values)) != {list}:
            leaf = next(item for item in values if not isinstance(item, list))
            raise invalid(
                f"JSON Value: {shown(leaf)} found at incorrect level: {level + 1} in the JSON DOM. "
                "Expected at a deeper level"
            )
        sizes = set(map(len, values))
        if sizes != {size}:
            raise invalid(
                f"Encountered list at unexpected size: {next(one for one in sizes if one != size)} "
                f"at level: {level} expected size: {size}"
            )
        shape.append(size)
        values = list(itertools.chain.from_iterable(values))
    # a list among values: deeper than the first value said
    if list in set(map(type, values)):
        raise invalid(f"Encountered list at unexpected level: {len(shape)} expected < {len(shape)}")
    return values, tuple(shape)


def check_types(values: list[Json], allowed: set[type], name: str) -> None:
    """Raises INVALID_ARGUMENT, about the first value of another type. A boolean is no number."""
    # `type`, not isinstance: True is an int
    if set(map(type, values)) <= allowed:
        return
    _refuse_type(next(item for item in values if type(item) not in allowed), name)


def _refuse_type(value: Json, name: str) -> None:
    raise invalid(
        f"JSON Value: {shown(value)} Type: {type_name(value)} is not of expected type: "
        f"{TYPE_TEXT.get(name, name)}"
    )


def _whole_numbers(values: list[Json], dtype: np.dtype[Any]) -> Array:
    check_types(values, {int}, dtype.name)
    low, high = WHOLE[dtype.name]
    # over the whole list first: which one is at fault is asked once something is
    if values and (min(values) < low or max(values) > high):
        _refuse_type(next(item for item in values if not low <= item <= high), dtype.name)
    # 64 bits first, then cut: the original holds narrow types to int32 alone
    wide = np.array(values, np.uint64 if dtype.name == "uint64" else np.int64)
    return wide.astype(dtype)


def _floats(values: list[Json], dtype: np.dtype[Any]) -> Array:
    """Returns numbers as an array of floats. Whole numbers that the type cannot tell from their
    neighbours are refused, and finite ones beyond its largest; `Infinity` and `NaN` are taken.
    """
    check_types(values, {int, float}, dtype.name)
    words, digits, largest = FLOATS[dtype.name]
    exact = 2**digits - 1
    integers = [item for item in values if type(item) is int]
    if integers and (max(integers) > exact or min(integers) < -exact):
        # the exact test looks at each value: only where the extremes are beyond
        _refuse_first(values, lambda item: not _is_exact(item, exact), words)
    # double first: float32 would turn what is too large into infinity
    doubles = np.array(values, np.float64)
    beyond = np.abs(doubles) > largest
    if (beyond & np.isfinite(doubles)).any():
        _refuse_first(values, lambda item: largest < abs(item) < math.inf, words)
    return doubles.astype(dtype)


def _is_exact(item: int | float, exact: int) -> bool:
    """Returns whether a number counts as exact. Integers beyond 64 bits, which RapidJSON reads as
    doubles, do.
    """
    if not isinstance(item, int) or not INT64[0] <= item <= UINT64[1]:
        return True
    return abs(item) <= exact


def _refuse_first(values: list[Json], at_fault: Callable[[Json], bool], target: str) -> None:
    for item in values:
        if at_fault(item):
            raise invalid(
                f"Cannot convert JSON value: {shown(item)} to {target} without loss of precision."
            )


def text_of(value: Json) -> bytes:
    """Returns the bytes of a text, or of {"b64": text}. Raises INVALID_ARGUMENT."""
    if isinstance(value, str):
        return value.encode()
    if is_bytes(value):
        return from_base64(value["b64"])
    if isinstance(value, dict):
        raise invalid(f"JSON Value: {shown(value)} not formatted correctly for base64 data")
    return _not_text(value)


def _not_text(value: Json) -> bytes:
    raise invalid(
        f"JSON Value: {shown(value)} Type: {type_name(value)} is not of expected type: string"
    )


def from_base64(text: str) -> bytes:
    """Returns the bytes of base64 text, with white space between and without padding too, as absl
    reads it. Raises INVALID_ARGUMENT.
    """
    digits = text.translate(BLANKS)
    bare = digits.rstrip("=.")
    padding = len(digits) - len(bare)
    if padding not in (0, -len(bare) % 4):
        raise invalid("Unable to base64 decode")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise invalid("Unable to base64 decode") from None


def is_bytes(value: Json) -> bool:
    """Returns whether a value is {"b64": text}, with that one key, once."""
    # a key that comes twice is not that one key
    if not isinstance(value, dict) or isinstance(value, Members) or len(value) != 1:
        return False
    return isinstance(value.get("b64"), str)


def _is_object(value: Json) -> bool:
    return isinstance(value, dict) and not is_bytes(value)
