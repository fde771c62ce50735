"""Heads of transfers by gradient: the released transfer function counts as the released one does,
and treats every image of a sample alike.
"""

import dataclasses

import keras
import numpy as np
import pytest
from tiny_store import TINY

from models.networks.architecture.heads import build_head
from models.networks.architecture.transfer_heads import (
    Clipped,
    build_transfer_head,
    transfer_function,
)
from models.tasks import TASKS

RELEASED = dataclasses.replace(TINY, transfer_widths=(), transfer_function=True)
PLAIN = dataclasses.replace(RELEASED, transfer_function=False)


def function(*shape: int) -> keras.Model:
    source = keras.Input(shape)
    return keras.Model(source, transfer_function(source))


@pytest.mark.parametrize("sources, weights", [(1, 2_416), (2, 9_440), (3, 21_072), (4, 37_312)])
def test_the_function_has_as_many_weights_as_the_released_one(sources, weights):
    model = function(16, 16, 8 * sources)
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == weights
    assert model.output_shape == (None, 16, 16, 16 * sources)


def test_images_of_a_sample_share_the_function():
    alone, together = function(4, 4, 8), function(2, 4, 4, 8)
    for own, shared in zip(together.weights, alone.weights):
        own.assign(np.reshape(shared, own.shape))
    images = np.random.default_rng(0).normal(size=(3, 2, 4, 4, 8)).astype("float32")
    expected = np.stack([alone(images[:, i], training=False) for i in range(2)], 1)
    np.testing.assert_allclose(together(images, training=False), expected, atol=1e-6)


def test_only_training_clips_at_five_deviations():
    values = np.zeros((100, 1, 1, 1), "float32")
    values[0] = 1000
    layer = Clipped(5.0)
    np.testing.assert_array_equal(layer(values, training=False), values)
    clipped = np.asarray(layer(values, training=True))
    assert clipped[0, 0, 0, 0] == pytest.approx(values.mean() + 5 * values.std(), rel=1e-5)
    np.testing.assert_array_equal(clipped[1:], 0)


@pytest.mark.parametrize("name", sorted(name for name in TASKS if TASKS[name].trained))
def test_every_task_has_a_head_behind_the_function_of_the_same_answer(name):
    task = TASKS[name]
    made = build_transfer_head(task, RELEASED, (4, 4, 16), task.images, 32)
    plain = build_head(task, RELEASED, (4, 4, 16), task.images, 32)
    assert made.input_shape == plain.input_shape and made.output_shape == plain.output_shape
    batch = np.ones((2, *made.input_shape[1:]), "float32")
    assert np.isfinite(made(batch, training=True)).all()
    bare = build_transfer_head(task, PLAIN, (4, 4, 16), task.images, 32)
    assert bare.count_params() == plain.count_params() != made.count_params()


def test_the_small_head_of_maps_goes_without_and_vectors_keep_the_function():
    both = dataclasses.replace(RELEASED, transfer_widths=(4,))
    small = build_transfer_head(TASKS["normal"], both, (4, 4, 8), 1, 32)
    assert not any(isinstance(layer, Clipped) for layer in small.layers)
    vector = build_transfer_head(TASKS["room_layout"], both, (4, 4, 8), 1, 32)
    assert any(isinstance(layer, Clipped) for layer in vector.layers)
