"""One vector of moments makes the steps that Keras' Adam makes variable by variable."""

import keras
import numpy as np
import pytest

from models.networks.flat_adam import FlatAdam

SHAPES = ((3, 4), (4,), (), (2, 1, 5))
RNG = np.random.default_rng(0)
START, GRADIENTS = [RNG.normal(size=shape) for shape in SHAPES], [[RNG.normal(size=shape) * 10**scale for shape in SHAPES] for scale in (-5, 0, 2, 1)]


def steps(optimizer) -> list[np.ndarray]:
    variables = [keras.Variable(value, dtype="float32") for value in START]
    for gradients in GRADIENTS:
        optimizer.apply([keras.ops.convert_to_tensor(gradient, "float32") for gradient in gradients], variables)
    return [np.array(variable) for variable in variables]


@pytest.mark.parametrize("clip", [None, 5.0])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_its_steps_are_those_of_adamw(clip, decay):
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 8)
    theirs = steps(keras.optimizers.AdamW(schedule, weight_decay=decay, global_clipnorm=clip, epsilon=1e-10))
    for ours, expected, start in zip(steps(FlatAdam(schedule, clip, decay)), theirs, START):
        np.testing.assert_allclose(ours, expected, rtol=2e-4, atol=2e-5)
        assert np.abs(ours - start).max() > 0.05


def test_it_is_read_back_as_it_was():
    read = keras.optimizers.deserialize(keras.optimizers.serialize(FlatAdam(0.01, 5.0, 0.1)))
    assert (read.clip, read.decay, float(read.learning_rate)) == (5.0, 0.1, pytest.approx(0.01))
