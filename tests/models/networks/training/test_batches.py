"""A batch is a function of its step alone; colours are weighed by their rarity."""

import dataclasses

import numpy as np
import pytest
from tiny_store import TINY, TinyStore

from models.networks.training.batch_maker import colour_weights, rebalanced_mask
from models.networks.training.batches import Batches
from models.tasks import TASKS


def test_batches_are_epochs_and_a_function_of_the_step():
    batches = Batches(TinyStore(), TASKS["denoising"], TINY)
    assert sorted(batches.maker.rows(0) + batches.maker.rows(1)) == list(range(8))
    late = Batches(TinyStore(), TASKS["denoising"], TINY, first=5)
    for one, other in zip(batches[5], late[0]):
        np.testing.assert_array_equal(one, other)
    batches.close(), late.close()


def test_colours_are_weighed_by_their_rarity_and_by_one_on_average():
    weights = colour_weights(np.array([3, 1, 0, 0]))
    assert weights[0] < weights[1] < weights[2] == weights[3]
    assert 0.75 * weights[0] + 0.25 * weights[1] == pytest.approx(1)


def test_a_pixel_has_the_weight_of_its_strongest_bin():
    target = np.array([[0.1, 0.7, 0.2], [0.6, 0.3, 0.1]]).reshape(1, 1, 2, 3)
    mask = np.array([1.0, 0.5]).reshape(1, 1, 2, 1)
    weights = np.array([2.0, 3.0, 4.0])
    assert rebalanced_mask(target, mask, weights).ravel().tolist() == [3.0, 1.0]


def test_augmented_batches_are_a_function_of_the_step_too():
    config = dataclasses.replace(TINY, augment=True)
    batches = Batches(TinyStore(), TASKS["reshading"], config)
    plain = Batches(TinyStore(), TASKS["reshading"], TINY)
    for one, other in zip(batches.batch(3), batches.batch(3)):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(batches.batch(3)[0], plain.batch(3)[0])
    batches.close()
    plain.close()
