"""Packed numbers come back, at every width, and are what protobuf reads."""

import numpy as np
import pytest
from tensorflow.core.framework import tensor_pb2

from serving.wire.protobuf import prefix, varint
from serving.wire.varints import CACHED, PIECE, decode, encode

EDGES = [0, 1, 127, 128, 255, 16383, 16384, 65535, 2**21 - 1, 2**28, 2**31 - 1]
FIELDS = {"int32": ("int_val", 7), "int64": ("int64_val", 10), "uint64": ("uint64_val", 17)}


@pytest.mark.parametrize("kind", FIELDS)
@pytest.mark.parametrize("most", range(1, len(EDGES) + 1))
@pytest.mark.parametrize("sign", [1, -1])
def test_numbers_of_every_width_are_what_protobuf_reads(kind, most, sign):
    if kind == "uint64" and sign < 0:
        values = np.array([2**64 - 1, 2**63, *EDGES[:most]], kind)
    else:
        values = np.array(EDGES[:most], kind) * np.array(sign, kind)
    data = bytes(encode(values))
    field, number = FIELDS[kind]
    proto = tensor_pb2.TensorProto.FromString(prefix(number, len(data)) + data)
    assert list(getattr(proto, field)) == values.tolist()
    np.testing.assert_array_equal(decode(memoryview(data), values.dtype, 100), values)
    canonical = b"".join(varint(int(value) & (2**64 - 1)) for value in values)
    np.testing.assert_array_equal(decode(memoryview(canonical), values.dtype, 100), values)


@pytest.mark.parametrize("kind, largest", [("uint8", 256), ("uint16", 65536), ("uint8", 100)])
def test_pictures_and_depths_come_back(kind, largest):
    values = np.random.default_rng(0).integers(0, largest, (3, 700, 701)).astype(kind)
    data = memoryview(encode(values))
    np.testing.assert_array_equal(decode(data, values.dtype, 10**7), values.reshape(-1))
    np.testing.assert_array_equal(decode(data, values.dtype, 1000), values.reshape(-1)[:1000])


@pytest.mark.parametrize("kind", ["uint8", "int16", "uint16", "int32", "uint32", "int64"])
@pytest.mark.parametrize("largest", [127, 128, 16383, 16384, 65535, 2**21 - 1, 2**21])
def test_every_value_has_the_bytes_of_its_width(kind, largest):
    largest = min(largest, np.iinfo(kind).max)
    # more than are written at a time, and every second of a row: not contiguous
    values = np.random.default_rng(0).integers(0, largest, 2 * CACHED + 6).astype(kind)[::2]
    values[-1] = largest
    width = len(varint(largest))
    digits = np.stack([values.astype("int64") >> 7 * i & 127 for i in range(width)], -1)
    digits[:, :-1] += 128
    assert bytes(encode(values)) == digits.astype("uint8").tobytes()


@pytest.mark.parametrize("data", [b"\x80", b"\x01\xff", b"\xff" * 11 + b"\x01"])
def test_a_number_without_an_end_is_refused(data):
    with pytest.raises(ValueError, match="expected numbers"):
        decode(memoryview(data), np.dtype("int32"), 10)


def test_the_end_of_a_number_is_not_looked_for_beyond_its_width():
    data = b"\x01" * (PIECE - 1) + b"\xff" * (1 << 20) + b"\x01"
    with pytest.raises(ValueError, match="a wider one"):
        decode(memoryview(data), np.dtype("int32"), len(data))
