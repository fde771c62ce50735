"""What a network sees is the image with the task's own damage, in [-1, 1]."""

import numpy as np
import pytest

from models.networks.training.inputs import tiles, training_input
from models.tasks import TASKS
from models.tasks.labels.permutations import permutation_set

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(256, size=(3, 1, 30, 30, 3), dtype=np.uint8)


def seen(name, images=IMAGES, target=None, tile=9):
    return training_input(TASKS[name], images, target, np.random.default_rng(1), tile)


@pytest.mark.parametrize("name", ["normal", "denoising", "inpainting", "colorization"])
def test_values_are_between_minus_one_and_one(name):
    value = seen(name)
    assert value.shape == (3, 30, 30, TASKS[name].input_channels)
    assert value.dtype == np.float32 and -1 <= value.min() < 0 < value.max() <= 1


def test_a_clean_image_is_scaled_alone():
    np.testing.assert_allclose(seen("normal"), IMAGES[:, 0] / 127.5 - 1, atol=1e-6)


def test_noise_has_the_published_variance():
    grey = np.full((1, 1, 100, 100, 3), 128, "uint8")
    noise = seen("denoising", grey) / 2  # in [0, 1] units
    assert noise.var() == pytest.approx(0.01, rel=0.05)


def test_the_middle_quarter_is_grey():
    value = seen("inpainting", IMAGES[:, :, :28, :28])
    assert not value[:, 7:21, 7:21].any()
    assert (value != 0).any((0, 3)).sum() == 28 * 28 - 14 * 14


def test_several_views_stay_apart():
    pairs = np.concatenate([IMAGES, IMAGES[::-1]], 1)
    assert seen("fixated_pose", pairs).shape == (3, 2, 30, 30, 3)


def test_tiles_lie_in_the_order_of_the_permutation():
    cells = np.repeat(np.repeat(np.arange(9.0).reshape(3, 3), 10, 0), 10, 1)
    value = np.broadcast_to(cells[None, :, :, None], (2, 30, 30, 3)).astype("float32")
    cut = tiles(value, np.array([4, 17]), np.random.default_rng(0), 6)
    for sample, label in zip(cut, (4, 17)):
        np.testing.assert_allclose(sample.mean((1, 2, 3)), permutation_set(100)[label], atol=1e-5)
