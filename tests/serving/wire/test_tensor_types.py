"""Numbers of types, and the fields that hold their values, are TensorFlow's."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from serving.wire import tensor_types
from serving.wire.tensor_types import NUMBERS, STRING, TYPES, numpy_type


@pytest.mark.parametrize("number", TYPES)
def test_a_type_is_tensorflows(number):
    name, field, place = TYPES[number]
    assert numpy_type(number) == tf.dtypes.as_dtype(number).as_numpy_dtype
    assert np.dtype(numpy_type(number)).name == name and NUMBERS[name] == number
    proto = tensor_pb2.TensorProto()
    assert proto.DESCRIPTOR.fields_by_name[field].number == place
    written = tf.make_tensor_proto(np.zeros(3, numpy_type(number)))
    if not written.tensor_content:
        assert list(getattr(written, field))


def test_fields_of_a_tensor_have_tensorflows_numbers():
    of = tensor_pb2.TensorProto.DESCRIPTOR.fields_by_name
    assert of["dtype"].number == tensor_types.DTYPE
    assert of["tensor_shape"].number == tensor_types.SHAPE
    assert of["tensor_content"].number == tensor_types.CONTENT
    assert of["string_val"].number == tensor_types.STRING_VAL


def test_texts_are_objects_and_an_unknown_number_is_refused():
    assert numpy_type(STRING) == np.dtype(object) and tf.string.as_datatype_enum == STRING
    for number in (0, 20, 21, 99):
        with pytest.raises(ValueError, match=f"expected a known type.*got {number}"):
            numpy_type(number)
