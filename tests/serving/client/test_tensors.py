"""What the client sends is what TensorFlow would make of it."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from serving.client.tensors import tensor_of

VALUES = [
    b"one",
    [b"one", b"two\0"],
    [[b"a", b"b"], [b"c", b""]],
    ["words"],
    [1, 2, 3],
    [[0.5], [1.5]],
    True,
    np.arange(6, dtype="float32").reshape(2, 3),
    np.arange(6, dtype="float64").reshape(3, 2).T,
    np.zeros((0, 4), "uint8"),
    np.array([b"x", b""], object),
    np.float16(3),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_tensorflow_reads_what_it_would_have_written(value):
    read = tensor_pb2.TensorProto.FromString(tensor_of(value).SerializeToString())
    expected = tf.make_tensor_proto(value)
    assert read.dtype == expected.dtype and read.tensor_shape == expected.tensor_shape
    np.testing.assert_array_equal(tf.make_ndarray(read), tf.make_ndarray(expected))


@pytest.mark.parametrize("value", [[[b"a"], [b"b", b"c"]], [[b"a"], b"b"]])
def test_ragged_lists_are_refused(value):
    with pytest.raises(ValueError, match="one length"):
        tensor_of(value)


def test_a_type_without_a_number_is_refused():
    with pytest.raises(ValueError, match="expected numbers or strings, got datetime64"):
        tensor_of(np.array(["2026-01-01"], "datetime64[D]"))
