"""Ranks and correlations, by scipy."""

import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr

from models.tasks.ranks import SHORT, ranks_of, spearman


@pytest.mark.parametrize("count", [1, 2, 26, SHORT + 1])
def test_ranks_are_scipys_with_ties_and_infinities(count):
    values = np.random.default_rng(count).integers(0, 5, (3, 4, count)).astype(float)
    values[0, 0, 0] = np.inf
    np.testing.assert_array_equal(ranks_of(values), rankdata(values, axis=-1))


def test_memory_bounds_change_no_rank(monkeypatch):
    import models.tasks.ranks as room

    values = np.random.default_rng(0).random((50, 9))
    whole = ranks_of(values)
    monkeypatch.setattr(room, "COMPARISONS", 200)
    np.testing.assert_array_equal(ranks_of(values), whole)


def test_rank_correlation_is_scipys_and_unknown_for_a_constant():
    first, second = np.random.default_rng(1).integers(0, 6, (2, 30)).astype(float)
    assert spearman(np.stack([first, second])) == pytest.approx(spearmanr(first, second)[0])
    assert np.isnan(spearman(np.stack([first, np.ones(30)])))
