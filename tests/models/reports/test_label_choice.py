"""The rows that choosing amounts needs, and where it is offered."""

import pytest
from affinity_tables import regime_table, with_scratch
from made_run import files, write_run

from models.reports.label_choice import amount_columns, label_choice, needed
from models.reports.run_files import load_run
from models.taxonomy import Transfer
from models.taxonomy.affinities import Row, flat

LABELS = {"": 200.0, "48": 48.0}


def rows_of(*entries) -> list[dict]:
    return [
        flat(Row(Transfer(sources, "t", regime, control), affinity))
        for sources, regime, control, affinity in entries
    ]


def test_an_edge_stays_at_home_if_fewer_labels_and_sources_do_as_well():
    rows = rows_of(
        (("a",), "48", None, 0.5),
        (("a",), "", None, 0.4),
        (("a", "b"), "", None, 0.45),
        (("a", "b"), "48", None, 0.6),
        (("b",), "", None, 0.3),
        (("t",), "48", None, 0.9),
        ((), "", "supervised", 1.0),
        ((), "48", "scratch", 0.0),
        ((), "", "scratch", 0.2),
        ((), "48", "average", 0.1),
        ((), "500", "share", 0.7),
        ((), "900", "share", 0.8),
    )
    labels = {**LABELS, "500": 500}
    kept = [(tuple(row["sources"]), row["regime"], row["control"]) for row in needed(rows, labels)]
    assert kept == [
        (("a",), "48", None),
        (("a", "b"), "48", None),
        (("b",), "", None),
        ((), "", "supervised"),
        ((), "", "scratch"),
        ((), "500", "share"),
    ]


@pytest.fixture
def content() -> dict:
    made = files()
    table = with_scratch(regime_table(2, regimes=tuple(LABELS)), 2)
    made["amounts"] = {"rows": [flat(row) for row in table.rows], "diagnostics": {}}
    made["evidence"]["amounts"] = {"spending": {"full": 1000, "amounts": LABELS}}
    return made


def test_a_larger_share_does_not_move_where_the_page_starts(tmp_path, content):
    spending = content["evidence"]["amounts"]["spending"]
    spending |= {"amounts": {**LABELS, "500": 500}, "decides": ""}
    assert label_choice(load_run(write_run(tmp_path, content)))["budget"] == 2 * 1000 + 1 * 200


def test_the_page_starts_where_the_run_stands(tmp_path, content):
    choice = label_choice(load_run(write_run(tmp_path, content)))
    # three targets, of which two are bought in full
    assert choice["budget"] == 2 * 1000 + 1 * 200
    assert choice["known"] == ["t0", "t1", "t2", "t3"]
    there = amount_columns(choice, choice["known"])
    assert {len(there[name]) for name in ("target", "regime", "affinity")} == {len(choice["rows"])}
    exact = [row["affinity"] for row in choice["rows"]]
    assert there["affinity"] == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("gone", ["amounts", "taxonomies", "one amount"])
def test_nothing_is_chosen_where_a_run_has_nothing_to_choose(tmp_path, content, gone):
    if gone == "one amount":
        content["evidence"]["amounts"]["spending"]["amounts"] = {"": 200.0}
    else:
        del content[gone]
    assert label_choice(load_run(write_run(tmp_path, content))) is None
