"""A task network answers a sample of several views from codes of single pictures."""

import numpy as np
import pytest
from synthetic import SIZE
from tiny_store import TINY

from models.networks.task_networks.build import TaskNetwork, build_task_network
from models.tasks import TASKS


class Counted:
    """An encoder that remembers how many pictures it was given at once."""

    def __init__(self, encoder):
        self.encoder = encoder
        self.counts = []

    def __call__(self, value, training=False):
        self.counts.append(len(value))
        return self.encoder(value, training=training)


@pytest.mark.parametrize("name, images", [("fixated_pose", 2), ("egomotion", 3)])
def test_a_picture_in_several_samples_is_encoded_once(name, images):
    rng = np.random.default_rng(0)
    pictures = rng.uniform(-1, 1, (4, SIZE, SIZE, 3)).astype("float32")
    views = rng.integers(4, size=(6, images))
    views[0] = np.arange(images)[::-1]
    network = build_task_network(TASKS[name], TINY, SIZE)
    counted = Counted(network.encoder)
    answer = TaskNetwork(network.task, counted, network.head, SIZE, TINY).answer(pictures[views])
    assert counted.counts == [len(np.unique(views))]
    code = np.asarray(network.encoder(pictures[views].reshape(-1, SIZE, SIZE, 3), training=False))
    every = np.asarray(network.head(code.reshape(6, images, *code.shape[1:]), training=False))
    np.testing.assert_array_equal(answer, every)
