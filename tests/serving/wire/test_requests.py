"""Requests read by hand are what protobuf reads in them."""

import tracemalloc

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import (
    classification_pb2,
    inference_pb2,
    input_pb2,
    model_pb2,
    predict_pb2,
)

from serving.wire.model_spec import ModelSpec
from serving.wire.protobuf import prefix
from serving.wire.requests import (
    MOST_NAMES,
    examples_of,
    examples_request,
    multi_inference_request,
    predict_request,
)
from serving.wire.tensor_reader import Allowance, array


def example(**features):
    return tf.train.Example(
        features=tf.train.Features(
            feature={
                name: tf.train.Feature(float_list=tf.train.FloatList(value=[value]))
                for name, value in features.items()
            }
        )
    )


def test_a_question_is_read_as_it_was_written():
    request = predict_pb2.PredictRequest(output_filter=["a", "b"])
    request.model_spec.name = "m"
    request.model_spec.version.value = 7
    request.inputs["x"].CopyFrom(tf.make_tensor_proto(np.ones((2, 3), "float32")))
    request.inputs["y"].CopyFrom(tf.make_tensor_proto([b"text"]))
    read = predict_request(request.SerializeToString())
    assert read.spec == ModelSpec("m", 7) and read.outputs == ["a", "b"]
    assert set(read.inputs) == {"x", "y"} and array(read.inputs["y"]).tolist() == [b"text"]


def test_messages_that_come_twice_are_merged_as_protobuf_merges_them():
    first = predict_pb2.PredictRequest(model_spec=model_pb2.ModelSpec(name="m"))
    second = predict_pb2.PredictRequest(model_spec=model_pb2.ModelSpec(signature_name="s"))
    data = first.SerializeToString() + second.SerializeToString()
    assert predict_request(data).spec == ModelSpec("m", signature="s")
    assert predict_pb2.PredictRequest.FromString(data).model_spec.name == "m"


def test_a_request_without_a_spec_says_so():
    assert predict_request(b"").spec is None and predict_request(b"\x0a\x00").spec == ModelSpec()


@pytest.mark.parametrize("data", [b"\xff\xff\xff", b"\x0a\x05a", b"\x08\x01", b"\x1a\x01\xff"])
def test_what_is_no_request_is_refused(data):
    with pytest.raises(ValueError, match="expected|decode"):
        predict_request(data)


def test_more_names_than_a_request_can_need_are_refused():
    with pytest.raises(ValueError, match="at most"):
        predict_request(b"\x1a\x00" * (MOST_NAMES + 1))


@pytest.mark.parametrize("piece, where", [
    (b"\x1a\x00", "one entry"),
    # 100 fields of different numbers each
    (b"".join(prefix(number, 0) for number in range(3, 103)), "one entry"),
    (b"\x4a\x00", "the request"),
])  # fmt: skip
def test_unknown_fields_are_counted_and_not_kept(piece, where):
    """half a million of them in a mebibyte, of which a dictionary of views made 51."""
    many = piece * ((1 << 20) // len(piece))
    data = prefix(2, len(many)) + many if where == "one entry" else many
    tracemalloc.start()
    with pytest.raises(ValueError, match="names of at most"):
        predict_request(data)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 1 << 20


def test_unknown_fields_of_an_entry_are_skipped():
    entry = b"\x0a\x01x" + b"\x1a\x01?" + b"\x12\x02\x08\x01" + b"\x7a\x00"
    assert predict_request(prefix(2, len(entry)) + entry).inputs == {"x": b"\x08\x01"}


def test_an_input_in_pieces_is_merged_as_protobuf_merges_it():
    request = classification_pb2.ClassificationRequest()
    request.input.example_list_with_context.context.CopyFrom(example(z=6.0))
    request.input.example_list_with_context.examples.append(example(x=1.0))
    data = request.SerializeToString() * 3
    merged = classification_pb2.ClassificationRequest.FromString(data)
    read = examples_of(examples_request(data).input)
    assert [tf.train.Example.FromString(one) for one in read] == [example(x=1.0, z=6.0)] * 3
    assert len(merged.input.example_list_with_context.examples) == 3


def test_examples_are_their_own_bytes_and_a_context_yields_to_them():
    given = input_pb2.Input()
    given.example_list.examples.extend([example(x=1.0), example(x=2.0)])
    read = examples_of(memoryview(given.SerializeToString()))
    assert [tf.train.Example.FromString(one) for one in read] == [example(x=1.0), example(x=2.0)]
    given = input_pb2.Input()
    given.example_list_with_context.context.CopyFrom(example(x=5.0, z=6.0))
    given.example_list_with_context.examples.append(example(x=1.0))
    read = examples_of(memoryview(given.SerializeToString()))
    assert [tf.train.Example.FromString(one) for one in read] == [example(x=1.0, z=6.0)]


def test_examples_are_counted_before_they_are_made():
    given = input_pb2.Input()
    given.example_list.examples.extend([tf.train.Example()] * 1000)
    with pytest.raises(ValueError, match="at most"):
        examples_of(memoryview(given.SerializeToString()), Allowance(100_000))


def test_classify_and_multi_inference_are_read_as_they_were_written():
    request = classification_pb2.ClassificationRequest()
    request.model_spec.version_label = "old"
    request.input.example_list.examples.append(example(x=1.0))
    read = examples_request(request.SerializeToString())
    assert read.spec == ModelSpec(label="old") and len(examples_of(read.input)) == 1
    many = inference_pb2.MultiInferenceRequest(input=request.input)
    many.tasks.add(method_name="tensorflow/serving/classify").model_spec.name = "m"
    read = multi_inference_request(many.SerializeToString())
    assert [(task.spec.name, task.method) for task in read.tasks] == [
        ("m", "tensorflow/serving/classify")
    ]
    assert len(examples_of(read.input)) == 1
