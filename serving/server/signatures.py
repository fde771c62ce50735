"""Reads the signatures of a SavedModel as its file states them, and checks requests against
them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from serving.errors import invalid


def signatures_of(folder: Path, tags: tuple[str, ...]) -> dict[str, Any]:
    """Returns name -> SignatureDef of the meta graph with `tags`, byte for byte the file's. Raises
    ValueError for a broken file, or one without such a graph.
    """
    for graph in _saved_model(folder).meta_graphs:
        # exactly these tags, as the loader finds them
        if set(graph.meta_info_def.tags) == set(tags):
            # copies, so that the graph can be let go
            return {
                # by bytes: a copy that shares the message would keep its graph
                name: type(signature).FromString(signature.SerializeToString())
                for name, signature in graph.signature_def.items()
            }
    raise ValueError(
        f"Could not find meta graph def matching supplied tags: {{ {' '.join(tags)} }} in {folder}"
    )


def _saved_model(folder: Path) -> Any:
    from google.protobuf import text_format
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf import saved_model_pb2

    model = saved_model_pb2.SavedModel()
    binary = folder / "saved_model.pb"
    try:
        if binary.exists():
            model.ParseFromString(binary.read_bytes())
        else:
            text_format.Parse((folder / "saved_model.pbtxt").read_text(), model)
    except (DecodeError, text_format.ParseError, UnicodeDecodeError) as error:
        raise ValueError(f"Can't parse the SavedModel in {folder}: {error}") from error
    return model


def check_inputs(signature: Any, inputs: Collection[str]) -> None:
    """Raises INVALID_ARGUMENT unless the inputs of a request are the signature's; those with
    defaults may be left out.
    """
    optional = set(getattr(signature, "defaults", {}))
    sent = set(inputs)
    names = set(signature.inputs)
    extra = sorted(sent - names)
    missing = sorted(names - sent - optional)
    difference = (
        f"Sent extra: {{{','.join(extra)}}}. Missing but required: {{{','.join(missing)}}}."
    )
    # as many, but other names: the next text is the original's for that
    if len(sent) != len(names) and (extra or missing):
        raise invalid(
            f"input size does not match signature: {len(sent)}!={len(names)} "
            f"len({{{','.join(sorted(sent))}}}) != len({{{','.join(sorted(names))}}}). "
            + difference
        )
    if missing:
        raise invalid(
            f"input tensor alias not found in signature: {missing[0]} (feed "
            f"{signature.inputs[missing[0]].name}). {difference}"
        )
    # as many, since one with a default was left out
    if extra:
        raise invalid(
            f"input tensor alias not found in signature: {extra[0]}. Inputs expected to be in the "
            f"set {{{','.join(sorted(names))}}}. {difference}"
        )


def check_outputs(signature: Any, filter_names: Sequence[str]) -> list[str]:
    """Returns the outputs to return, all if the filter is empty. Raises INVALID_ARGUMENT."""
    names = list(filter_names) or sorted(signature.outputs)
    earlier: set[str] = set()
    for name in names:
        if name not in signature.outputs:
            raise invalid(f"output tensor alias not found in signature: {name}")
        if name in earlier:
            raise invalid(f"duplicate output tensor alias: {name}")
        earlier.add(name)
    return names


def kind_of(dtype: Any) -> str:
    """Returns the name of a tf.DType in TensorFlow's C++: float, not float32."""
    from tensorflow.core.framework import types_pb2

    name: str = types_pb2.DataType.Name(dtype.base_dtype.as_datatype_enum)
    return name.removeprefix("DT_").lower()
