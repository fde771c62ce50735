"""Win rates -> affinities, by known numbers."""

import numpy as np
import pytest

from models.taxonomy.tournament.ahp import affinities, placed, principal_pairs, principal_vectors
from models.taxonomy.tournament.tournament import win_matrix

WINS = np.array(
    [[0.5, 0.8, 0.9, 1], [0.2, 0.5, 0.7, 0.95], [0.1, 0.3, 0.5, 0.9], [0, 0.05, 0.1, 0.5]]
)


def test_the_specifications_eigenvector_comes_out():
    values = affinities(WINS)
    np.testing.assert_allclose(values.affinity, [0.86388, 0.09262, 0.04086, 0.00263], atol=1e-5)
    assert values.eigenvalue == pytest.approx(4.90139, abs=1e-5)


def test_a_transfer_that_never_wins_makes_a_reducible_tournament():
    assert affinities(np.array([[0.5, 1.0], [0.0, 0.5]])).reducible
    assert not affinities(WINS).reducible


def test_the_share_of_clipped_rates_is_of_pairs_of_two_players():
    assert affinities(WINS).clipped == pytest.approx(2 / 12)
    assert affinities(np.clip(WINS, 0.01, 0.99)).clipped == 0
    assert affinities(np.array([[0.5]])).clipped == 0


def test_what_is_no_tournament_is_refused():
    with pytest.raises(ValueError, match="wins\\[i, j\\]"):
        affinities(np.array([[0.5, 0.9], [0.9, 0.5]]))


def test_large_tournaments_have_the_dense_eigenvector():
    losses = np.random.default_rng(0).random((80, 50)) + np.linspace(0, 0.5, 80)[:, None]
    wins = win_matrix(losses)
    clipped = np.clip(wins, 1e-3, 1 - 1e-3)
    values, vectors = np.linalg.eig(clipped / clipped.T)
    first = np.argsort(-np.abs(values))
    expected = np.abs(vectors[:, first[0]].real)
    found = affinities(wins)
    np.testing.assert_allclose(found.affinity, expected / expected.sum(), atol=1e-9)
    assert found.gap == pytest.approx(abs(values[first[1]] / values[first[0]]), rel=1e-6)
    np.testing.assert_allclose(principal_vectors(wins[None])[0], found.affinity, atol=1e-5)


def test_a_copy_of_a_player_is_placed_where_the_player_is():
    result = affinities(WINS)
    rates = np.where(np.eye(4, dtype=bool), 0.5, WINS)
    np.testing.assert_allclose(
        placed(rates, result.affinity, result.eigenvalue), result.affinity, rtol=1e-9
    )


def test_in_a_consistent_tournament_a_player_is_placed_by_its_ratios():
    worth = np.array([4.0, 2.0, 1.0])
    wins = worth[:, None] / (worth[:, None] + worth)
    result = affinities(wins)
    newcomer = placed(3.0 / (3.0 + worth), result.affinity, result.eigenvalue)
    assert newcomer == pytest.approx(3.0 / worth.sum())


def test_power_iteration_finds_the_dense_eigenvalue():
    vectors, values = principal_pairs(np.stack([WINS, WINS.T]))
    assert values[0] == pytest.approx(affinities(WINS).eigenvalue, rel=1e-4)
    np.testing.assert_allclose(vectors[0], affinities(WINS).affinity, atol=1e-5)
