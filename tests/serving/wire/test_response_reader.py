"""A response is read back as it was written, by whoever wrote it, without TensorFlow."""

import contextlib

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from serving.wire.messages import message
from serving.wire.response_reader import TYPES, array, arrays, from_message
from serving.wire.responses import predict_response

SHAPES = [(), (1,), (2, 3), (0, 4), (5, 0), (2, 1, 300)]
NUMBERS = [name for name, _, _ in TYPES.values()]


@pytest.mark.parametrize("content", [False, True])
@pytest.mark.parametrize("kind", [*NUMBERS, "object"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_response_is_read_back_without_protobuf(kind, shape, content):
    value = np.random.default_rng(0).integers(0, 2 if kind == "bool" else 100, shape).astype(kind)
    value = np.full(shape, b"words", object) if kind == "object" else value
    found = arrays(predict_response(b"", {"one": value, "two": value[..., None]}, content))
    assert (
        list(found) == ["one", "two"]
        and found["one"].dtype == value.dtype
        and found["one"].shape == shape
    )
    np.testing.assert_array_equal(found["one"], value)
    np.testing.assert_array_equal(found["two"], value[..., None])


def test_answers_of_another_server_are_read_in_whatever_order_its_fields_come():
    response = predict_pb2.PredictResponse()
    response.outputs["fewer"].CopyFrom(
        tf.make_tensor_proto(np.full((2, 3), 7, "float32"))
    )  # one value stands for all
    response.outputs["content"].CopyFrom(
        tf.make_tensor_proto(np.arange(6, dtype="float64").reshape(2, 3))
    )
    response.outputs["apart"].MergeFromString(
        b"\x08\x01\x12\x04\x12\x02\x08\x02"
        + b"\x2d"
        + np.float32(1).tobytes()
        + b"\x2d"
        + np.float32(2).tobytes()
    )
    tensor = response.outputs["apart"].SerializeToString()
    backwards = (
        b"\x2a\x08" + np.array([3, 4], "float32").tobytes() + b"\x12\x04\x12\x02\x08\x02\x08\x01"
    )
    response.model_spec.name = "taxonomy"
    entry = b"\x12" + bytes([len(backwards)]) + backwards + b"\x0a\x04back"
    found = arrays(response.SerializeToString() + b"\x0a" + bytes([len(entry)]) + entry)
    assert (
        found["fewer"].tolist() == [[7] * 3] * 2
        and found["content"].tolist() == [[0, 1, 2], [3, 4, 5]]
        and tensor
    )
    assert found["apart"].tolist() == [1, 2] and found["back"].tolist() == [3, 4]


def test_what_is_no_response_is_refused():
    data = predict_response(b"", {"answer": np.ones((2, 3), "float32")})
    for cut in range(
        3, len(data)
    ):  # the first two bytes are an empty model_spec: a message of its own
        with pytest.raises(ValueError, match="expected"):
            arrays(data[:cut])
    rng = np.random.default_rng(0)
    strings = predict_response(b"", {"answer": np.array([b"one", b"two"], object)})
    for i in range(4000):
        broken = bytearray((data, strings)[i % 2])
        broken[rng.integers(len(broken))] = rng.integers(256)
        with contextlib.suppress(ValueError):
            arrays(bytes(broken))


@pytest.mark.parametrize("kind", [*NUMBERS, "object"])
@pytest.mark.parametrize("given", [0, 1, 4, 6])
@pytest.mark.filterwarnings("error")
def test_typed_fields_are_read_as_tensorflow_reads_them(kind, given):
    """fewer values than the shape says repeat the last one; none at all are zeros."""
    proto = predict_pb2.PredictRequest().inputs["answer"]
    value = np.arange(6) % 2 if kind == "bool" else np.arange(6) + 1
    whole = value.astype(kind) if kind != "object" else np.array([b"%d" % i for i in value], object)
    dtype = tf.string if kind == "object" else tf.as_dtype(kind)
    proto.CopyFrom(tf.make_tensor_proto(np.zeros(0), dtype) if not given else _typed(whole[:given]))
    proto.ClearField("tensor_shape")
    for size in (2, 3):
        proto.tensor_shape.dim.add(size=size)
    found = array(memoryview(proto.SerializeToString()))
    expected = tf.make_ndarray(proto)
    if kind == "object" and not given:
        expected[...] = b""  # TensorFlow's Python reader alone says ""
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


def _typed(values: np.ndarray):
    """TensorFlow writes lists of Python's numbers into typed fields, arrays as raw content."""
    kind = tf.string if values.dtype == object else tf.as_dtype(values.dtype)
    content = tf.make_tensor_proto(values.tolist(), kind)
    if not content.tensor_content:
        return content
    field = next(field for name, field, _ in TYPES.values() if name == values.dtype.name)
    bits = values.view("uint16") if values.dtype == np.float16 else values
    parts = values.view(f"float{4 * values.itemsize}") if values.dtype.kind == "c" else bits
    content.ClearField("tensor_content")
    getattr(content, field).extend(parts.tolist())
    return content


def test_a_short_message_that_claims_gigabytes_is_refused():
    proto = message("TensorProto")(dtype=1)
    proto.tensor_shape.dim.add(size=1 << 40)
    with pytest.raises(ValueError, match="at most"):
        from_message(proto)
