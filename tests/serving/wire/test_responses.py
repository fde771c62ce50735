"""A hand-made PredictResponse is what protobuf makes, for every type that a graph can have."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from serving.wire.responses import predict_response
from serving.wire.tensor_types import NUMBERS, TYPES

SHAPES = [(), (1,), (2, 3), (0, 4), (5, 0), (2, 1, 300)]


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
    array = tf.make_ndarray(found)
    assert array.dtype == value.dtype and array.shape == value.shape
    np.testing.assert_array_equal(array, value)


@pytest.mark.parametrize("kind", NUMBERS)
@pytest.mark.parametrize("count", [1, 6])
def test_numbers_stand_in_typed_fields_as_tensorflow_serving_sends_them(kind, count):
    value = (np.arange(count) % 2).astype(kind)
    found = parsed({"answer": value}).outputs["answer"]
    held = list(getattr(found, TYPES[NUMBERS[kind]][1]))
    if kind in ("float16", "bfloat16"):
        expected = value.view("uint16").tolist()
    elif value.dtype.kind == "c":
        expected = value.view(f"float{4 * value.itemsize}").tolist()
    else:
        expected = value.tolist()
    assert held == expected and not found.tensor_content


@pytest.mark.parametrize("kind", NUMBERS)
@pytest.mark.parametrize("count", [1, 6])
def test_every_number_can_stand_as_raw_content(kind, count):
    value = (np.arange(count) % 2).astype(kind)
    found = predict_pb2.PredictResponse.FromString(
        predict_response(b"", {"answer": value}, content=True)
    ).outputs["answer"]
    assert found.tensor_content == value.tobytes()
    assert found.dtype == tf.as_dtype(kind).as_datatype_enum
    np.testing.assert_array_equal(tf.make_ndarray(found), value)


def test_a_type_without_a_field_is_refused_in_words():
    with pytest.raises(ValueError, match="expected one of"):
        predict_response(b"", {"answer": np.zeros(2, "datetime64[s]")})


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
