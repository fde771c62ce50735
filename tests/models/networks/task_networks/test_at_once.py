"""Pictures of paper size are answered a few at a time, small ones as many as asked for."""

import numpy as np
import pytest
from tiny_store import TINY

from models.networks.task_networks.at_once import samples_at_once
from models.networks.task_networks.build import TaskNetwork
from models.networks.transfers.scratch_program import CompiledNetwork
from models.tasks import TASKS


@pytest.mark.parametrize(
    ("shape", "most", "expected"),
    [
        ((100, 64, 64, 3), 64, 64),
        ((100, 3, 64, 64, 3), 64, 64),
        ((100, 9, 24, 24, 3), 64, 64),
        ((100, 256, 256, 3), 64, 12),
        ((100, 9, 256, 256, 3), 64, 1),
        ((100, 2048, 2048, 3), 64, 1),
    ],
)
def test_pixels_bound_what_is_answered_at_once(shape, most, expected):
    assert samples_at_once(shape, most) == expected


class Seen:
    """Means of pictures; remembers how many it was given at once."""

    def __init__(self):
        self.counts = []

    def __call__(self, value, training=False):
        self.counts.append(len(value))
        return np.asarray(value).mean((1, 2), keepdims=True)

    def predict_on_batch(self, value):
        self.counts.append(len(value) * value.shape[1])
        return np.asarray(value).mean((1, 2, 3, 4))


def test_nine_tiles_of_256_pixels_are_answered_a_sample_at_a_time():
    encoder = Seen()
    value = np.random.default_rng(0).random((3, 9, 256, 256, 1), "float32")

    def head(code, training=False):
        return code.mean((1, 2, 3, 4))

    network = TaskNetwork(TASKS["jigsaw"], encoder, head, 256, TINY)
    answers = network.answer(value)
    np.testing.assert_allclose(answers, value.mean((1, 2, 3, 4)), atol=1e-6)
    assert encoder.counts == [9, 9, 9]


def test_from_scratch_answers_as_many_pictures_at_once():
    model = Seen()
    value = np.random.default_rng(0).random((14, 2, 256, 256, 1), "float32")
    network = CompiledNetwork(TASKS["fixated_pose"], None, None, 256, TINY, model=model)
    np.testing.assert_allclose(network.answer(value), value.mean((1, 2, 3, 4)), atol=1e-6)
    # the last sample fills the last batch up
    assert model.counts == [12, 12, 12]
