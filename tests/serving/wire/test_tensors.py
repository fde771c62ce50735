"""Arrays as serialised TensorProto are what TensorFlow reads back."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from serving.wire.tensor_types import NUMBERS, numpy_type
from serving.wire.tensors import head_of, parts_of


@pytest.mark.parametrize("content", [False, True])
@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("shape", [(), (1,), (2, 3), (0, 4)])
def test_tensorflow_reads_what_was_written(name, shape, content):
    values = np.random.default_rng(0).integers(0, 2 if name == "bool" else 100, shape)
    value = np.asarray(values).astype(numpy_type(NUMBERS[name]))
    proto = tensor_pb2.TensorProto.FromString(b"".join(parts_of(value, content)))
    read = tf.make_ndarray(proto)
    assert read.dtype == value.dtype and read.shape == shape
    np.testing.assert_array_equal(read, value)
    # one element too: what the flag promises holds for every size
    assert bool(proto.tensor_content) == (content and value.size > 0)


def test_texts_are_typed_whatever_is_asked():
    value = np.array([["a", b"\xff"], ["wörld", ""]], object)
    for content in (False, True):
        proto = tensor_pb2.TensorProto.FromString(b"".join(parts_of(value, content)))
        assert list(proto.string_val) == [b"a", b"\xff", "wörld".encode(), b""]
        assert [side.size for side in proto.tensor_shape.dim] == [2, 2]


def test_the_arrays_own_memory_is_a_piece():
    value = np.arange(6, dtype="float32").reshape(2, 3)
    memory = parts_of(value)[-1]
    value[0, 0] = 7
    assert bytes(memory) == value.tobytes(), "no copy was made"
    proto = tensor_pb2.TensorProto.FromString(b"".join(parts_of(value.T)))
    np.testing.assert_array_equal(tf.make_ndarray(proto), value.T)


def test_a_type_that_no_field_holds_is_refused():
    with pytest.raises(ValueError, match="expected one of .*got datetime64"):
        parts_of(np.zeros(2, "datetime64[s]"))


def test_a_scalar_has_a_shape_and_an_unknown_one_has_none():
    assert tensor_pb2.TensorProto.FromString(head_of(1, ())).HasField("tensor_shape")
