"""Serialised messages, field by field: what is there is counted, what is none is refused."""

import pytest
from tensorflow.core.framework import tensor_pb2

from serving.wire import protobuf
from serving.wire.protobuf import (
    bytes_of,
    fields,
    number_of,
    prefix,
    read_varint,
    text_of,
    varint,
)


@pytest.mark.parametrize("number", [0, 1, 127, 128, 300, 2**35, 2**63])
def test_one_number_comes_back(number):
    data = varint(number)
    assert read_varint(memoryview(data + b"rest"), 0) == (number, len(data))


def test_fields_come_in_order_with_their_wire_types():
    proto = tensor_pb2.TensorProto(dtype=1, tensor_content=b"abc", string_val=[b"x", b""])
    found = list(fields(memoryview(proto.SerializeToString())))
    assert found == [(1, 1), (4, b"abc"), (8, b"x"), (8, b"")]
    fixed = varint(3 << 3 | protobuf.FIXED_32) + b"1234" + varint(4 << 3 | protobuf.FIXED_64)
    assert list(fields(memoryview(fixed + b"12345678"))) == [(3, b"1234"), (4, b"12345678")]
    assert list(fields(memoryview(b""))) == []


@pytest.mark.parametrize(
    "data, words",
    [
        (b"\x00\x01", "a field without a number"),
        (b"\x0b", "wire type 3"),
        (prefix(1, 5) + b"abc", "expected 5 bytes of field 1, got 3"),
        (b"\x08", "a number without an end"),
        (b"\x08" + b"\xff" * 11, "a number without an end"),
    ],
)
def test_what_is_no_message_is_refused(data, words):
    with pytest.raises(ValueError, match=words):
        list(fields(memoryview(data)))


def test_fields_are_counted(monkeypatch):
    monkeypatch.setattr(protobuf, "MOST_FIELDS", 3)
    assert len(list(fields(memoryview(b"\x08\x01" * 3)))) == 3
    with pytest.raises(ValueError, match="at most 3 fields"):
        list(fields(memoryview(b"\x08\x01" * 4)))


def test_a_value_of_another_form_is_refused():
    assert text_of(memoryview("wörld".encode())) == "wörld" and number_of(3) == 3
    for read, value in ((bytes_of, 3), (text_of, 3), (number_of, memoryview(b"ab"))):
        with pytest.raises(ValueError, match="expected a"):
            read(value)
    with pytest.raises(ValueError, match="decode"):
        text_of(memoryview(b"\xff"))
