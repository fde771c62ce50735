"""tf.train.Example by its field numbers: the same bytes without TensorFlow, which takes seconds and
280 MiB of every process that reads records.

The message stands in a descriptor pool of its own: a process that imports TensorFlow too has both.
"""

from __future__ import annotations

import functools
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PACKAGE = "taskonomy.records"
BYTES = descriptor_pb2.FieldDescriptorProto.TYPE_BYTES
FLOAT = descriptor_pb2.FieldDescriptorProto.TYPE_FLOAT
INT64 = descriptor_pb2.FieldDescriptorProto.TYPE_INT64
STRING = descriptor_pb2.FieldDescriptorProto.TYPE_STRING
MESSAGE = descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE
OPTIONAL = descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL
REPEATED = descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED
# What a feature is one of: its list's number in Feature, and the type of the list's values.
LISTS = {"bytes_list": (1, BYTES), "float_list": (2, FLOAT), "int64_list": (3, INT64)}


@functools.cache
def example_class() -> Any:
    """the class of the message, with `FromString`, `SerializeToString` and `features.feature`."""
    file = descriptor_pb2.FileDescriptorProto(
        name="taskonomy/records.proto", package=PACKAGE, syntax="proto3"
    )
    for name, (_, kind) in LISTS.items():
        add_field(file.message_type.add(name=name.title()), "value", 1, kind, label=REPEATED)
    feature = file.message_type.add(name="Feature")
    feature.oneof_decl.add(name="kind")
    for name, (number, _) in LISTS.items():
        add_field(feature, name, number, MESSAGE, of=name.title()).oneof_index = 0
    features = file.message_type.add(name="Features")
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    add_field(entry, "key", 1, STRING)
    add_field(entry, "value", 2, MESSAGE, of="Feature")
    add_field(features, "feature", 1, MESSAGE, of="Features.FeatureEntry", label=REPEATED)
    add_field(file.message_type.add(name="Example"), "features", 1, MESSAGE, of="Features")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.Example"))


def add_field(
    message: Any, name: str, number: int, kind: Any, *, of: str = "", label: Any = OPTIONAL
) -> Any:
    """a field of a message, of the message type `of` if it is one."""
    field = message.field.add(name=name, number=number, type=kind, label=label)
    if of:
        field.type_name = f".{PACKAGE}.{of}"
    return field


def features_of(record: bytes) -> Any:
    """name -> feature of a serialised tf.train.Example."""
    return example_class().FromString(record).features.feature
