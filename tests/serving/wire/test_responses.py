"""A hand-made PredictResponse is what protobuf makes, for every type that a graph can answer with."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from serving.wire.responses import predict_response
from serving.wire.tensors import CONTENT, PACKED, from_proto

SHAPES = [(), (1,), (2, 3), (0, 4), (5, 0), (2, 1, 300)]
NUMBERS = [*PACKED, *CONTENT, "bool", "float16", "complex64"]


def parsed(outputs) -> predict_pb2.PredictResponse:
    spec = predict_pb2.PredictResponse().model_spec
    spec.name, spec.signature_name, spec.version.value = "taxonomy", "image_bytes", 7
    return predict_pb2.PredictResponse.FromString(
        predict_response(spec.SerializeToString(), outputs)
    )


@pytest.mark.parametrize("kind", NUMBERS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_numbers_of_every_type_and_shape_come_back(kind, shape):
    value = np.random.default_rng(0).integers(0, 2 if kind == "bool" else 100, shape).astype(kind)
    found = parsed({"answer": value}).outputs["answer"]
    for array in (tf.make_ndarray(found), from_proto(found)):
        assert array.dtype == value.dtype and array.shape == value.shape
        np.testing.assert_array_equal(array, value)


@pytest.mark.parametrize("kind", sorted(PACKED))
def test_floats_stand_in_typed_fields_as_tensorflow_serving_sends_them(kind):
    value = np.arange(6, dtype=kind).reshape(2, 3)
    found = parsed({"answer": value}).outputs["answer"]
    assert (
        list(getattr(found, PACKED[kind][2])) == value.ravel().tolist() and not found.tensor_content
    )


@pytest.mark.parametrize("kind", sorted({**PACKED, **CONTENT}))
def test_every_number_can_stand_as_raw_content(kind):
    value = np.arange(6).reshape(2, 3).astype(kind)
    found = predict_pb2.PredictResponse.FromString(
        predict_response(b"", {"answer": value}, content=True)
    ).outputs["answer"]
    assert (
        found.tensor_content == value.tobytes()
        and found.dtype == tf.as_dtype(kind).as_datatype_enum
    )
    np.testing.assert_array_equal(tf.make_ndarray(found), value)


@pytest.mark.parametrize("shape", [(), (3,), (0,), (2, 2)], ids=str)
def test_strings_of_any_length_come_back(shape):
    value = np.full(shape, None, object)
    for i, place in enumerate(np.ndindex(*shape)):
        value[place] = bytes([i]) * 200 * i
    found = parsed({"answer": value}).outputs["answer"]
    assert found == tf.make_tensor_proto(value, dtype=tf.string, shape=shape)


def test_a_view_that_is_not_contiguous_is_sent_in_its_own_order():
    value = np.arange(24, dtype="float32").reshape(4, 6)
    for view in (value[1:3], value[:, ::2], value.T):
        np.testing.assert_array_equal(
            tf.make_ndarray(parsed({"answer": view}).outputs["answer"]), view
        )


def test_all_outputs_and_the_model_are_named():
    outputs = {
        "a": np.ones((2, 3), "float32"),
        "b" * 200: np.array([b"x", b""], object),
        "c": np.arange(300, dtype="uint8"),
    }
    found = parsed(outputs)
    assert set(found.outputs) == set(outputs) and (
        found.model_spec.name,
        found.model_spec.signature_name,
        found.model_spec.version.value,
    ) == (
        "taxonomy",
        "image_bytes",
        7,
    )
    for name, value in outputs.items():
        np.testing.assert_array_equal(tf.make_ndarray(found.outputs[name]), value)
