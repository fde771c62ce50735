"""Losses are per image, heed the mask, and reward the right answer."""

import numpy as np
import pytest

from models.networks.losses.losses import LOSSES, image_losses, mean_weight
from models.tasks import TASKS

RNG = np.random.default_rng(0)
TRAINED = [name for name, task in TASKS.items() if task.trained]


def sample(name: str, images: int = 3, size: int = 16) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """a target, a full mask and a random answer of one task."""
    task, shape = TASKS[name], TASKS[name].output.shape(size)
    answer = RNG.normal(size=(images, *shape)).astype("float32")
    if task.output.kind == "embedding" or task.loss == "weighted_cross_entropy":
        target = RNG.integers(0, 5, (images, *shape[:2], 1)).astype("float32")
    elif task.output.kind in ("classes", "pixel_classes"):
        target = RNG.dirichlet(np.ones(shape[-1]), (images, *shape[:-1])).astype("float32")
    else:
        target = RNG.normal(size=(images, *shape)).astype("float32")
    return (
        target,
        np.ones((images, *shape[:2], 1) if task.output.dense else images, "float32"),
        answer,
    )


@pytest.mark.parametrize("name", TRAINED)
def test_a_loss_is_one_finite_number_an_image_and_ignores_the_others(name):
    target, mask, answer = sample(name)
    losses = image_losses(TASKS[name].loss, target, mask, answer)
    assert losses.shape == (3,) and np.isfinite(losses).all()
    assert image_losses(TASKS[name].loss, target[1:2], mask[1:2], answer[1:2])[0] == pytest.approx(
        losses[1], rel=1e-5
    )


@pytest.mark.parametrize(
    "name", [name for name in TRAINED if TASKS[name].output.kind in ("pixels", "pixel_classes")]
)
def test_masked_pixels_have_no_say(name):
    target, mask, answer = sample(name)
    mask[:, :2] = 0
    before = image_losses(TASKS[name].loss, target, mask, answer)
    answer[:, :2] += 100 * RNG.normal(size=answer[:, :2].shape)
    np.testing.assert_allclose(
        image_losses(TASKS[name].loss, target, mask, answer), before, rtol=1e-5
    )


def test_egomotion_weighs_the_outer_pair_by_half():
    answer = np.zeros((1, 18), "float32")
    parts = []
    for i in range(3):
        target = np.zeros((1, 3, 6), "float32")
        target[0, i, 0] = 2
        parts.append(image_losses("egomotion", target.reshape(1, 18), np.ones(1), answer)[0])
    np.testing.assert_allclose(parts, [2, 1, 2], rtol=1e-4)


def test_the_pair_metric_prefers_embeddings_that_separate_the_segments():
    ids = np.zeros((1, 16, 16, 1), "float32")
    ids[:, 8:] = 1
    apart, swapped = ids * 6, np.roll(ids, 4, axis=1) * 6
    ones = np.ones_like(ids)
    losses = [
        image_losses("pair_metric", ids, ones, answer)[0] for answer in (apart, swapped, 0 * ids)
    ]
    assert losses[0] < 0.01 < min(losses[1:])


def test_every_loss_of_the_dictionary_exists():
    assert {TASKS[name].loss for name in TRAINED} == set(LOSSES)


def test_slims_mean_is_over_the_entries_with_a_weight():
    rng = np.random.default_rng(0)
    target = rng.integers(0, 5, (3, 4, 4, 1)).astype("float32")
    answer = rng.normal(size=(3, 4, 4, 5)).astype("float32")
    mask = (rng.uniform(0.1, 4, target.shape) * (rng.random(target.shape) < 0.6)).astype("float32")
    mask[2] = 0
    shares = np.exp(answer) / np.exp(answer).sum(-1, keepdims=True)
    entropy = -np.log(np.take_along_axis(shares, target.astype(int), -1))
    expected = [(e * m).sum() / max((m != 0).sum(), 1) for e, m in zip(entropy, mask)]
    losses = image_losses("weighted_cross_entropy", target, mask, answer) * mean_weight(mask)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
