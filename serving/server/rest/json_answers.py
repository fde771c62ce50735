"""Writes tensors and results as JSON, as TensorFlow Serving writes them."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from models.tasks.arrays import Array, Floats
from serving.errors import invalid
from serving.server.models import State

# numpy's name of a type -> numbers of digits that are tried; the last always reads back equal:
# nine digits for float32, 17 for double
DIGITS = {
    "float16": (3, 4, 5),
    "bfloat16": (2, 3, 4),
    "float32": (6, 7, 8, 9),
    "float64": (15, 16, 17),
}
TOKENS = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
STATES = {10: "START", 20: "LOADING", 30: "AVAILABLE", 40: "UNLOADING", 50: "END"}


def rows_text(outputs: Mapping[str, Array]) -> str:
    """Returns the JSON text of `predictions`, outputs [rows, ...]: a value a row, or an object
    where there are several outputs. Raises INVALID_ARGUMENT where they have no rows in common.
    """
    count = None
    for name, value in outputs.items():
        if not value.ndim:
            raise invalid(f"Tensor name: {name} has no shape information")
        if count not in (None, len(value)):
            raise invalid(
                f"Tensor name: {name} has inconsistent batch size: {len(value)} expecting: {count}"
            )
        count = len(value)
    # all rows of an output at once: numpy's calls for a row cost more than the row
    texts = {
        name: row_texts(texts_of(value, name), value.shape) if count else []
        for name, value in outputs.items()
    }
    rows = [_one_or_all({name: rows[i] for name, rows in texts.items()}) for i in range(count or 0)]
    return f'{{"predictions": [{", ".join(rows)}]}}'


def columns_text(outputs: Mapping[str, Array]) -> str:
    """Returns the JSON text of `outputs`: a value, or an object where there are several."""
    columns = {name: value_text(value, name) for name, value in outputs.items()}
    return f'{{"outputs": {_one_or_all(columns)}}}'


def _one_or_all(texts: dict[str, str]) -> str:
    if len(texts) == 1:
        return next(iter(texts.values()))
    return "{" + ", ".join(f"{json.dumps(name)}: {text}" for name, text in texts.items()) + "}"


def value_text(value: Any, name: str) -> str:
    """Returns the JSON text of an array, a number or a byte string of output `name`. Raises
    INVALID_ARGUMENT for a type that JSON cannot hold.
    """
    if isinstance(value, bytes | str):
        return string_text(value if isinstance(value, bytes) else value.encode(), name)
    array = np.asarray(value)
    # whole numbers and booleans: Python's own spelling is the original's
    if array.dtype.kind in "iub":
        return json.dumps(array.tolist())
    return nested(texts_of(array, name), array.shape)


def texts_of(array: Array, name: str) -> list[str]:
    """Returns the JSON text of every value of output `name` [...], row by row. Raises
    INVALID_ARGUMENT for a type that JSON cannot hold.
    """
    # an array of objects is one of byte strings
    if array.dtype == object:
        return [string_text(item, name) for item in array.reshape(-1)]
    if array.dtype.name in DIGITS:
        return float_texts(array)
    if array.dtype.kind == "b":
        return ["true" if value else "false" for value in array.reshape(-1).tolist()]
    if array.dtype.kind in "iu":
        return [str(value) for value in array.reshape(-1).tolist()]
    raise invalid(f"Failed to write JSON value for tensor type: {array.dtype.name}")


def string_text(data: bytes, name: str) -> str:
    """Returns the JSON text of a string: a text, or {"b64": ...} for an output that says so by its
    name, or whose bytes are no text.
    """
    # by the name: clients of the original expect b64 there, whatever the bytes are
    if not name.endswith("_bytes"):
        try:
            return json.dumps(data.decode())
        except UnicodeDecodeError:
            pass
    return json.dumps({"b64": base64.b64encode(data).decode()})


def float_texts(value: Floats) -> list[str]:
    """Returns each number of [...] with the fewest digits that read back equal, whole numbers with
    `.0`.
    """
    flat = value.reshape(-1)
    numbers = flat.astype(np.float64).tolist()
    tries = DIGITS[value.dtype.name]
    texts = [format(number, f".{tries[0]}g") for number in numbers]
    for digits in tries[1:]:
        # a number near the largest, with fewer digits, may be above it
        with np.errstate(over="ignore"):
            read_back = np.array(texts, np.float64).astype(value.dtype)
        # NaN is never equal to itself
        unequal = np.flatnonzero((read_back != flat) & ~np.isnan(flat))
        for i in unequal.tolist():
            texts[i] = format(numbers[i], f".{digits}g")
    return [TOKENS.get(text) or _decimal(text) for text in texts]


# a whole number of a float keeps its point, so that clients read a float
def _decimal(text: str) -> str:
    return text if "." in text or "e" in text else text + ".0"


def nested(texts: list[str], shape: tuple[int, ...]) -> str:
    """Joins the texts of all values to one text of lists in lists."""
    return f"[{', '.join(row_texts(texts, shape))}]" if shape else texts[0]


def row_texts(texts: list[str], shape: tuple[int, ...]) -> list[str]:
    """Joins the texts of all values to one text for each row of the first axis."""
    # no value at all: only the brackets of the axes before the empty one
    if 0 in shape[1:]:
        return [nested([], shape[1:])] * shape[0]
    for side in reversed(shape[1:]):
        texts = [
            "[" + ", ".join(texts[start : start + side]) + "]"
            for start in range(0, len(texts), side)
        ]
    return texts


def classes_text(result: Any) -> str:
    """Returns the JSON text of a ClassificationResult."""
    rows = []
    for row in result.classifications:
        scores = float_texts(np.array([entry.score for entry in row.classes], np.float32))
        labels = [json.dumps(entry.label) for entry in row.classes]
        pairs = [f"[{label}, {score}]" for label, score in zip(labels, scores)]
        rows.append(f"[{', '.join(pairs)}]")
    return f'{{"results": [{", ".join(rows)}]}}'


def numbers_text(result: Any) -> str:
    """Returns the JSON text of a RegressionResult."""
    numbers = float_texts(np.array([row.value for row in result.regressions], np.float32))
    return f'{{"results": [{", ".join(numbers)}]}}'


def status_text(rows: list[tuple[int, State]]) -> str:
    """Returns the JSON text of a status: rows of (version, its state)."""
    statuses = [
        {
            # 64-bit numbers are texts in protobuf's JSON
            "version": str(number),
            "state": STATES[state.phase],
            "status": {"error_code": state.code.name, "error_message": state.error},
        }
        for number, state in rows
    ]
    return json.dumps({"model_version_status": statuses})


def metadata_text(model: str, number: int, signatures: Mapping[str, Any]) -> str:
    """Returns the JSON text of metadata; every default field is printed."""
    table = {name: _printed(signature) for name, signature in signatures.items()}
    return json.dumps(
        {
            "model_spec": {"name": model, "signature_name": "", "version": str(number)},
            "metadata": {"signature_def": {"signature_def": table}},
        }
    )


def _printed(message: Any) -> dict[str, Any]:
    from google.protobuf import json_format

    print_message: Any = json_format.MessageToDict
    try:
        printed: dict[str, Any] = print_message(
            message, preserving_proto_field_name=True, including_default_value_fields=True
        )
    # the two lanes have different releases
    except TypeError:  # protobuf 5 has another name for it
        printed = print_message(
            message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )
    return printed
