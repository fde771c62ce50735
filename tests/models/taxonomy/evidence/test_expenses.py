"""What a policy costs, and what it saves."""

import numpy as np
import pytest
from affinity_tables import PUBLISHED, graded_table, there

from models.taxonomy import Affinities, Transfer, solve, solve_all
from models.taxonomy.affinities import Row
from models.taxonomy.evidence.expenses import Expenses, headline, independent, ledger, saving
from models.taxonomy.program.taxonomy import Edge
from models.taxonomy.tournament.published import read_any


def test_a_ledger_pays_for_every_label_once():
    table = graded_table(3)
    policy = solve(table, 2, 1)
    costs = ledger(policy, Expenses(1000, {"": 10}, dict.fromkeys(policy.supervised, 5.0), 1.0))
    assert costs["images"] == 2 * 1000 + 4 * 10
    assert costs["seconds"] == 2 * 5 + 4 * 1
    assert ledger(policy, Expenses(1000, {"": 10}))["seconds"] is None
    with pytest.raises(ValueError, match="fewer labelled images"):
        Expenses(10, {"": 100})


def test_the_headline_is_what_independent_learning_would_have_cost():
    table = graded_table(4)
    images, quality = independent(table, Expenses(1000, {"": 100}))
    assert images[0] == 600 and images[-1] == 6000
    assert quality[0] == pytest.approx(0.1) and quality[-1] == pytest.approx(
        0.5
    )  # scratch is 1 - 0.9
    [row] = headline(table, [solve(table, 2, 2)], Expenses(1000, {"": 100}))
    assert row["independent"] == pytest.approx(np.interp(row["quality"], quality, images))
    assert row["saved"] == pytest.approx(1 - row["images"] / row["independent"])


def test_the_untrained_control_counts_in_the_budget_and_takes_no_label():
    way = Transfer(("random_projection",), "depth_zbuffer")
    policy = solve(Affinities((Row(way, 1.0, 0.5, 0.4),), {}), 1, 1)
    assert policy.supervised == ("random_projection",) and policy.spent == 1
    costs = ledger(policy, Expenses(1000, {"": 10}))
    assert costs["images"] == 10 and costs["sources"][0]["images"] == 0


def own_networks(**gains: float) -> Affinities:
    """a table of supervised networks alone, by their gain over training from scratch."""
    rows = [
        Row(Transfer((), name, control="supervised"), 1.0, gain, 0.5)
        for name, gain in gains.items()
    ]
    return Affinities(tuple(rows), {})


def test_independent_learning_begins_where_full_labels_gain_most_and_ends_where_they_gain_nothing():
    table = own_networks(a=0.6, b=0.9, c=0.7, d=0.45, e=0.8)
    images, quality = independent(table, Expenses(1000, {"": 100}, free=frozenset("e")))
    # from scratch 0.4, 0.1, 0.3, 0.55; e has all its labels for nothing
    assert images.tolist() == [400, 1300, 2200, 3100]
    np.testing.assert_allclose(
        quality * 5, [0.5 + 1.35, 1 + 1.25, 1.5 + 0.95, 2 + 0.55], rtol=1e-12
    )


def test_what_was_not_held_against_scratch_has_nothing_to_save_against():
    bare = Affinities((Row(Transfer((), "b", control="supervised"), 1.0, None, 0.5),), {})
    for table, names in ((bare, ["b"]), (own_networks(a=0.9), ["a", "b"])):
        with pytest.raises(ValueError, match="networks of b were not compared"):
            independent(table, Expenses(1000, {"": 100}), names)


def test_the_headline_says_apart_what_transfers_save():
    table, expenses = graded_table(4), Expenses(1000, {"": 100})
    policy = solve(table, 2, 2)
    row = headline(table, [policy], expenses)[0]["not_bought"]
    reached = policy.by("transferred")
    images, quality = independent(table, expenses, [edge.transfer.target for edge in reached])
    worth = np.mean([edge.quality for edge in reached])
    # both sources are targets, whose labels are paid by themselves
    assert (row["targets"], row["images"]) == (4, 400)
    assert row["quality"] == pytest.approx(worth)
    assert row["independent"] == pytest.approx(np.interp(worth, quality, images))
    assert headline(table, [solve(table, 6, 1)], expenses)[0]["not_bought"] is None


def test_where_learning_for_itself_is_free_nothing_can_be_saved():
    edges = [Edge(Transfer(("b",), "a"), 1.0, 0.9, 0.4)]
    free = Expenses(1000, {"": 100}, free=frozenset("a"))
    assert saving(own_networks(a=0.9), free, edges, 1000) is None


def test_free_labels_are_paid_neither_in_full_nor_for_a_transfer():
    table = graded_table(3)
    policy = solve(table, 2, 1)
    source, reached = policy.supervised[0], policy.by("transferred")[0].transfer.target
    costs = ledger(policy, Expenses(1000, {"": 10}, free=frozenset((source, reached))))
    assert costs["images"] == 1000 + 3 * 10
    assert {row["name"]: row["images"] for row in costs["sources"]}[source] == 0
    assert {row["target"]: row["images"] for row in costs["edges"]}[reached] == 0


@pytest.mark.parametrize(("quality", "capped"), [(0.4, False), (0.6, True)])
def test_a_quality_above_that_of_all_full_labels_is_called_capped(quality, capped):
    edges = [Edge(Transfer(("z",), name), 1.0, 0.9, quality) for name in "ab"]
    row = saving(own_networks(a=0.9, b=0.9), Expenses(1000, {"": 100}), edges, 300)
    assert row["capped"] is capped
    assert row["independent"] == pytest.approx(2000 if capped else 1550)


@there
def test_the_released_policies_save_labels_at_equal_quality():
    table = read_any(PUBLISHED / "all_affinities_16k.json")
    rows = headline(table, solve_all(table, [2, 4, 6], [2]), Expenses(129_380, {"": 16_000}))
    assert all(0.3 < row["saved"] < 0.6 for row in rows)
