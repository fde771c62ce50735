"""Two tables side by side: against cases whose answer is known."""

import numpy as np
import pytest
from affinity_tables import graded_table

from models.tasks.ranks import spearman
from models.taxonomy import Affinities, Transfer
from models.taxonomy.affinities import Row
from models.taxonomy.evidence.agreement import agreement, spearman_of_shared


def test_agreement_of_a_table_with_itself_is_one_and_with_noise_is_not():
    table, other = graded_table(5, tasks=9), graded_table(6, tasks=9)
    own, noise = agreement(table, table), agreement(table, other)
    assert own["mean"]["spearman"] == pytest.approx(1) and own["mean"]["low"] == pytest.approx(1)
    assert noise["mean"]["low"] < 0 < noise["mean"]["high"]
    assert all(row["low"] <= row["spearman"] <= row["high"] for row in noise["targets"].values())


def test_the_part_that_is_specific_to_targets_is_gone_where_one_list_serves_all():
    """both tables rank sources by one list, each with noise of its own."""
    rng = np.random.default_rng(0)
    names = [f"t{i}" for i in range(12)]
    worth = {name: float(i) for i, name in enumerate(names)}
    tables = []
    for _ in range(2):
        rows = [
            Row(Transfer((source,), target), worth[source] + 4 * float(rng.random()))
            for target in names
            for source in names
            if source != target
        ]
        tables.append(Affinities(tuple(rows), {}))
    facts = agreement(*tables, resamples=200)
    assert facts["mean"]["spearman"] > 0.8
    assert facts["baselines"]["generic rank"] > 0.8
    assert abs(facts["target_specific"]["spearman"]) < 0.2


def test_intervals_hold_the_mean_and_a_ceiling_is_held_on_the_same_pairs():
    first, second, third = (graded_table(seed, tasks=9) for seed in (5, 6, 7))
    facts = agreement(first, second, ceiling=third, resamples=300)
    for name in ("mean", "target_specific"):
        assert facts[name]["low"] <= facts[name]["spearman"] <= facts[name]["high"]
    alone = agreement(third, second, resamples=10)
    assert facts["ceiling"]["mean"]["spearman"] == pytest.approx(alone["mean"]["spearman"])
    part = first.only(lambda row: row.transfer.target != "t0")
    assert agreement(part, second, ceiling=third, resamples=10)["ceiling"]["mean"]["targets"] == 8


def test_the_correlation_leaves_out_what_either_lacks():
    first = np.array([[1.0, 2.0, np.nan, 4.0, 0.0]])
    second = np.array([[2.0, 1.0, 9.0, 5.0, np.nan]])
    expected = spearman(np.array([[1.0, 2.0, 4.0], [2.0, 1.0, 5.0]]))
    assert spearman_of_shared(first, second)[0] == pytest.approx(float(expected))


def test_random_orders_agree_with_nothing_on_average():
    facts = agreement(graded_table(1, tasks=9), graded_table(2, tasks=9), resamples=300)
    luck = facts["baselines"]["random orders"]
    assert luck["low"] < 0 < luck["high"] < 0.4


def test_tables_without_common_targets_agree_on_nothing():
    facts = agreement(graded_table(1, tasks=3), graded_table(2, tasks=3))
    assert facts["targets"] == {} and facts["mean"] is None
