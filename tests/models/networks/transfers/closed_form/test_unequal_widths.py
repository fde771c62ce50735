"""Sums over sources of different widths hold ridge regression on any set of them."""

import numpy as np

from models.networks.transfers.closed_form.ridge import Moments
from models.networks.transfers.closed_form.unequal_widths import UnequalMoments

RNG = np.random.default_rng(0)
ALL = {"all": slice(0, 3)}


def summed(widths, subsets, rows=200):
    """(features of each source, outputs, their sums)."""
    features = [RNG.normal(size=(rows, width)).astype("float32") for width in widths]
    outputs = RNG.normal(size=(rows, 3)).astype("float32")
    moments = Moments(subsets)
    constant = np.ones((rows, 1), "float32")
    with_constant = {i: np.concatenate([x, constant], 1) for i, x in enumerate(features)}
    half = rows // 2
    for held_out, part in ((False, slice(half)), (True, slice(half, None))):
        moments.add({i: x[part] for i, x in with_constant.items()}, outputs[part], held_out)
    return features, outputs, moments


def test_a_set_of_any_widths_is_solved_as_ridge_regression_on_it_is():
    subsets = [(0, 1), (1, 2), (2, 0), (1,)]
    features, outputs, moments = summed((8, 32, 5), subsets)
    for subset in subsets:
        x = np.concatenate([features[i] for i in subset], 1).astype("float64")
        centred = x - x.mean(0)
        ridge = 0.1 * len(x) * np.eye(x.shape[1])
        naive = np.linalg.solve(
            centred.T @ centred + ridge, centred.T @ (outputs - outputs.mean(0))
        )
        found, _ = UnequalMoments(moments).solve(subset, (0.1,), ALL)
        np.testing.assert_allclose(found[:-1], naive, atol=1e-4)


def test_of_one_width_it_is_the_same_bit_for_bit():
    subsets = [(0, 1), (1,)]
    _, _, moments = summed((6, 6), subsets)
    for subset in subsets:
        first = moments.solve(subset, (0.1, 1.0), ALL)
        second = UnequalMoments(moments).solve(subset, (0.1, 1.0), ALL)
        np.testing.assert_array_equal(first[0], second[0])
        assert first[1] == second[1]
