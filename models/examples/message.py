"""Reads and writes tf.train.Example by its field numbers: the same bytes, without TensorFlow, which
takes seconds and 280 MiB in every process that reads records.

The message is declared in a descriptor pool of its own: a process that imports TensorFlow too has
both.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from models.tasks.arrays import Floats

PACKAGE = "taskonomy.records"
BYTES = descriptor_pb2.FieldDescriptorProto.TYPE_BYTES
FLOAT = descriptor_pb2.FieldDescriptorProto.TYPE_FLOAT
INT64 = descriptor_pb2.FieldDescriptorProto.TYPE_INT64
STRING = descriptor_pb2.FieldDescriptorProto.TYPE_STRING
MESSAGE = descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE
OPTIONAL = descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL
REPEATED = descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED
# The byte before a field that holds a message or text: its number and kind. Example holds
# Features in its first, Features an entry a feature, an entry its name and the Feature, a Feature
# of bytes its list.
FIRST = 0x0A
SECOND = 0x12
# A function that picks the wanted ones among the names of a record's features.
Choice = Callable[[Sequence[str]], Sequence[str]]
# The kinds of features: the list's number in Feature, and the type of the list's values.
LISTS = {"bytes_list": (1, BYTES), "float_list": (2, FLOAT), "int64_list": (3, INT64)}


@functools.cache
def example_class() -> Any:
    """Returns the class of the message, with `FromString`, `SerializeToString` and
    `features.feature`.
    """
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


@functools.cache
def feature_class() -> Any:
    """Returns the class of one feature's message."""
    features = example_class().DESCRIPTOR.fields_by_name["features"].message_type
    entry = features.fields_by_name["feature"].message_type
    return message_factory.GetMessageClass(entry.fields_by_name["value"].message_type)


def add_field(
    message: Any, name: str, number: int, kind: Any, *, of: str = "", label: Any = OPTIONAL
) -> Any:
    """Adds a field to a message and returns it. of: the field's message type, "" if it holds
    none.
    """
    field = message.field.add(name=name, number=number, type=kind, label=label)
    if of:
        field.type_name = f".{PACKAGE}.{of}"
    return field


def features_of(record: bytes) -> Any:
    """Returns name -> feature of a serialised tf.train.Example."""
    return example_class().FromString(record).features.feature


def bytes_of(feature: Any) -> bytes:
    """Returns the first value of a feature of bytes. feature: its message, or that value itself
    where it was read alone.
    """
    if isinstance(feature, bytes):
        return feature
    value: bytes = feature.bytes_list.value[0]
    return value


def value_of(data: bytes, alone: bool) -> Any:
    """Returns the feature that lies in the bytes of a `Part`."""
    return data if alone else feature_class().FromString(data)


def floats_of(feature: Any) -> Floats:
    """Returns the values of a feature of floats, float32 [n]."""
    # read as one block: a thousand numbers, one by one, take as long as a small picture
    data = feature.SerializeToString()
    try:
        place, end = field_at(data, 0, len(data), SECOND)
        start, stop = field_at(data, place, end, FIRST)
        packed = stop == end == len(data)
    except ValueError:
        packed = False
    if not packed:
        return np.array(feature.float_list.value, "float32")
    return np.frombuffer(data, "<f4", (stop - start) // 4, start).astype("float32")


class Part(NamedTuple):
    """Where in a record a feature lies. alone: whether the bytes [start, stop) are the one value of
    a feature of bytes; else they are the feature's message.
    """

    name: str
    start: int
    stop: int
    alone: bool


def parts_of(record: bytes) -> Iterator[Part]:
    """Yields the features of a serialised tf.train.Example, in its order. Raises ValueError for
    other bytes.
    """
    place, end = field_at(record, 0, len(record), FIRST)
    while place < end:
        start, place = field_at(record, place, end, FIRST)
        name = slice(*field_at(record, start, place, FIRST))
        value, stop = field_at(record, name.stop, place, SECOND)
        yield Part(record[name].decode(), *single_value(record, value, stop))
    if end != len(record):
        raise ValueError(f"no tf.train.Example: {len(record) - end} bytes too many")


def single_value(record: bytes, start: int, stop: int) -> tuple[int, int, bool]:
    """Returns (start, stop, True) of the one value of a feature of bytes; for any other feature
    (start, stop, False) of its message.
    """
    value = start
    try:
        for _ in range(2):  # the list, its value
            value, end = field_at(record, value, stop, FIRST)
            if end != stop:
                return start, stop, False
    except ValueError:
        return start, stop, False
    return value, stop, True


def field_at(record: bytes, place: int, end: int, kind: int) -> tuple[int, int]:
    """Returns (start, stop) of the content of the field at `place`. kind: its number and kind, as
    one byte. Raises ValueError for another field, or one that passes `end`.
    """
    length, start = 0, place + 1
    for shift in range(0, 35, 7):  # a varint: seven bits a byte, the lowest first
        if start >= end:
            break
        byte = record[start]
        start += 1
        length |= (byte & 0x7F) << shift
        if byte < 0x80:
            if record[place] == kind and start + length <= end:
                return start, start + length
            break
    raise ValueError(f"no tf.train.Example: byte {place} of {len(record)} begins no feature")
