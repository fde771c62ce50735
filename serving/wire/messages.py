"""Declares the messages that a client needs, by field number.

The stubs of tensorflow-serving-api import TensorFlow, which takes seconds and half a gigabyte; a
question needs gRPC and protobuf alone. Names are this project's, numbers TensorFlow's, so that the
bytes are the same (`tests/serving/wire/test_messages.py` compares them with the originals). They
stand in a descriptor pool of their own: a process that imports TensorFlow too has both.
"""

from __future__ import annotations

import functools
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PACKAGE = "taxonomy.wire"
# Metadata of a client that reads numbers as raw content; other servers do not look at it.
# in lower case, as gRPC wants keys of metadata
RAW_NUMBERS = ("tensor-content", "1")
_TYPES = {
    "double": 1, "float": 2, "int64": 3, "uint64": 4, "int32": 5, "bool": 8, "string": 9,
    "bytes": 12, "uint32": 13,
}  # fmt: skip  # FieldDescriptorProto.Type
_MESSAGE, _OPTIONAL, _REPEATED = 11, 1, 3

# message -> field -> (number, type). "T*": repeated; "{T}": a map from names to T.
FIELDS: dict[str, dict[str, tuple[int, str]]] = {
    "Dim": {"size": (1, "int64"), "name": (2, "string")},
    "TensorShapeProto": {"dim": (2, "Dim*"), "unknown_rank": (3, "bool")},
    "TensorProto": {
        "dtype": (1, "int32"),
        "tensor_shape": (2, "TensorShapeProto"),
        "tensor_content": (4, "bytes"),
        "float_val": (5, "float*"),
        "double_val": (6, "double*"),
        "int_val": (7, "int32*"),
        "string_val": (8, "bytes*"),
        "scomplex_val": (9, "float*"),
        "int64_val": (10, "int64*"),
        "bool_val": (11, "bool*"),
        "dcomplex_val": (12, "double*"),
        "half_val": (13, "int32*"),
        "uint32_val": (16, "uint32*"),
        "uint64_val": (17, "uint64*"),
    },
    "Int64Value": {"value": (1, "int64")},
    "ModelSpec": {
        "name": (1, "string"),
        "version": (2, "Int64Value"),
        "signature_name": (3, "string"),
        "version_label": (4, "string"),
    },
    "PredictRequest": {
        "model_spec": (1, "ModelSpec"),
        "inputs": (2, "{TensorProto}"),
        "output_filter": (3, "string*"),
    },
    "TensorInfo": {
        "name": (1, "string"),
        "dtype": (2, "int32"),
        "tensor_shape": (3, "TensorShapeProto"),
    },
    "SignatureDef": {
        "inputs": (1, "{TensorInfo}"),
        "outputs": (2, "{TensorInfo}"),
        "method_name": (3, "string"),
    },
    "SignatureDefMap": {"signature_def": (1, "{SignatureDef}")},
    "Any": {"type_url": (1, "string"), "value": (2, "bytes")},
    "GetModelMetadataRequest": {
        "model_spec": (1, "ModelSpec"),
        "metadata_field": (2, "string*"),
    },
    "GetModelMetadataResponse": {"model_spec": (1, "ModelSpec"), "metadata": (2, "{Any}")},
}


def message(name: str) -> Any:
    """Returns the class of a message of `FIELDS`. Raises KeyError for another name."""
    return _classes()[name]


# once a process: a pool refuses a second definition of a name
@functools.cache
def _classes() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(
        name="taxonomy_wire.proto", package=PACKAGE, syntax="proto3"
    )
    for name, fields in FIELDS.items():
        described = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            _add_field(described, field, number, kind)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}"))
        for name in FIELDS
    }


def _add_field(described: Any, name: str, number: int, kind: str) -> None:
    """Adds one field to the message `described`; a map is what protobuf makes of it: repeated
    entries of a key and a value.
    """
    field = described.field.add(name=name, number=number, label=_OPTIONAL)
    # a map is a list of entries of a type of its own, marked as such
    if kind.startswith("{"):
        entry = described.nested_type.add(name=_entry_name(name))
        entry.options.map_entry = True
        _add_field(entry, "key", 1, "string")
        _add_field(entry, "value", 2, kind.strip("{}"))
        field.label = _REPEATED
        field.type = _MESSAGE
        field.type_name = f".{PACKAGE}.{described.name}.{entry.name}"
        return
    if kind.endswith("*"):
        field.label = _REPEATED
    kind = kind.removesuffix("*")
    field.type = _TYPES.get(kind, _MESSAGE)
    if kind not in _TYPES:
        field.type_name = f".{PACKAGE}.{kind}"


def _entry_name(field: str) -> str:
    """Returns the name of a map's entries; protobuf refuses a map whose entries are called
    otherwise.
    """
    return "".join(part.capitalize() for part in field.split("_")) + "Entry"
