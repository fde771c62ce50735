"""The model that is trained: one encoder on every image, and a head that answers alone later."""

import numpy as np
import pytest
from synthetic import SIZE
from tiny_store import TINY

from models.networks.task_networks.build import build_task_network
from models.networks.training.siamese import Siamese
from models.tasks import TASKS

RNG = np.random.default_rng(0)


def images(task, count=2):
    views = () if task.images == 1 else (task.images,)
    return RNG.uniform(-1, 1, (count, *views, SIZE, SIZE, task.input_channels)).astype("float32")


@pytest.mark.parametrize("name", ["reshading", "fixated_pose"])
def test_folding_the_scale_of_a_target_into_the_head_changes_no_answer(name):
    task = TASKS[name]
    network = build_task_network(task, TINY, SIZE)
    channels = task.output.channels
    middle = RNG.normal(size=channels).astype("float32")
    unit = RNG.uniform(0.5, 2, channels).astype("float32")
    model = Siamese(network, (middle, unit))
    value = images(task)
    standardised = network.answer(value)
    before = np.asarray(model(value))
    np.testing.assert_allclose(before, standardised * unit + middle, rtol=1e-4, atol=1e-5)
    model.fold()
    np.testing.assert_allclose(network.answer(value), before, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model(value), before, rtol=1e-4, atol=1e-5)


def test_every_image_of_a_sample_goes_through_the_same_encoder():
    task = TASKS["point_matching"]
    network = build_task_network(task, TINY, SIZE)
    value = images(task)
    codes = [np.asarray(network.encoder(value[:, i])) for i in range(task.images)]
    expected = np.asarray(network.head(np.stack(codes, 1)))
    np.testing.assert_allclose(Siamese(network)(value), expected, rtol=1e-4, atol=1e-5)


def test_published_class_weights_count_by_their_size():
    network = build_task_network(TASKS["segment_semantic"], TINY, SIZE)
    mask = np.zeros((1, SIZE, SIZE, 1), "float32")
    mask[:, :2] = 3
    target = np.ones((1, SIZE, SIZE, 1), "float32")
    answer = RNG.normal(size=(1, SIZE, SIZE, network.task.output.channels)).astype("float32")
    plain, counted = (
        float(Siamese(network, counted=counted).compute_loss(None, target, answer, mask))
        for counted in (False, True)
    )
    assert counted == pytest.approx(3 * plain, rel=1e-5)
