"""A candidate passes if it is as good as the served version, and not where it is surely worse."""

import numpy as np
import pytest

from models.gates.noninferior import TARGETS, WHOLE, Pair, changes, judge

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
    said = next(check.said for check in checks if check.name == TARGETS)
    assert said.startswith("c: its loss changed by +5") and said.endswith(
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


def test_losses_of_other_samples_are_refused():
    with pytest.raises(ValueError, match="losses of the same samples"):
        Pair(np.ones(3), np.ones(2), ["a", "a", "b"])
    with pytest.raises(ValueError, match="nothing to compare"):
        changes({})
