"""Measuring the promising transfers only."""

import json
from dataclasses import replace

import numpy as np
import pytest
from affinity_tables import PUBLISHED, graded_table, there

from models.taxonomy import Affinities, Transfer
from models.taxonomy.affinities import Row
from models.taxonomy.evidence.evidence import predictors
from models.taxonomy.evidence.proxies import PROXIES
from models.taxonomy.evidence.screening import (
    from_cheaper,
    predictions,
    predictor_agreement,
    promising,
    promising_sets,
    replay,
    static_predictions,
)
from models.taxonomy.program.request import Request
from models.taxonomy.tournament.published import read_any


def test_the_promising_half_is_half_and_holds_the_best():
    table = graded_table(7)
    expected = {row.transfer: row.affinity for row in table.rows if row.transfer.control is None}
    half = promising(expected, 0.5)
    assert len(half) == sum(
        len([t for t in expected if t.target == target]) // 2 for target in table.targets
    )
    for target in table.targets:
        assert max((t for t in expected if t.target == target), key=expected.get) in half
    with pytest.raises(ValueError, match="share"):
        promising(expected, 0.0)


def test_the_sets_to_measure_are_the_promising_transfers_of_a_file(tmp_path):
    rows = [
        {"sources": [source], "target": "normal", **dict.fromkeys(PROXIES, float(score))}
        for score, source in enumerate(["a", "b", "c", "d"])
    ]
    (tmp_path / "proxies.json").write_text(json.dumps({"proxies": rows}))
    found = promising_sets(tmp_path / "proxies.json", 0.5)
    assert {target: set(sets) for target, sets in found.items()} == {"normal": {("c",), ("d",)}}
    assert promising_sets(tmp_path / "nothing.json", 1.0) is None


def test_perfect_predictions_lose_nothing_and_random_ones_do():
    table = graded_table(8)
    perfect = {row.transfer: row.affinity for row in table.rows if row.transfer.control is None}
    found = replay(table, perfect, Request(3, 2))
    assert found["measured"] <= found["of"] / 2
    assert found["full"] - found["screened"] < 0.01
    assert found["random"]["mean"] < found["screened"]
    (agreed,) = predictor_agreement(table, perfect).values()
    assert set(agreed) == set(table.targets) and np.mean(list(agreed.values())) == pytest.approx(1)


@there
def test_a_request_may_name_a_source_of_which_nothing_is_kept():
    table = graded_table(3, tasks=4)
    extra = tuple(Row(Transfer(("hed",), target), 0.001, 0.5, 0.001) for target in table.targets)
    table = Affinities((*table.rows, *extra), {})
    scores = {row.transfer: row.affinity for row in table.rows if row.transfer.control is None}
    plain = Request(budget=2, source_only=frozenset({"hed"}))
    for asked in (
        replace(plain, free=frozenset({"hed"})),
        replace(plain, forbidden=frozenset({"hed"})),
        replace(plain, cost={"hed": 0.5}),
    ):
        assert replay(table, scores, asked)["screened"] == replay(table, scores, plain)["screened"]
    bought = replace(plain, budget=3, forced=frozenset({"hed"}))
    assert replay(table, scores, bought)["screened"] == replay(table, scores, plain)["screened"]


def test_half_of_the_released_transfers_would_have_done():
    """the 1k results choose which 16k transfers to measure."""
    table, cheap = (
        read_any(PUBLISHED / f"all_affinities_{regime}.json") for regime in ("16k", "1k")
    )
    scores_ = from_cheaper(table, cheap)
    for order, budgets in ((1, (2, 4, 6, 8)), (2, (2, 4, 6, 8))):
        for budget in budgets:
            row = replay(table, scores_, Request(budget, order))
            assert row["measured"] <= 0.5 * row["of"]
            assert row["full"] - row["screened"] <= 0.01, (order, budget, row)
            assert row["random"]["mean"] < row["screened"]


def test_a_prediction_is_held_against_each_regime_by_itself():
    table = graded_table(9)
    measured = [row for row in table.rows if row.transfer.control is None]
    more = [
        replace(row, transfer=replace(row.transfer, regime="40"), affinity=3 * row.affinity)
        for row in measured
    ]
    foretold = {
        replace(row.transfer, regime=regime): row.affinity
        for row in measured
        for regime in ("", "40")
    }
    agreement = predictor_agreement(Affinities((*measured, *more), {}), foretold)
    assert set(agreement) == {"", "40"}
    assert all(
        value == pytest.approx(1) for targets in agreement.values() for value in targets.values()
    )


def test_proxies_of_a_run_read_as_predictions():
    rows = [
        {"sources": [s], "target": "t", "rsa": i, "cka": i, "logme": -i, "linear": i}
        for i, s in enumerate("abc")
    ]
    found = predictions(rows)
    assert set(found) == {"rsa", "cka", "logme", "linear", "mean rank"}
    assert max(found["mean rank"], key=found["mean rank"].get) == Transfer(("c",), "t")


def test_a_static_order_knows_everything_but_the_target_itself():
    table = graded_table(7)
    static = static_predictions(table)
    assert set(static) == {"static order", "family prior", "random order"}
    order = static["static order"]
    shares = {}
    for target in table.targets:
        firsts = [r for r in table.rows if r.transfer.order == 1 and r.transfer.target == target]
        ranked = sorted(firsts, key=lambda row: row.affinity)
        for rank, row in enumerate(ranked):
            shares[row.transfer.sources[0], target] = rank / (len(ranked) - 1)
    others = [
        share for (source, target), share in shares.items() if source == "t1" and target != "t0"
    ]
    assert order[Transfer(("t1",), "t0")] == pytest.approx(np.mean(others))
    pair = order[Transfer(("t1", "t2"), "t0")]
    expected = order[Transfer(("t1",), "t0")] + order[Transfer(("t2",), "t0")]
    assert pair == pytest.approx(expected)


def test_static_predictions_stand_beside_every_predictor():
    table = graded_table(8)
    rows = [
        {
            "sources": list(row.transfer.sources),
            "target": row.transfer.target,
            **dict.fromkeys(("rsa", "cka", "logme", "linear"), row.affinity),
        }
        for row in table.rows
        if row.transfer.control is None
    ]
    facts = {row["predictor"]: row for row in predictors(table, Request(3, 2), rows, 0)}
    assert {name for name, row in facts.items() if row["static"]} == {
        "static order",
        "family prior",
        "random order",
    }
    assert facts["rsa"]["spearman"] > facts["static order"]["spearman"]
    scores = predictions(rows)["rsa"]
    alone = replay(table, scores, Request(3, 2))
    assert alone.items() <= facts["rsa"].items(), "luck is drawn once, to the same numbers"
