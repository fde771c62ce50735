"""Kernels take orthogonal steps; everything else the steps that Keras' Adam makes variable by
variable.
"""

import keras
import numpy as np
import pytest

from models.networks.training.muon import FlatMuon, near_orthogonal

SHAPES = ((3,), (4,), (), (2, 1, 5))
RNG = np.random.default_rng(0)
START, GRADIENTS = (
    [RNG.normal(size=shape) for shape in SHAPES],
    [[RNG.normal(size=shape) * 10**scale for shape in SHAPES] for scale in (-5, 0, 2, 1)],
)


def steps(
    optimizer, start=START, gradients=GRADIENTS, names=("a", "b", "c", "d")
) -> list[np.ndarray]:
    variables = [
        keras.Variable(value, dtype="float32", name=name) for value, name in zip(start, names)
    ]
    for row in gradients:
        optimizer.apply(
            [keras.ops.convert_to_tensor(gradient, "float32") for gradient in row], variables
        )
    return [np.array(variable) for variable in variables]


@pytest.mark.parametrize("clip", [None, 5.0])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_steps_of_what_is_no_kernel_are_those_of_adamw(clip, decay):
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 8)
    theirs = steps(
        keras.optimizers.AdamW(schedule, weight_decay=decay, global_clipnorm=clip, epsilon=1e-10)
    )
    for ours, expected, start in zip(steps(FlatMuon(schedule, clip, decay)), theirs, START):
        np.testing.assert_allclose(ours, expected, rtol=2e-4, atol=2e-5)
        assert np.abs(ours - start).max() > 0.05


@pytest.mark.parametrize("shape", [(40, 6), (6, 40), (3, 3, 4, 8)])
def test_a_kernels_step_has_singular_values_near_one_and_the_root_mean_square_of_the_rate(shape):
    start, gradient = np.zeros(shape), np.random.default_rng(1).normal(size=shape)
    step = steps(FlatMuon(0.01), [start], [[gradient]], ["kernel"])[0].reshape(-1, shape[-1])
    values = np.linalg.svd(step / 0.01 / np.sqrt(max(step.shape)), compute_uv=False)
    assert values.min() > 0.6 and values.max() < 1.3
    assert np.sqrt(np.square(step).mean()) / 0.01 == pytest.approx(1, abs=0.3)
    assert (step * gradient.reshape(step.shape)).sum() < 0


def test_a_kernels_step_does_not_depend_on_how_large_its_gradient_is():
    gradient = np.random.default_rng(2).normal(size=(5, 7)).astype("float32")
    np.testing.assert_allclose(
        near_orthogonal(keras.ops.convert_to_tensor(gradient)),
        near_orthogonal(keras.ops.convert_to_tensor(gradient * 1000)),
        rtol=1e-3,
        atol=1e-4,
    )


def test_the_spared_layer_is_adams():
    gradient, start = [[np.full((2, 3), 0.5)]], [np.zeros((2, 3))]
    np.testing.assert_allclose(
        steps(FlatMuon(0.01), start, gradient, ["answer"])[0], -0.01, rtol=1e-3
    )
    assert np.abs(steps(FlatMuon(0.01), start, gradient, ["kernel"])[0] + 0.01).max() > 1e-3


def test_it_is_read_back_as_it_was():
    read = keras.optimizers.deserialize(
        keras.optimizers.serialize(FlatMuon(0.01, 5.0, 0.1, "last"))
    )
    assert (read.clip, read.decay, read.spared, float(read.learning_rate)) == (
        5.0,
        0.1,
        "last",
        pytest.approx(0.01),
    )
