"""JSON to tensors and back, by TensorFlow Serving's rules: rows and columns, b64, tokens for what
is no number.
"""

from __future__ import annotations

import base64
import binascii
import json

import numpy as np

from serving.errors import invalid


def parsed(body: bytes) -> dict:
    """the JSON object of a request. Raises INVALID_ARGUMENT."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise invalid(f"JSON Parse error: {error}") from error
    if not isinstance(content, dict):
        raise invalid("JSON Value: expected an object")
    if not isinstance(content.get("signature_name", ""), str):
        raise invalid("'signature_name' key must be a string value.")
    return content


def inputs_of(version, content: dict) -> tuple[str, dict[str, np.ndarray], bool]:
    """(signature name, input arrays, whether they came as rows). Raises INVALID_ARGUMENT."""
    name = content.get("signature_name") or "serving_default"
    if name not in version.signatures:
        raise invalid(f'Serving signature name: "{name}" not found in signature def')
    if ("instances" in content) == ("inputs" in content):
        raise invalid('Request must hold exactly one of "instances" and "inputs"')
    wanted, rows = version.signatures[name].inputs, "instances" in content
    columns = columns_of(content["instances"], sorted(wanted)) if rows else content["inputs"]
    if not rows and (not isinstance(columns, dict) or is_bytes(columns)):
        if len(wanted) != 1:
            raise invalid(
                "inputs is a plain value/list, but expecting an object with the inputs "
                f"{sorted(wanted)}"
            )
        columns = {next(iter(wanted)): columns}
    for alias in wanted:
        if alias not in columns:
            raise invalid(f"Missing named input: {alias}")
    return (
        name,
        {alias: array_of(alias, columns[alias], wanted[alias].dtype) for alias in wanted},
        rows,
    )


def columns_of(rows, names: list[str]) -> dict:
    """alias -> list of the values of every row."""
    if not isinstance(rows, list) or not rows:
        raise invalid('"instances" must be a list of at least one row')
    named = [isinstance(row, dict) and not is_bytes(row) for row in rows]
    if any(named) != all(named):
        raise invalid("JSON Value: expected all instances to be objects, or none")
    if not named[0]:
        if len(names) != 1:
            raise invalid(
                "instances is a plain list, but expecting list of objects as multiple input "
                f"tensors required: {names}"
            )
        return {names[0]: rows}
    for row in rows:
        if set(row) != set(names):
            raise invalid(
                f"Failed to process element: expected the inputs {names}, got {sorted(row)}"
            )
    return {name: [row[name] for row in rows] for name in names}


def is_bytes(value) -> bool:
    return isinstance(value, dict) and set(value) == {"b64"}


def array_of(alias: str, value, kind: int) -> np.ndarray:
    """one tensor; kind: TensorFlow's type number."""
    import tensorflow as tf

    wanted = tf.as_dtype(kind)
    try:
        if wanted == tf.string:
            return np.array(texts(value), object)
        found = np.array(value)
    except (ValueError, TypeError, KeyError, RecursionError, binascii.Error) as error:
        raise invalid(
            f"Failed to process input {alias}: Expecting tensor size and shape to agree in "
            f"all rows, and values of {wanted.name}: {error}"
        ) from error
    allowed = (
        "b"
        if wanted.is_bool
        else "iu"
        if wanted.is_integer
        else "iuf"
        if wanted.is_floating
        else ""
    )
    if not allowed:
        raise invalid(f"JSON Value: type {wanted.name} of input {alias} is not supported")
    if found.size and found.dtype.kind not in allowed:
        raise invalid(
            f"JSON Value: {str(value)[:256]} Type: {found.dtype.name} is not of expected "
            f"type: {wanted.name}"
        )
    if wanted.is_integer and found.size:
        limits = np.iinfo(np.int32 if wanted.size < 4 else wanted.as_numpy_dtype)
        if found.min() < limits.min or found.max() > limits.max:
            raise invalid(f"JSON Value: a number of input {alias} is out of range of {wanted.name}")
    with np.errstate(over="ignore"):
        return found.astype(wanted.as_numpy_dtype)


def texts(value):
    """{"b64": text} -> bytes and text -> UTF-8, lists through and through."""
    if isinstance(value, list):
        return [texts(item) for item in value]
    if is_bytes(value):
        return base64.b64decode(value["b64"], validate=True)
    if isinstance(value, str):
        return value.encode()
    raise TypeError(f'expected text or {{"b64": text}}, got {str(value)[:256]}')


def answer_of(outputs: dict[str, np.ndarray], rows: bool) -> str:
    """`predictions` (row form) or `outputs` (column form). Raises INVALID_ARGUMENT."""
    if rows and any(not value.ndim for value in outputs.values()):
        raise invalid("Tensor name: an output has no shape information; ask in the column form")
    if rows and len({len(value) for value in outputs.values()}) != 1:
        raise invalid("Tensor name: an output has inconsistent batch size; ask in the column form")
    if not rows:
        made = {name: written(value, name) for name, value in outputs.items()}
        return f'{{"outputs": {next(iter(made.values())) if len(made) == 1 else whole(made)}}}'
    count = len(next(iter(outputs.values())))
    made = [
        {name: written(value[i], name) for name, value in outputs.items()} for i in range(count)
    ]
    return (
        '{"predictions": '
        f"[{', '.join(next(iter(row.values())) if len(row) == 1 else whole(row) for row in made)}]}}"
    )


def whole(made: dict[str, str]) -> str:
    return "{" + ", ".join(f"{json.dumps(name)}: {text}" for name, text in made.items()) + "}"


def written(value, name: str) -> str:
    """JSON of an array, a number or a byte string."""
    if isinstance(value, (bytes, str)):
        data = value if isinstance(value, bytes) else value.encode()
        return json.dumps(
            {"b64": base64.b64encode(data).decode()}
            if name.endswith("_bytes") or not is_text(data)
            else data.decode()
        )
    value = np.asarray(value)
    if value.dtype == object and value.ndim == 0:
        return written(value.item(), name)
    if value.dtype.kind == "f":
        return nested(floats(value), value.shape)
    if value.dtype.kind in "iub":
        return json.dumps(value.tolist())
    if value.dtype == object:
        return "[" + ", ".join(written(item, name) for item in value) + "]"
    raise invalid(f"JSON cannot hold tensors of {value.dtype.name}")


def is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def floats(value: np.ndarray) -> list[str]:
    """six digits if that reads back equal, else 9 (17 for double)."""
    flat, digits = value.reshape(-1), ".17g" if value.dtype == np.float64 else ".9g"
    short = [format(number, ".6g") for number in flat.tolist()]
    with np.errstate(over="ignore"):
        same = np.array(short, np.float64).astype(value.dtype) == flat
    made = [
        text if equal else format(number, digits)
        for text, equal, number in zip(short, same.tolist(), flat.tolist())
    ]
    names = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
    return [
        names.get(text) or (text if "." in text or "e" in text else text + ".0") for text in made
    ]


def nested(items: list[str], shape: tuple[int, ...]) -> str:
    """texts of all values -> lists in lists."""
    for side in reversed(shape):
        items = (
            ["[" + ", ".join(items[i : i + side]) + "]" for i in range(0, len(items), side)]
            if side
            else ["[]"] * max(len(items), 1)
        )
    return items[0]


def examples_of(content: dict):
    """`Input` of the `examples` and `context` of a classify or regress request. Raises
    INVALID_ARGUMENT.
    """
    from tensorflow_serving.apis import input_pb2

    examples, made = content.get("examples"), input_pb2.Input()
    if (
        not isinstance(examples, list)
        or not examples
        or not all(isinstance(row, dict) for row in examples)
    ):
        raise invalid('"examples" must be a list of at least one object')
    listed = made.example_list_with_context if "context" in content else made.example_list
    for row in examples:
        fill(listed.examples.add(), row)
    if "context" in content:
        fill(listed.context, content["context"])
    return made


def fill(example, row: dict) -> None:
    for name, value in row.items():
        values, feature = (
            value if isinstance(value, list) and not is_bytes(value) else [value],
            example.features.feature[name],
        )
        try:
            if all(isinstance(item, str) or is_bytes(item) for item in values):
                feature.bytes_list.value.extend(texts(values))
            elif all(isinstance(item, int) for item in values):
                feature.int64_list.value.extend(values)
            elif all(isinstance(item, float) for item in values):
                feature.float_list.value.extend(values)
            else:
                raise ValueError("kinds are mixed")
        except (ValueError, TypeError) as error:
            raise invalid(f"Example feature {name}: {error}") from error


def metadata_of(name: str, version) -> dict:
    """every default field is printed."""
    from google.protobuf import json_format

    try:
        plain = lambda message: json_format.MessageToDict(
            message, preserving_proto_field_name=True, including_default_value_fields=True
        )
        table = {key: plain(signature) for key, signature in version.signatures.items()}
    except TypeError:  # protobuf 5 has another name for it
        plain = lambda message: json_format.MessageToDict(
            message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )
        table = {key: plain(signature) for key, signature in version.signatures.items()}
    return {
        "model_spec": {"name": name, "signature_name": "", "version": str(version.number)},
        "metadata": {"signature_def": {"signature_def": table}},
    }
