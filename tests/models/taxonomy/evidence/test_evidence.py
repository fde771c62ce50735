"""The book of evidence about a policy."""

from dataclasses import replace

import pytest
from affinity_tables import graded_table, small_store, stepped_store

from models.taxonomy import Affinities, Transfer, evaluate, measure, solve_all
from models.taxonomy.affinities import Row
from models.taxonomy.evidence.evidence import predictors
from models.taxonomy.evidence.expenses import Expenses
from models.taxonomy.evidence.spread import with_spread
from models.taxonomy.program.request import Request
from models.taxonomy.tournament.resampling import bootstrap


def test_predictions_hold_in_every_regime_and_larger_sets_need_none():
    table = graded_table(9)
    larger = [Row(Transfer(("t1", "t2", "t3"), "t0", regime="8"), 0.5, 0.75, 0.25)]
    both = [
        replace(row, transfer=replace(row.transfer, regime=regime))
        for regime in ("8", "40")
        for row in table.rows
        if row.transfer.control is None
    ]
    kept = Affinities((*both, *larger, *(row for row in table.rows if row.transfer.control)), {})
    rows = [
        {
            "sources": list(row.transfer.sources),
            "target": row.transfer.target,
            **dict.fromkeys(("rsa", "cka", "logme", "linear"), row.affinity),
        }
        for row in table.rows
        if row.transfer.control is None
    ]
    (found,) = [
        row for row in predictors(kept, Request(3, 3), rows, 0) if row["predictor"] == "rsa"
    ]
    assert found["of"] == len(both) and found["screened"] is not None
    assert found["spearman"] == pytest.approx(1)


def test_evidence_has_a_verdict_and_baselines(tmp_path):
    table = measure(small_store(tmp_path))
    book = evaluate(table, solve_all(table, [1, 2], [1]), budget=2, order=1, policies=100)
    assert {row["name"] for row in book["baselines"]} == {
        "this taxonomy",
        "greedy",
        "single best source",
        "everything from scratch",
    }
    assert [row["scratch"] for row in book["offers"]] == [False, True]
    assert all(len(row["supervised"]) <= 2 for row in book["offers"])
    assert (
        0 < book["significance"]["p"] <= 1 and "random policies" in book["significance"]["verdict"]
    )


def test_evidence_says_how_often_each_source_is_chosen_and_what_it_costs(tmp_path):
    store = stepped_store(tmp_path)
    resamples = bootstrap(store, resamples=40)
    table = with_spread(measure(store), resamples)
    book = evaluate(
        table,
        solve_all(table, [1, 2], [1]),
        budget=1,
        order=1,
        policies=50,
        resamples=resamples,
        expenses=Expenses(1000, {"": 100}, None, 2.0),
    )
    assert book["stability"]["unit"] == "image" and book["stability"]["units"] == 120
    assert book["stability"]["resamples"] == 40
    assert book["stability"]["solves"] == 40 and 0 < max(book["stability"]["chosen"].values()) <= 1
    assert (
        book["stability"]["quality"]["low"]
        <= book["curves"][0]["quality"]
        <= book["stability"]["quality"]["high"]
    )
    assert [row["risk"] for row in book["cautious"]] == ["point", "expected", "lower"]
    assert book["ledger"]["images"] == 1000 + 2 * 100
    assert {row["budget"] for row in book["headline"]} == {1, 2}
