"""The messages declared by hand have TensorFlow Serving's own field numbers and types."""

import pytest
from google.protobuf import any_pb2, wrappers_pb2
from tensorflow.core.framework import tensor_pb2, tensor_shape_pb2
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import get_model_metadata_pb2, model_pb2, predict_pb2

from serving.wire.messages import FIELDS, message

ORIGINALS = {
    "Dim": tensor_shape_pb2.TensorShapeProto.Dim,
    "TensorShapeProto": tensor_shape_pb2.TensorShapeProto,
    "TensorProto": tensor_pb2.TensorProto,
    "Int64Value": wrappers_pb2.Int64Value,
    "ModelSpec": model_pb2.ModelSpec,
    "PredictRequest": predict_pb2.PredictRequest,
    "TensorInfo": meta_graph_pb2.TensorInfo,
    "SignatureDef": meta_graph_pb2.SignatureDef,
    "SignatureDefMap": get_model_metadata_pb2.SignatureDefMap,
    "Any": any_pb2.Any,
    "GetModelMetadataRequest": get_model_metadata_pb2.GetModelMetadataRequest,
    "GetModelMetadataResponse": get_model_metadata_pb2.GetModelMetadataResponse,
}
ENUM, INT32 = 14, 5  # an enumeration is a number on the wire


def facts(field) -> tuple:
    """what decides a field's bytes."""
    kind = INT32 if field.type == ENUM else field.type
    inner = field.message_type
    is_map = bool(inner and inner.GetOptions().map_entry)
    value = inner.fields_by_name["value"].message_type.name if is_map else None
    return field.number, kind, field.label, is_map, value or (inner.name if inner else None)


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_is_the_originals(name):
    own, original = message(name).DESCRIPTOR, ORIGINALS[name].DESCRIPTOR
    assert set(FIELDS) == set(ORIGINALS)
    for field in own.fields:
        assert facts(field) == facts(original.fields_by_name[field.name]), field.name


def test_a_request_is_read_by_the_original():
    request = message("PredictRequest")(output_filter=["normal"])
    request.model_spec.name = "taxonomy"
    request.model_spec.version.value = 7
    request.inputs["image_bytes"].dtype = 7
    request.inputs["image_bytes"].string_val.append(b"png")
    read = predict_pb2.PredictRequest.FromString(request.SerializeToString())
    assert (read.model_spec.name, read.model_spec.version.value) == ("taxonomy", 7)
    assert read.inputs["image_bytes"].string_val == [b"png"]
    assert read.output_filter == ["normal"]
