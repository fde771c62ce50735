"""The best weights of each member of a stack, whatever the others do."""

import keras
import numpy as np
import pytest

from models.networks.transfers.gradient.best_weights import BestWeights


class Stack:
    def __init__(self, members: int) -> None:
        self.weight = keras.Variable(np.zeros((members, 1), "float32"))

    def weights_of_members(self):
        return [self.weight]


@pytest.fixture
def stack():
    return Stack(2)


def epoch(stack, best, weights, losses) -> bool:
    stack.weight.assign(np.array(weights)[:, None])
    return best.update(np.array(losses, float))


def test_each_member_keeps_its_own_best(stack):
    best = BestWeights(stack, 2, patience=3)
    epoch(stack, best, [1.0, 10.0], [5.0, 5.0])
    epoch(stack, best, [2.0, 20.0], [4.0, 6.0])
    epoch(stack, best, [3.0, 30.0], [9.0, 1.0])
    best.restore()
    assert stack.weight.numpy()[:, 0].tolist() == [2.0, 30.0]
    assert best.epoch.tolist() == [2, 3] and best.loss.tolist() == [4.0, 1.0]


def test_a_member_that_stopped_stays_however_low_its_loss_falls_later(stack):
    best = BestWeights(stack, 2, patience=1)
    assert not epoch(stack, best, [1.0, 1.0], [5.0, 5.0])
    assert not epoch(stack, best, [2.0, 2.0], [6.0, 4.0]), "the second goes on"
    assert not epoch(stack, best, [3.0, 3.0], [0.0, 3.0])
    assert epoch(stack, best, [4.0, 4.0], [0.0, 9.0]), "both have stopped"
    best.restore()
    assert stack.weight.numpy()[:, 0].tolist() == [1.0, 3.0]


def test_a_loss_that_is_no_number_is_never_the_best(stack):
    best = BestWeights(stack, 2, patience=2)
    epoch(stack, best, [1.0, 1.0], [np.nan, 1.0])
    assert best.epoch.tolist() == [0, 1]
