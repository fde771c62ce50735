"""The choice of a run, and its chance to be chosen again."""

import numpy as np
import pytest
from affinity_tables import graded_table, with_scratch

from models.taxonomy import Affinities, evaluate, solve, solve_all
from models.taxonomy.evidence.stability import interval, over_seeds, stability
from models.taxonomy.program.request import Request
from models.taxonomy.tournament.resampling import Resamples

REQUEST = Request(2, 2)


def resamples_of(table: Affinities, count: int, noise: float) -> Resamples:
    rng = np.random.default_rng(0)
    transfers = tuple(row.transfer for row in table.rows)
    affinity = np.array([row.affinity for row in table.rows])
    quality = np.array([row.quality for row in table.rows])
    drawn = np.abs(affinity + noise * rng.normal(size=(count, len(transfers))))
    every = np.broadcast_to(quality, drawn.shape)
    return Resamples(transfers, drawn, every, every)


def test_without_noise_the_same_sources_are_chosen_every_time():
    table = graded_table(3)
    chosen = solve(table, 2, 2)
    facts = stability(table, resamples_of(table, 10, 0.0), REQUEST, chosen)
    assert facts["same"] == 1 and facts["warning"] is None
    assert facts["chosen"] == dict.fromkeys(chosen.supervised, 1.0)
    apart = chosen.ways["transferred"]["quality"]
    assert facts["transferred"]["low"] == pytest.approx(apart)


def test_targets_from_scratch_are_not_among_the_transferred():
    table = with_scratch(graded_table(3), 1)
    chosen = solve(table, 2, 2, scratch=True)
    assert {edge.way for edge in chosen.edges} == {"supervised", "transferred", "scratch"}
    request = Request(2, 2, scratch=True)
    facts = stability(table, resamples_of(table, 10, 0.0), request, chosen)
    judged = over_seeds([table, table], request, chosen)
    ways = chosen.ways
    few, more = ways["transferred"], ways["scratch"]
    every = few["quality"] * few["targets"] + more["quality"] * more["targets"]
    for name, quality in (
        ("transferred", few["quality"]),
        ("not_bought", every / (few["targets"] + more["targets"])),
    ):
        assert facts[name]["low"] == pytest.approx(quality)
        assert judged[name] == pytest.approx([quality, quality])


def test_noise_makes_the_choice_luck_and_says_so():
    table = graded_table(3)
    facts = stability(table, resamples_of(table, 30, 1.0), REQUEST, solve(table, 2, 2))
    assert facts["same"] < 0.5 and "luck" in facts["warning"]
    shares = list(facts["chosen"].values())
    assert shares == sorted(shares, reverse=True) and shares[0] > shares[-1]


def test_an_interval_of_what_was_not_measured_is_none():
    assert interval(np.ones((3, 2)), [0, None]) is None
    assert interval(np.full((3, 2), np.nan), [0, 1]) is None
    assert interval(np.ones((3, 2)), []) is None


def test_over_seeds_a_choice_is_counted_and_judged_in_each_table():
    table, other = graded_table(4), graded_table(5)
    chosen = solve(table, 2, 2)
    facts = over_seeds([table, other], REQUEST, chosen)
    assert facts["seeds"] == 2 and facts["quality"][0] == pytest.approx(chosen.quality)
    again = solve(other, 2, 2)
    for name in set(chosen.supervised) | set(again.supervised):
        both = (name in chosen.supervised) + (name in again.supervised)
        assert facts["chosen"][name] == both / 2
    expected = [0.5 if e.transfer.control else other.of[e.transfer].quality for e in chosen.edges]
    assert facts["quality"][1] == pytest.approx(np.mean(expected))
    apart = [other.of[edge.transfer].quality for edge in chosen.by("transferred")]
    assert facts["transferred"][1] == pytest.approx(np.mean(apart))


def test_a_seed_without_a_policy_counts_as_not_choosing():
    table = graded_table(4)
    chosen = solve(table, 2, 2)
    # two tasks' labels do not reach three targets without a transfer
    barren = table.only(lambda row: row.transfer.control or row.transfer.target > "t2")
    facts = over_seeds([table, barren], REQUEST, chosen)
    assert facts["seeds"] == 2 and facts["same"] == 0.5
    assert facts["chosen"] == dict.fromkeys(chosen.supervised, 0.5)


def test_an_edge_that_another_seed_did_not_measure_has_no_quality_there():
    table = graded_table(4)
    chosen = solve(table, 2, 2)
    edge = chosen.by("transferred")[0].transfer
    part = table.only(lambda row: row.transfer != edge)
    assert over_seeds([table, part], REQUEST, chosen)["quality"][1] is None


def test_evidence_holds_the_seeds_where_there_are_several():
    table = graded_table(4)
    answers = solve_all(table, [2], [2])
    book = evaluate(table, answers, budget=2, order=2, policies=20, seeds=[graded_table(5)])
    assert book["seeds"]["seeds"] == 2
    assert "seeds" not in evaluate(table, answers, budget=2, order=2, policies=20)
