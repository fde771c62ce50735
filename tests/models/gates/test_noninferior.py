"""A candidate passes if it is as good as the served version, and not where it is surely worse."""

import numpy as np
import pytest

from models.gates.noninferior import (
    RESAMPLES,
    TARGETS,
    WHOLE,
    Pair,
    between,
    by_places,
    changes,
    judge,
    ratio,
)

COUNT = 60


def pair(seed: int, factor: float, buildings: int = 12) -> Pair:
    """losses of a candidate that are `factor` times the served ones, with noise of a tenth."""
    random = np.random.default_rng(seed)
    served = random.gamma(4, 0.1, COUNT)
    candidate = served * factor * random.normal(1, 0.1, COUNT).clip(0.5)
    return Pair(candidate, served, [f"b{i % buildings:02d}" for i in range(COUNT)])


def refused(checks):
    return {check.name for check in checks if not check.passed}


@pytest.mark.parametrize("buildings", [12, 2], ids=["by buildings", "by samples"])
def test_an_equal_candidate_passes_and_a_worse_one_does_not(buildings):
    equal = {name: pair(i, 1.0, buildings) for i, name in enumerate("abc")}
    assert refused(judge(equal, 0.1, {})) == set()
    worse = {**equal, "c": pair(9, 1.5, buildings)}
    checks = judge(worse, 0.1, {"c": "answered by a transfer from a, before by its own network"})
    assert refused(checks) == {TARGETS, WHOLE}
    words = next(check.said for check in checks if check.name == TARGETS)
    assert words.startswith("c: its loss changed by +5") and words.endswith(
        "before by its own network"
    )


def test_a_difference_within_the_margin_passes():
    assert refused(judge({"a": pair(0, 1.05)}, 0.1, {})) == set()
    assert refused(judge({"a": pair(0, 1.05)}, 0.02, {})) == {WHOLE}, (
        "not surely worse, not surely good"
    )


def test_the_interval_holds_the_true_ratio_about_as_often_as_it_says():
    hits = 0
    for seed in range(60):
        of_targets, _ = changes({"a": pair(seed, 1.2)})
        hits += of_targets["a"].low <= 0.2 <= of_targets["a"].high
    assert hits >= 55


def test_an_interval_leaves_half_of_the_rest_on_either_side():
    share = between(1.5, np.linspace(1, 2, 1001), 0.9)
    assert (share.change, share.low, share.high) == pytest.approx((0.5, 0.05, 0.95))


def test_the_whole_is_the_geometric_mean_of_targets_draw_by_draw():
    pairs = {"a": pair(3, 0.5), "b": pair(4, 2.4)}
    of_targets, whole = changes(pairs, seed=7)
    names = sorted({place for one in pairs.values() for place in one.places})
    drawn = np.random.default_rng(7).multinomial(12, np.full(12, 1 / 12), RESAMPLES)
    rows = {}
    for target, one in pairs.items():
        times = drawn[:, [names.index(place) for place in one.places]]
        rows[target] = (times * one.candidate).sum(1) / (times * one.served).sum(1)
    both = np.sqrt(rows["a"] * rows["b"])
    assert whole.change == pytest.approx(np.sqrt(pairs["a"].ratio * pairs["b"].ratio) - 1)
    assert [whole.low, whole.high] == pytest.approx(np.quantile(both, [0.025, 0.975]) - 1)
    for target, row in rows.items():
        found = of_targets[target]
        assert [found.low, found.high] == pytest.approx(np.quantile(row, [0.005, 0.995]) - 1)


def test_a_draw_without_a_building_of_the_target_says_nothing_of_it():
    one = Pair(np.array([1.0, 4.0]), np.array([1.0, 1.0]), ["a", "b"])
    drawn = np.array([[0, 0, 3], [3, 0, 0], [1, 0, 2], [0, 2, 1]])
    assert one.ratio == 2.5
    assert by_places(one, ["a", "b", "c"], drawn).tolist() == [2.5, 1.0, 1.0, 4.0]


def test_losses_of_nothing_are_equal_and_no_ratio_is_infinite():
    assert Pair(np.zeros(1), np.zeros(1), ["a"]).ratio == 1.0
    np.testing.assert_allclose(ratio(np.array([2.0, 0]), np.array([0, 2.0])), [2e9, 5e-10])


@pytest.mark.parametrize("buildings, whole", [(4, False), (5, True)])
def test_buildings_are_drawn_as_wholes_where_there_are_five(buildings, whole):
    """samples of one building agree: drawn as wholes, they leave much open."""
    place = np.arange(50 * buildings) % buildings
    one = Pair(1.0 + place, np.ones(len(place)), [f"b{i}" for i in place])
    change = changes({"a": one})[0]["a"]
    assert (change.high - change.low > 1.5) == whole


def test_losses_of_other_samples_are_refused():
    with pytest.raises(ValueError, match="losses of the same samples"):
        Pair(np.ones(3), np.ones(2), ["a", "a", "b"])
    with pytest.raises(ValueError, match="nothing to compare"):
        changes({})
