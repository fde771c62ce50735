"""A response is read back as it was written, by whoever wrote it, without TensorFlow."""

import contextlib

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from serving.wire.response_reader import arrays
from serving.wire.responses import predict_response
from serving.wire.tensor_types import TYPES

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
