"""Rankings that need no measurement of the pair: families, and a static order by naive loops."""

import numpy as np
import pytest

from models.taxonomy.evidence.priors import (
    family_of,
    family_prior,
    generic_ranks,
    prior_of,
    rank_shares,
)


def test_the_own_family_comes_first_then_three_dimensions():
    assert prior_of("normal", "depth_zbuffer") == 2
    assert prior_of("class_scene", "depth_zbuffer") == 1
    assert prior_of("normal", "autoencoding") == prior_of("sonar", "autoencoding") == 0
    assert family_of("rgb2sfnorm") == family_of("normal") == "3d"
    expected = [[prior_of("normal", name) for name in ("reshading", "jigsaw")]]
    np.testing.assert_array_equal(family_prior(("normal",), ("reshading", "jigsaw")), expected)


def test_the_generic_rank_of_a_source_is_its_mean_over_the_other_targets():
    values = np.random.default_rng(0).random((5, 7))
    values[1, 2] = values[3, 0] = np.nan
    shares = rank_shares(values)
    ranks = generic_ranks(values)
    for target in range(5):
        for source in range(7):
            others = [shares[i, source] for i in range(5) if i != target]
            expected = np.nanmean(others)
            if np.isnan(values[target, source]):
                assert np.isnan(ranks[target, source])
            else:
                assert ranks[target, source] == pytest.approx(expected)


def test_rank_shares_run_from_the_worst_to_the_best():
    shares = rank_shares(np.array([[3.0, np.nan, 1.0, 2.0]]))
    np.testing.assert_array_equal(shares, [[1.0, np.nan, 0.0, 0.5]])
