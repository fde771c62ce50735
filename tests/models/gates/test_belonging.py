"""Do labels belong to their pictures? What the cheap predictor and its deals do."""

import numpy as np
import pytest

from models.gates.belonging import around, dealt, fit_of, predicted

RNG = np.random.default_rng(0)
PLACES = np.repeat(["a", "b"], 20)


def test_a_deal_stays_within_its_building_and_takes_everybody_once():
    rows = dealt(PLACES, np.random.default_rng(1))
    assert sorted(rows) == list(range(40)) and (PLACES[rows] == PLACES).all()
    assert (rows != np.arange(40)).any()


@pytest.mark.parametrize("count", [12, 400], ids=["fewer rows than features", "more"])
def test_the_predictor_finds_what_is_linear_and_looks_at_no_weightless_row(count):
    features = RNG.normal(size=(count, 1, 30))
    answer = features[..., :2] * [3.0, -2.0] + 1
    weight = np.ones((count, 1, 1))
    held = RNG.normal(size=(50, 1, 30))
    truth = held[..., :2] * [3.0, -2.0] + 1
    predictions = predicted(features, answer, weight, held)
    error = np.mean((predictions - truth) ** 2) / truth.var()
    assert error < (0.02 if count == 400 else 1.0)
    lies = np.concatenate([answer, np.full((count, 1, 2), 1e3)])
    joined_features = np.concatenate([features, RNG.normal(size=(count, 1, 30))])
    weights = np.concatenate([weight, np.zeros((count, 1, 1))])
    np.testing.assert_allclose(
        predicted(joined_features, lies, weights, held),
        predictions,
        atol=0.05 if count == 400 else 2,
    )


def test_labels_that_fit_are_told_from_labels_that_changed_places():
    truth = RNG.normal(size=(40, 1, 3))
    known = np.ones((40, 1, 1))
    answer = truth + 0.5 * RNG.normal(size=truth.shape)
    right = fit_of(answer, truth, known, PLACES)
    wrong = fit_of(answer, truth[dealt(PLACES, np.random.default_rng(3))], known, PLACES)
    assert right["z"] > 5 > 3 > abs(wrong["z"])
    assert right["loss"] < right["shuffled"] and right["samples"] == 40
    assert fit_of(answer, truth, known, PLACES) == right, "the draws are always the same"


def test_what_is_unknown_counts_for_nothing():
    truth = RNG.normal(size=(40, 2, 1))
    known = np.ones((40, 2, 1))
    known[:, 1] = 0
    lies = truth.copy()
    lies[:, 1] = 0.0
    answer = truth.copy()
    answer[:, 1] = RNG.normal(size=(40, 1))
    assert fit_of(answer, truth, known, PLACES)["loss"] == pytest.approx(0, abs=1e-9)


def test_a_cell_sees_its_neighbours_its_picture_and_its_place():
    cells = RNG.random((2, 3, 3, 7))
    means = around(cells)
    assert means.shape == (2, 9, 10 * 7 + 5)
    middle = means[1, 4]
    np.testing.assert_allclose(middle[:63].reshape(9, 7), cells[1].reshape(9, 7))
    np.testing.assert_allclose(middle[63:70], cells[1].mean((0, 1)))
    np.testing.assert_allclose(middle[70:], 0)
    np.testing.assert_allclose(means[0, 0, :7], cells[0, 0, 0])  # the edge is repeated


def test_the_ridge_is_the_same_on_both_sides_of_as_many_rows_as_features():
    features, answer = RNG.normal(size=(12, 1, 30)), RNG.normal(size=(12, 1, 2))
    held, weight = RNG.normal(size=(5, 1, 30)), RNG.uniform(0.5, 1, size=(12, 1, 1))
    few = predicted(features, answer, weight, held)
    # rows without weight teach nothing, but there are more of them than features
    joined_features = np.concatenate([features, RNG.normal(size=(40, 1, 30))])
    lies = np.concatenate([answer, np.ones((40, 1, 2))])
    weights = np.concatenate([weight, np.zeros((40, 1, 1))])
    np.testing.assert_allclose(few, predicted(joined_features, lies, weights, held), atol=1e-9)
