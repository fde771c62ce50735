"""A fused decoder gives its Keras head's answers, borders included, from fewer operations."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from serving.bundle.graph.fuse_upsampling import fused


def lively(head: keras.Model) -> keras.Model:
    """random weights everywhere: biases and statistics of a fresh network are zeros and ones, which
    hide mistakes.
    """
    rng = np.random.default_rng(0)
    for weight in head.weights:
        weight.assign(
            rng.uniform(0.5, 2, weight.shape)
            if "variance" in weight.path
            else rng.normal(size=weight.shape) / 3
        )
    return head


def head_of(*layers: keras.layers.Layer, shape=(5, 7, 3)) -> keras.Model:
    source = x = keras.Input(shape)
    for layer in layers:
        x = layer(x)
    return lively(keras.Model(source, x))


def convolution(filters: int = 4, **options) -> keras.layers.Layer:
    return keras.layers.Conv2D(filters, **{"kernel_size": 3, "padding": "same", **options})


def transposed(filters: int = 3, **options) -> keras.layers.Layer:
    return keras.layers.Conv2DTranspose(
        filters, **{"kernel_size": 4, "strides": 2, "padding": "same", **options}
    )


def double(**options) -> keras.layers.Layer:
    return keras.layers.UpSampling2D(**{"size": 2, "interpolation": "nearest", **options})


def operations(call, shape) -> list[str]:
    function = tf.function(lambda x: call(x, training=False)).get_concrete_function(
        tf.TensorSpec([None, *shape])
    )
    return [operation.type for operation in function.graph.get_operations()]


def same_answers(head: keras.Model) -> None:
    x = np.random.default_rng(1).normal(size=(2, *head.input_shape[1:])).astype("float32")
    expected, answer = (
        np.asarray(head(x, training=False)),
        np.asarray(fused(head)(tf.constant(x), training=False)),
    )
    assert expected.shape == answer.shape and expected.std() > 0
    np.testing.assert_allclose(answer, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


norm, leaky = keras.layers.BatchNormalization, keras.layers.LeakyReLU
FUSED = {  # layers, and how many of their enlargements are not done in blocks
    "enlarged": (lambda: [double(), convolution()], 0),
    "enlarged, wide": (lambda: [double(), convolution(5)], 1),
    "enlarged and normed": (lambda: [double(), convolution(use_bias=False), norm(), leaky()], 0),
    "enlarged and normed, wide": (
        lambda: [double(), convolution(5, use_bias=False), norm(), leaky()],
        1,
    ),
    "wide answer": (lambda: [double(), convolution(5), leaky(), convolution(5)], 1),
    "another activation": (
        lambda: [double(), convolution(), keras.layers.Softmax(), convolution(3)],
        0,
    ),
    "blocks": (lambda: [double(), convolution(), leaky(), convolution(3)], 0),
    "normed blocks": (
        lambda: [double(), convolution(use_bias=False), norm(), leaky(), convolution(4)],
        0,
    ),
    "norm without scale and centre": (
        lambda: [double(), convolution(), norm(scale=False, center=False), leaky(), convolution(1)],
        0,
    ),
    "twice": (
        lambda: [
            convolution(),
            norm(),
            double(),
            convolution(6),
            norm(),
            leaky(),
            double(),
            convolution(2),
            norm(),
            leaky(),
            convolution(1),
        ],
        1,
    ),
}
KEPT = {
    "norm alone": lambda: [convolution(), norm(), leaky()],
    "bilinear": lambda: [double(interpolation="bilinear"), convolution()],
    "by three": lambda: [double(size=3), convolution()],
    "stride": lambda: [double(), convolution(strides=2)],
    "five wide": lambda: [double(), convolution(kernel_size=5)],
    "unpadded": lambda: [double(), convolution(padding="valid")],
    "activation before the norm": lambda: [double(), convolution(activation="relu"), norm()],
    "dilated": lambda: [double(), convolution(dilation_rate=2)],
}


@pytest.mark.parametrize("layers, apart", FUSED.values(), ids=FUSED)
def test_a_decoder_keeps_its_answers_without_enlarging(layers, apart):
    head = head_of(*layers())
    same_answers(head)
    kinds = operations(fused(head), head.input_shape[1:])
    doubled = sum(isinstance(layer, keras.layers.UpSampling2D) for layer in head.layers)
    assert (
        kinds.count("Conv2DBackpropInput") == apart
        and kinds.count("DepthToSpace") == doubled - apart
        and "ResizeNearestNeighbor" not in kinds
    )


TRANSPOSED_KEPT = {
    "wide": {"filters": 5},
    "two wide": {"kernel_size": 2},
    "stride": {"strides": 1},
    "unpadded": {"padding": "valid"},
    "activation": {"activation": "relu"},
    "output padding": {"output_padding": 1},
}


@pytest.mark.parametrize("options", [{}, {"filters": 1}, {"filters": 4, "use_bias": False}])
def test_a_narrow_transposed_convolution_is_done_in_blocks(options):
    head = head_of(convolution(), leaky(), transposed(**options))
    same_answers(head)
    kinds = operations(fused(head), head.input_shape[1:])
    assert "Conv2DBackpropInput" not in kinds and kinds.count("DepthToSpace") == 1


@pytest.mark.parametrize("options", TRANSPOSED_KEPT.values(), ids=TRANSPOSED_KEPT)
def test_another_transposed_convolution_is_left_alone(options):
    head = head_of(convolution(), transposed(**options))
    assert fused(head) is head


@pytest.mark.parametrize("layers", KEPT.values(), ids=KEPT)
def test_what_is_no_such_pair_is_left_alone(layers):
    head = head_of(*layers())
    assert fused(head) is head


def test_a_head_with_a_branch_is_left_alone():
    source = keras.Input((4, 4, 3))
    x = convolution(3)(source)
    head = keras.Model(source, keras.layers.Add()([norm()(x), x]))
    assert fused(head) is head


@pytest.mark.parametrize("more", [[], [leaky(), convolution(2)]], ids=["", "blocks"])
def test_one_pixel_is_all_border(more):
    same_answers(head_of(double(), convolution(), *more, shape=(1, 1, 2)))


def test_a_map_of_unknown_size_keeps_its_answers():
    head = head_of(double(), convolution(), leaky(), convolution(2), shape=(None, None, 3))
    x = np.random.default_rng(1).normal(size=(1, 4, 6, 3)).astype("float32")
    np.testing.assert_allclose(
        np.asarray(fused(head)(tf.constant(x))),
        np.asarray(head(x, training=False)),
        rtol=1e-4,
        atol=1e-4,
    )
