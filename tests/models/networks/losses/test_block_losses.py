"""Kernels that judge blocks equal the shared losses on unfolded maps."""

import numpy as np
import pytest
from tiny_store import TinyStore

from models.networks.losses.block_layout import from_blocks
from models.networks.losses.block_losses import Judge, sample_losses
from models.networks.losses.losses import image_losses
from models.tasks import TASKS

GRID, STRIDE = 4, 2
MAPS = [name for name, task in TASKS.items() if task.output.dense and task.target]
VECTORS = [name for name, task in TASKS.items() if task.trained and not task.output.dense]


@pytest.mark.parametrize("name", MAPS)
def test_a_judge_of_blocks_equals_the_loss_of_the_unfolded_map(name):
    store, rng = TinyStore(), np.random.default_rng(0)
    judge, data = Judge(store, name, GRID, STRIDE), store.samples(name, "test")
    width = judge.channels * (store.size // STRIDE // GRID) ** 2
    answers = rng.normal(0, 0.5, (8, GRID**2, width + 5)).astype("float32")
    blocks = answers[data.views[:, 0], :, 3 : 3 + width].reshape(-1, width)
    expected = image_losses(
        TASKS[name].loss,
        data.target,
        data.mask,
        from_blocks(blocks, GRID, judge.channels, STRIDE) * judge.factor,
    )
    # the shared pair metric takes distances as a difference of squares, which is not quite 0 for
    # the equal values of one block
    np.testing.assert_allclose(
        judge(answers, 3),
        expected,
        rtol=2e-2 if TASKS[name].loss == "pair_metric" else 1e-4,
        atol=1e-5,
    )
    assert expected.std() > 0


@pytest.mark.parametrize("name", VECTORS)
def test_losses_of_vectors_and_classes_equal_the_shared_ones(name):
    data = TinyStore().samples(name, "test")
    answer = np.random.default_rng(0).normal(0, 2, data.target.shape).astype("float32")
    mask = np.array([0, 1, 0.5, 1, 1, 1, 1, 1], "float32")
    np.testing.assert_allclose(
        sample_losses(TASKS[name].loss, data.target, mask, answer),
        image_losses(TASKS[name].loss, data.target, mask, answer),
        rtol=1e-4,
    )


def test_an_image_without_a_valid_pixel_has_no_loss_and_no_nan():
    store = TinyStore()
    judge = Judge(store, "normal", GRID, STRIDE)
    judge.mask = judge.mask.copy()
    judge.mask[0] = 0
    answers = np.ones((8, GRID**2, 3 * (store.size // STRIDE // GRID) ** 2), "float32")
    losses = judge.regression()(answers, 0)
    assert losses[0] == 0 and np.isfinite(losses).all() and losses[1] > 0
