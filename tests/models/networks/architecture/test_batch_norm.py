"""Batch norm as one operation is Keras' own, to rounding."""

import keras
import numpy as np
import pytest

from models.networks.architecture.batch_norm import BatchNormalization

tf = pytest.importorskip("tensorflow")


def trained(layer, x, weights):
    """(answer, derivatives of x, gamma, beta, running statistics) of one step of training."""
    layer.build(x.shape)
    layer.set_weights(weights)
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        answer = layer(x, training=True)
        total = tf.reduce_sum(answer * tf.sin(tf.range(tf.size(answer), dtype="float32") + 1)[0])
        total += tf.reduce_sum(answer**3)
    slopes = tape.gradient(total, [x, layer.gamma.value, layer.beta.value])
    return [np.asarray(part) for part in (answer, *slopes, *layer.get_weights()[2:])]


@pytest.mark.parametrize("shape", [(3, 4, 4, 5), (2, 1, 1, 3), (6, 5)])
def test_a_step_and_an_answer_are_those_of_keras(shape):
    rng = np.random.default_rng(0)
    x = rng.normal(1, 3, shape).astype("float32")
    weights = [rng.uniform(0.5, 2, shape[-1]).astype("float32") for _ in range(4)]
    fused, plain = (
        make(momentum=0.9, epsilon=1e-5)
        for make in (BatchNormalization, keras.layers.BatchNormalization)
    )
    assert fused.fuses(tf.constant(x)) == (len(shape) == 4)
    for trained_weights, expected in zip(trained(fused, x, weights), trained(plain, x, weights)):
        np.testing.assert_allclose(trained_weights, expected, rtol=2e-4, atol=2e-4)
    np.testing.assert_allclose(fused(x), plain(x), rtol=1e-5, atol=1e-5)


def test_what_is_shared_among_devices_or_halved_is_left_to_keras():
    layer = BatchNormalization()
    assert not layer.fuses(tf.zeros((1, 2, 2, 1), "float16"))
    layer.synchronized = True
    assert not layer.fuses(tf.zeros((1, 2, 2, 1)))


def test_weights_are_filed_as_those_of_keras(tmp_path):
    models = []
    for make in (BatchNormalization, keras.layers.BatchNormalization):
        source = keras.Input((2, 2, 3))
        models.append(keras.Model(source, make()(make()(source))))
    models[0].set_weights([np.random.default_rng(0).random(w.shape) for w in models[0].weights])
    models[0].save_weights(tmp_path / "w.weights.h5")
    models[1].load_weights(tmp_path / "w.weights.h5")
    for one, other in zip(*(model.get_weights() for model in models)):
        np.testing.assert_array_equal(one, other)
