"""Exported readouts answer what the arithmetic of the learner says, naively."""

import keras
import numpy as np
import pytest

from models.networks.architecture.readout_features import global_parts, kernel_of_samples
from models.networks.architecture.readout_layers import GlobalReadout, LocalReadout, Standardised
from models.networks.losses.block_layout import unfolded
from models.networks.transfers.closed_form.maps import local_features

RNG = np.random.default_rng(0)
WIDTH = 3
FEATURES = 7


def scales(order):
    return {
        "mean": RNG.normal(size=(order, WIDTH)),
        "deviation": RNG.uniform(0.5, 2, (order, WIDTH)),
    }


def standardised(maps, arrays, i):
    own = maps[..., i * WIDTH : (i + 1) * WIDTH]
    return ((own - arrays["mean"][i]) / arrays["deviation"][i]).astype("float32")


@pytest.mark.parametrize("order, block, enlarge", [(1, 1, 1), (2, 2, 1), (3, 1, 2), (2, 2, 3)])
def test_a_local_readout_answers_as_the_learner_does(order, block, enlarge):
    arrays = scales(order)
    arrays["kernel"] = RNG.normal(size=(9 * WIDTH, FEATURES)).astype("float32")
    arrays["bias"] = RNG.normal(size=FEATURES).astype("float32")
    width = order * (9 * WIDTH + FEATURES) + 1
    arrays["weights"] = RNG.normal(size=(width, block * block * 2)).astype("float32")
    maps = RNG.normal(1.0, 1.0, (2, 4, 5, WIDTH * order)).astype("float32")
    found = np.asarray(LocalReadout(arrays, 2, enlarge, 0.7)(maps))
    features = [
        local_features(standardised(maps, arrays, i), arrays["kernel"], arrays["bias"])
        for i in range(order)
    ]
    seen = np.concatenate([*(part[:, :-1] for part in features), features[0][:, -1:]], 1)
    blocks = (seen @ arrays["weights"]).reshape(2, 4, 5, -1)
    expected = unfolded(blocks * 0.7, 2, enlarge, np)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)
    assert expected.std() > 1


@pytest.mark.parametrize("images", [1, 2])
def test_a_global_readout_answers_as_the_learner_does(images):
    order, teaching, samples = 2, 5, 4
    arrays = scales(order)
    arrays["kernel"] = RNG.normal(size=(4 * 4 * WIDTH, FEATURES)).astype("float32")
    arrays["teach"] = RNG.normal(size=(order, teaching, 4 * 4 * WIDTH + FEATURES)).astype("float32")
    arrays["scale"] = np.array([2.0, 3.0])
    arrays["views"] = RNG.integers(teaching, size=(samples, images))
    arrays["dual"] = RNG.normal(size=(samples, 3)).astype("float32")
    arrays["constant"] = RNG.normal(size=3).astype("float32")
    maps = RNG.normal(size=(6, images, 4, 4, WIDTH * order)).astype("float32")
    layer = GlobalReadout(arrays, images)
    found = np.asarray(layer(maps[:, 0] if images == 1 else maps))

    def similar(views):
        total = 0
        for i in range(order):
            flat = standardised(views, arrays, i).reshape(len(views), -1)
            features = np.concatenate(global_parts(flat, arrays["kernel"], np), 1)
            total = total + features @ arrays["teach"][i].T / arrays["scale"][i]
        return total / order

    near = [similar(maps[:, i])[:, arrays["views"][:, i]] for i in range(images)]
    expected = kernel_of_samples(near) @ arrays["dual"] + arrays["constant"]
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def unequal_scales(widths):
    """scales of sources of different widths, and what is theirs of codes side by side."""
    starts = np.cumsum([0, *widths])
    arrays = {"mean": RNG.normal(size=starts[-1]), "deviation": RNG.uniform(0.5, 2, starts[-1])}

    def own(maps, i):
        part = slice(starts[i], starts[i + 1])
        value = (maps[..., part] - arrays["mean"][part]) / arrays["deviation"][part]
        return value.astype("float32")

    return arrays, own


def test_readouts_of_sources_of_different_widths_answer_as_the_learner_does():
    widths = (2, 5)
    arrays, own = unequal_scales(widths)
    local = dict(arrays)
    for width in widths:
        local[f"kernel_{width}"] = RNG.normal(size=(9 * width, FEATURES)).astype("float32")
        local[f"bias_{width}"] = RNG.normal(size=FEATURES).astype("float32")
    local["weights"] = RNG.normal(size=(9 * 7 + 2 * FEATURES + 1, 8)).astype("float32")
    maps = RNG.normal(1.0, 1.0, (2, 4, 4, 7)).astype("float32")
    found = np.asarray(LocalReadout(local, 2, 1, 0.7, widths)(maps))
    features = [
        local_features(own(maps, i), local[f"kernel_{width}"], local[f"bias_{width}"])
        for i, width in enumerate(widths)
    ]
    seen = np.concatenate([*(part[:, :-1] for part in features), features[0][:, -1:]], 1)
    blocks = (seen @ local["weights"]).reshape(2, 4, 4, -1)
    np.testing.assert_allclose(found, unfolded(blocks * 0.7, 2, 1, np), rtol=1e-4, atol=1e-3)

    whole = {**arrays, "scale": np.array([2.0, 3.0]), "views": np.array([[1], [0], [4]])}
    whole["dual"] = RNG.normal(size=(3, 3)).astype("float32")
    whole["constant"] = RNG.normal(size=3).astype("float32")
    similar = 0
    for i, width in enumerate(widths):
        size = 16 * width
        kernel = whole[f"kernel_{width}"] = RNG.normal(size=(size, FEATURES)).astype("float32")
        teach = whole[f"teach_{i}"] = RNG.normal(size=(5, size + FEATURES)).astype("float32")
        near = np.concatenate(global_parts(own(maps, i).reshape(2, -1), kernel, np), 1)
        similar = similar + near @ teach.T / whole["scale"][i] / 2
    expected = similar[:, whole["views"][:, 0]] @ whole["dual"] + whole["constant"]
    found = np.asarray(GlobalReadout(whole, 1, widths)(maps))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_standardised_takes_away_the_mean_and_divides_by_the_deviation():
    layer = Standardised(np.array([1.0, 2.0]), np.array([2.0, 4.0]))
    maps = keras.ops.ones((1, 2, 2, 2))
    np.testing.assert_allclose(layer(maps)[0, 0, 0], [0.0, -0.25])
    assert not layer.trainable_weights
