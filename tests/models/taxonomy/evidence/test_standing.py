"""Targets whose order of sources is noise are named, others are not."""

import numpy as np
import pytest
from affinity_tables import graded_table

from models.taxonomy import Affinities
from models.taxonomy.evidence.standing import mark, not_ranked, seed_agreement


def diagnosed(**facts) -> Affinities:
    return Affinities(graded_table(0).rows, {"t0": facts})


def test_a_best_source_that_does_not_beat_the_average_ranks_nothing():
    assert "t0" in not_ranked(diagnosed(over_average=0.5, images=400))
    assert "51 %" in not_ranked(diagnosed(over_average=0.51, images=400))["t0"]
    assert not_ranked(diagnosed(over_average=0.6, images=400)) == {}
    assert not_ranked(diagnosed(images=400)) == {}, "nothing is said of what was not measured"


def test_few_images_need_a_clearer_win():
    assert not_ranked(diagnosed(over_average=0.6, images=20))
    assert not not_ranked(diagnosed(over_average=0.8, images=20))


def test_targets_on_which_seeds_disagree_are_not_ranked():
    same, other = graded_table(1, tasks=9), graded_table(2, tasks=9)
    assert not_ranked(same, [same]) == {}
    reasons = not_ranked(same, [other])
    scores = seed_agreement([same, other])
    assert set(reasons) == {target for target, score in scores.items() if score < 0.5}
    assert reasons and all("seeds disagree" in reason for reason in reasons.values())


def test_agreement_of_three_seeds_is_the_mean_over_their_pairs():
    tables = [graded_table(seed, tasks=9) for seed in range(3)]
    pairs = [seed_agreement([tables[i], tables[j]]) for i, j in ((0, 1), (0, 2), (1, 2))]
    expected = np.mean([pair["t0"] for pair in pairs])
    assert seed_agreement(tables)["t0"] == pytest.approx(expected)


def test_a_star_marks_what_is_not_ranked():
    assert (mark("a", {"a": "why"}), mark("b", {"a": "why"})) == ("a *", "b")


def test_images_of_one_building_are_no_independent_witnesses():
    known = {"over_average": 0.6, "images": 400}
    assert not_ranked(diagnosed(**known, buildings=20, over_average_error=0.03)) == {}
    reasons = not_ranked(diagnosed(**known, buildings=20, over_average_error=0.06))
    assert "(60 % would not be luck, of 20 buildings)" in reasons["t0"]
    few = diagnosed(**known, buildings=2, over_average_error=0.03)
    assert "69 %" in not_ranked(few)["t0"], "two buildings say little of how much they differ"
    least = diagnosed(**known, buildings=20, over_average_error=0.0)
    assert not_ranked(least) == {}, "at least the error of independent images, which 60 % pass"
    assert not_ranked(
        diagnosed(over_average=0.54, images=400, buildings=20, over_average_error=0.0)
    )
