"""A TensorProto is read as TensorFlow reads it (its own reader is `tf.io.parse_tensor`), and is
counted before it is made.
"""

import tracemalloc

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from serving.wire.messages import message
from serving.wire.tensor_reader import Allowance, array
from serving.wire.tensor_types import NUMBERS, TYPES

KINDS = [*NUMBERS, "object"]


def proto_of(kind: str, sizes, **fields):
    number = 7 if kind == "object" else NUMBERS[kind]
    proto = tensor_pb2.TensorProto(dtype=number, **fields)
    proto.tensor_shape.SetInParent()
    for size in sizes:
        proto.tensor_shape.dim.add(size=size)
    return proto


def read(proto):
    return array(memoryview(proto.SerializeToString()))


def original(proto):
    kind = tf.as_dtype(proto.dtype)
    return tf.io.parse_tensor(proto.SerializeToString(), kind).numpy()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [0, 1, 4, 6, 9])
def test_typed_fields_are_read_as_tensorflow_reads_them(kind, count):
    """fewer values than the shape says repeat the last one; none at all are zeros; more are cut."""
    values = [b"%d" % i for i in range(count)]
    if kind != "object":
        number = NUMBERS[kind]
        field = TYPES[number][1]
        whole = [i % 2 for i in range(count)] if kind == "bool" else [3 * i for i in range(count)]
        values = [float(i) for i in whole] * 2 if kind.startswith("complex") else whole
    proto = proto_of(kind, (2, 3), **{"string_val" if kind == "object" else field: values})
    expected = original(proto)
    assert read(proto).dtype == expected.dtype
    np.testing.assert_array_equal(read(proto), expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sizes", [(), (1,), (0,), (2, 3)], ids=str)
def test_raw_content_is_read_as_tensorflow_reads_it(kind, sizes):
    count = int(np.prod(sizes))
    if kind == "object":
        content = bytes([2] * count) + b"ab" * count
    else:
        dtype = tf.as_dtype(NUMBERS[kind]).as_numpy_dtype
        content = (np.arange(count) % 2).astype(dtype).tobytes()
    proto = proto_of(kind, sizes, tensor_content=content)
    np.testing.assert_array_equal(read(proto), original(proto))


@pytest.mark.parametrize(
    "field, values", [("int_val", [-1, 2**31 - 1, -(2**31)]), ("int_val", [300, -300, 65536])]
)
@pytest.mark.parametrize("kind", ["int32", "int16", "uint8", "int8", "uint16"])
def test_whole_numbers_beyond_the_type_are_cut_as_tensorflow_cuts_them(kind, field, values):
    proto = proto_of(kind, (3,), **{field: values})
    np.testing.assert_array_equal(read(proto), original(proto))


def test_unpacked_values_are_read_too():
    data = bytes([8, 9, 18, 4, 18, 2, 8, 2]) + bytes([80, 5, 80, 6])  # int64_val twice, a tag each
    assert array(memoryview(data)).tolist() == [5, 6]
    data = bytes([8, 1, 18, 4, 18, 2, 8, 2]) + b"".join(
        b"\x2d" + np.float32(i).tobytes() for i in (3, 4)
    )
    assert array(memoryview(data)).tolist() == [3, 4]


def test_packed_and_unpacked_pieces_are_one_list():
    shape = bytes([18, 4, 18, 2, 8, 6])
    pieces = b"\x52\x02\x05\x06" + b"\x50\x07" + b"\x52\x00" + b"\x50" + b"\xff" * 9 + b"\1"
    assert array(memoryview(b"\x08\x09" + shape + pieces)).tolist() == [5, 6, 7, -1, -1, -1]
    with pytest.raises(ValueError, match="without an end"):
        array(memoryview(b"\x08\x09" + shape + b"\x52\x01\x85" + b"\x50\x07"))


def test_surplus_pieces_cost_no_more_than_their_bytes():
    """eight times their bytes where each would be read as int64."""
    sizes = bytes([18, 6, 18, 4, 8]) + b"\xa0\x8d\x06"
    piece = b"\x52" + b"\xa0\x8d\x06" + b"\1" * 100_000
    data = memoryview(b"\x08\x09" + sizes + piece * 20)
    tracemalloc.start()
    assert array(data).sum() == 100_000
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 8 << 20


@pytest.mark.parametrize("proto, words", [
    (proto_of("float32", (2, -3)), "known shape"),
    (tensor_pb2.TensorProto(dtype=1, tensor_shape={"unknown_rank": True}), "known shape"),
    (tensor_pb2.TensorProto(), "known type"),
    (tensor_pb2.TensorProto(dtype=20), "known type"),
    (proto_of("float32", (2, 3), tensor_content=b"123"), "multiple of element size"),
    (proto_of("object", (2,), tensor_content=b"\x02\x02ab"), "bytes of text"),
    (proto_of("object", (9,), tensor_content=b"\x02"), "expected 9 strings"),
    (proto_of("float32", (1,) * 40), "dimensions"),
    (proto_of("float32", (1 << 40,)), "at most"),
])  # fmt: skip
def test_what_is_no_tensor_is_refused(proto, words):
    with pytest.raises(ValueError, match=words):
        read(proto)


CLAIMS = {
    "values that repeat": proto_of("object", (1 << 23,), string_val=[b"x" * 40]),
    "long values that repeat": proto_of("object", (1000,), string_val=[b"x" * (1 << 20)]),
    "empty values": proto_of("object", (3,), string_val=[b""] * 200_000),
    "empty values as content": proto_of("object", (2_000_000,), tensor_content=bytes(2_000_000)),
}


@pytest.mark.parametrize("claim", CLAIMS)
def test_texts_are_counted_before_they_are_made(claim):
    """65 bytes that claim eight million strings; messages that hold many empty ones."""
    data = CLAIMS[claim].SerializeToString()
    tracemalloc.start()
    with pytest.raises(ValueError, match="at most"):
        array(memoryview(data), Allowance(10 << 20))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 20 << 20


@pytest.mark.parametrize(
    "claim", ["values that repeat", "long values that repeat", "empty values as content"]
)
def test_the_allowance_of_a_request_holds_by_itself(claim):
    with pytest.raises(ValueError, match="at most"):
        array(memoryview(CLAIMS[claim].SerializeToString()))


def test_all_tensors_of_a_request_share_one_allowance():
    # every field costs, beside the 480 bytes of each
    allowance = Allowance(2000)
    data = memoryview(proto_of("float64", (60,), double_val=[1.0]).SerializeToString())
    assert array(data, allowance).nbytes == 480
    with pytest.raises(ValueError, match="at most 2000 bytes"):
        array(data, allowance)


def test_ours_and_tensorflows_message_are_read_alike():
    ours = message("TensorProto")(dtype=3, int_val=[1, 2])
    ours.tensor_shape.dim.add(size=2)
    assert array(memoryview(ours.SerializeToString())).tolist() == [1, 2]
