"""Ridge regression from moments against the naive way."""

import numpy as np
import pytest

from models.networks.transfers.closed_form.ridge import Moments, predict, ridge_solution

RNG = np.random.default_rng(0)


def constant_last(x):
    return np.concatenate([x, np.ones((len(x), 1), "float32")], 1)


def solved(features, outputs, subsets, ridge):
    """weights of every subset from one pass, nothing held out."""
    moments = Moments(subsets)
    rows = {i: constant_last(x) for i, x in enumerate(features)}
    moments.add(rows, outputs, held_out=False)
    everything = {"all": slice(0, outputs.shape[1])}
    return [moments.solve(subset, (ridge,), everything)[0] for subset in subsets]


@pytest.mark.parametrize("widths", [(6, 6, 6, 6), (8, 32, 5, 6)])
def test_a_subset_of_the_gram_matrix_solves_what_ridge_regression_on_the_subset_solves(widths):
    features = [RNG.normal(size=(200, width)).astype("float32") for width in widths]
    outputs = RNG.normal(size=(200, 3)).astype("float32")
    subsets = [(1, 3), (0, 1, 2), (2,), (3, 1)]
    for subset, weights in zip(subsets, solved(features, outputs, subsets, 0.1)):
        x = np.concatenate([features[i] for i in subset], 1).astype("float64")
        centred = x - x.mean(0)
        naive = np.linalg.solve(
            centred.T @ centred + 0.1 * 200 * np.eye(x.shape[1]),
            centred.T @ (outputs - outputs.mean(0)),
        )
        np.testing.assert_allclose(weights[:-1], naive, atol=1e-4)


def test_a_singular_gram_matrix_still_has_a_finite_solution():
    same = RNG.normal(size=(50, 4)).astype("float32")
    assert np.isfinite(solved([same, same], same, [(0, 1)], 1e-9)[0]).all()


def test_the_order_of_the_sources_does_not_change_the_answer():
    features, outputs = (
        [RNG.normal(size=(80, 5)).astype("float32") for _ in range(2)],
        RNG.normal(size=(80, 2)).astype("float32"),
    )
    forth, back = solved(features, outputs, [(0, 1), (1, 0)], 0.1)
    np.testing.assert_allclose(forth, back[[*range(5, 10), *range(5), 10]], atol=1e-5)


def test_blocks_of_the_gram_matrix_are_ridge_regression():
    rng = np.random.default_rng(0)
    features, outputs = (
        [rng.normal(size=(60, 5)).astype("float32") for _ in range(3)],
        rng.normal(size=(60, 2)).astype("float32"),
    )
    moments = Moments([(0, 2), (1,)])
    for rows in (slice(0, 20), slice(20, 60)):
        moments.add(
            {i: constant_last(x[rows]) for i, x in enumerate(features)},
            outputs[rows],
            held_out=False,
        )
    weights, _ = moments.solve((0, 2), (0.1,), {"one": slice(0, 2)})
    x = np.concatenate([features[0], features[2], np.ones((60, 1))], 1)
    penalty = 0.1 * 60 * np.diag([1.0] * 10 + [0.0])
    np.testing.assert_allclose(
        weights, np.linalg.solve(x.T @ x + penalty, x.T @ outputs), atol=1e-3
    )


def test_each_target_gets_the_ridge_that_held_out_rows_like_best_and_weights_from_all_rows():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(90, 30)).astype("float32")
    outputs = np.stack([x[:, 0], rng.normal(size=90)], 1).astype(
        "float32"
    )  # one that needs no ridge, one that is noise
    moments, ridges = Moments([(0,)]), (1e-6, 10.0)
    moments.add({0: constant_last(x[:60])}, outputs[:60], held_out=False)
    moments.add({0: constant_last(x[60:])}, outputs[60:], held_out=True)
    weights, chosen = moments.solve((0,), ridges, {"clean": slice(0, 1), "noise": slice(1, 2)})
    assert chosen == {"clean": 1e-6, "noise": 10.0}
    whole = constant_last(x).astype("float64")
    np.testing.assert_allclose(
        weights[:, 1:],
        ridge_solution(whole.T @ whole, whole.T @ outputs[:, 1:], 10.0, 90),
        atol=1e-4,
    )


def test_a_ridge_is_chosen_by_the_outputs_that_are_judged():
    rows = np.concatenate([RNG.normal(size=(400, 3)), np.ones((400, 1))], 1).astype("float32")
    clean, noise = rows[:, :1], RNG.normal(size=(400, 1)).astype("float32")
    chosen = {}
    for judged in ([True, False], [False, True]):
        moments = Moments([(0,)])
        for held_out in (False, True):
            moments.add(
                {0: rows[200 * held_out :][:200]},
                np.concatenate([clean, noise], 1)[200 * held_out :][:200],
                held_out,
            )
        moments.judged = np.array(judged)
        weights, ridges = moments.solve((0,), (1e-6, 10.0), {"both": slice(0, 2)})
        chosen[tuple(judged)] = ridges["both"]
        assert weights.shape == (4, 2)
    assert chosen == {(True, False): 1e-6, (False, True): 10.0}


def test_predictions_are_features_side_by_side_times_weights():
    features = [constant_last(RNG.normal(size=(7, 3)).astype("float32")) for _ in range(2)]
    weights = RNG.normal(size=(7, 4)).astype("float32")
    predictions = np.empty((7, 7), "float32")
    answers = np.empty((7, 4), "float32")
    predict(features, weights, predictions, answers)
    expected = features[0][:, :3] @ weights[:3] + features[1][:, :3] @ weights[3:6] + weights[6]
    np.testing.assert_allclose(answers, expected, rtol=1e-5, atol=1e-5)
