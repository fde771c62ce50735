"""Exported readouts answer what the arithmetic of the learner says, naively."""

import keras
import numpy as np
import pytest

from models.networks.architecture.readout_features import global_parts, kernel_of_samples
from models.networks.architecture.readout_layers import GlobalReadout, LocalReadout, Standardised
from models.networks.losses.block_layout import unfold_blocks
from models.networks.transfers.closed_form.maps import local_features

RNG = np.random.default_rng(0)
FEATURES = 7


def normal(*shape):
    return RNG.normal(size=shape).astype("float32")


def scales(widths):
    """scales of sources side by side, and (codes, place) -> the standardised codes of one."""
    starts = np.cumsum([0, *widths])
    arrays = {"mean": RNG.normal(size=starts[-1]), "deviation": RNG.uniform(0.5, 2, starts[-1])}

    def standardised(maps, i):
        own = slice(starts[i], starts[i + 1])
        value = (maps[..., own] - arrays["mean"][own]) / arrays["deviation"][own]
        return value.astype("float32")

    return arrays, standardised


def assert_stated(layer, maps, answer):
    """the shape and dtype that a network is built by are those of answers."""
    stated = layer(keras.Input(maps.shape[1:]))
    assert stated.shape == (None, *answer.shape[1:]) and stated.dtype == answer.dtype


@pytest.mark.parametrize(
    "widths, block, enlarge",
    [((3,), 1, 1), ((3, 3), 2, 1), ((3, 3, 3), 1, 2), ((3, 3), 2, 3), ((2, 5, 2), 2, 1)],
)
def test_a_local_readout_answers_as_the_learner_does(widths, block, enlarge):
    arrays, standardised = scales(widths)
    for width in widths:
        arrays[f"kernel_{width}"] = normal(9 * width, FEATURES)
        arrays[f"bias_{width}"] = normal(FEATURES)
    inside = sum(9 * width + FEATURES for width in widths) + 1
    arrays["weights"] = normal(inside, block * block * 2)
    maps = 1 + normal(2, 4, 5, sum(widths))
    layer = LocalReadout(arrays, widths, 2, enlarge, 0.7)
    answer = np.asarray(layer(maps))
    assert_stated(layer, maps, answer)
    features = [
        local_features(standardised(maps, i), arrays[f"kernel_{width}"], arrays[f"bias_{width}"])
        for i, width in enumerate(widths)
    ]
    joined_features = np.concatenate([*(part[:, :-1] for part in features), features[0][:, -1:]], 1)
    blocks = (joined_features @ arrays["weights"]).reshape(2, 4, 5, -1)
    expected = unfold_blocks(blocks * 0.7, 2, enlarge, np)
    np.testing.assert_allclose(answer, expected, rtol=1e-4, atol=1e-3)
    assert expected.std() > 1


@pytest.mark.parametrize("images", [1, 2])
@pytest.mark.parametrize("widths", [(3, 3), (2, 5)])
def test_a_global_readout_answers_as_the_learner_does(widths, images):
    teaching, samples = 5, 4
    arrays, standardised = scales(widths)
    for i, width in enumerate(widths):
        arrays[f"kernel_{width}"] = normal(4 * 4 * width, FEATURES)
        arrays[f"teach_{i}"] = normal(teaching, 4 * 4 * width + FEATURES)
    arrays["scale"] = np.array([2.0, 3.0])
    arrays["views"] = RNG.integers(teaching, size=(samples, images))
    arrays["dual"] = normal(samples, 3)
    arrays["constant"] = normal(3)
    maps = normal(6, images, 4, 4, sum(widths))
    layer = GlobalReadout(arrays, widths, images)
    asked = maps[:, 0] if images == 1 else maps
    answer = np.asarray(layer(asked))
    assert_stated(layer, asked, answer)

    def similar(views):
        total = 0
        for i, width in enumerate(widths):
            flat = standardised(views, i).reshape(len(views), -1)
            features = np.concatenate(global_parts(flat, arrays[f"kernel_{width}"], np), 1)
            total = total + features @ arrays[f"teach_{i}"].T / arrays["scale"][i]
        return total / len(widths)

    near = [similar(maps[:, i])[:, arrays["views"][:, i]] for i in range(images)]
    expected = kernel_of_samples(near) @ arrays["dual"] + arrays["constant"]
    np.testing.assert_allclose(answer, expected, rtol=1e-3, atol=1e-4)


def test_standardised_takes_away_the_mean_and_divides_by_the_deviation():
    layer = Standardised(np.array([1.0, 2.0]), np.array([2.0, 4.0]))
    maps = keras.ops.ones((1, 2, 2, 2))
    np.testing.assert_allclose(layer(maps)[0, 0, 0], [0.0, -0.25])
    assert not layer.trainable_weights
