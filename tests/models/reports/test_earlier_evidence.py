"""Evidence of earlier code is drawn, and its words are held to what they mean today."""

import json
from typing import Any

import pytest
from made_run import files, write_run

from models.reports.earlier_evidence import in_present_words
from models.reports.headline import headline
from models.reports.page import write_report
from models.reports.payload import payload
from models.reports.run_files import load_run
from models.reports.summary import summary

SCORES = {"gain": 0.5, "quality": 0.25, "transferred": 0.125, "not_bought": 0.375}
EDGE = {
    "target": "reshading",
    "sources": ["normal"],
    "measured": {"quality": 0.11, "gain": 0.5, "loss": 0.3},
    "served": {"quality": 0.22, "gain": 0.5, "loss": 0.2},
}


def whole_evidence() -> dict[str, Any]:
    """of a run that offered training from scratch and measured all that a page shows."""
    forms = {form: {**SCORES, "saved": 0.1} for form in ("measured", "served")}
    more = {
        "scratch": True,
        "stability": {
            "solves": 9,
            "chosen": {"normal": 0.9},
            "same": 0.8,
            "gain": {"low": 0.4, "high": 0.6},
            "quality": {"low": 0.2, "high": 0.3},
            "transferred": None,
            "not_bought": None,
            "unit": "building",
            "units": 8,
            "resamples": 200,
            "warning": None,
        },
        "crossfit": [{"scratch": True, **SCORES, "in_sample": SCORES, "supervised": [[], []]}],
        "served": {"edges": [EDGE], **forms, "crossfit": {**forms, "shared": 0.75}},
    }
    # forms stand in several places, each to be changed for itself
    return files()["evidence"] | json.loads(json.dumps(more))


def without(facts: Any, path: tuple[str, ...]) -> Any:
    """facts without a key, below every row of a list."""
    if isinstance(facts, list):
        return [without(row, path) for row in facts]
    first, *rest = path
    if rest:
        return facts | {first: without(facts[first], tuple(rest))}
    return {name: value for name, value in facts.items() if name != first}


def earlier_evidence() -> dict[str, Any]:
    """the same as code wrote it that called all targets transferred that are not bought."""
    book = whole_evidence()
    (row,), served = book["crossfit"], book["served"]
    judged = [row["in_sample"], *(served["crossfit"][form] for form in ("measured", "served"))]
    for means in (row, served["measured"], served["served"], *judged):
        means["transferred"] = means.pop("not_bought")
    for row in book["curves"]:
        row["random_transferred"] = row.pop("random_not_bought")
    for row in book["headline"]:
        row["transferred"] = row.pop("not_bought")
    return book


LACKING = [
    *((name,) for name in whole_evidence()),
    *(("stability", name) for name in ("quality", "unit", "units", "resamples", "not_bought")),
    ("served", "crossfit"),
    ("served", "crossfit", "shared"),
    ("served", "served", "not_bought"),
    ("crossfit", "not_bought"),
    ("crossfit", "in_sample", "not_bought"),
    ("curves", "random_not_bought"),
    ("curves", "random_transferred"),
    ("headline", "not_bought"),
    ("significance", "best_edges"),
    ("significance", "floor"),
]


@pytest.mark.parametrize("path", LACKING, ids=".".join)
def test_a_run_that_did_not_say_it_yet_is_drawn(tmp_path, path):
    content = files() | {"evidence": without(whole_evidence(), path)}
    folder = write_run(tmp_path, content)
    assert "Which labels to buy" in write_report(folder).read_text()
    assert summary(folder)


def test_transferred_targets_of_an_earlier_run_are_those_of_its_edges():
    book = in_present_words(earlier_evidence())
    assert book["served"]["served"]["transferred"] == 0.22
    assert book["served"]["measured"]["transferred"] == 0.11
    assert book["served"]["served"]["not_bought"] == 0.375
    # of the halves' policies no edges are kept
    assert book["served"]["crossfit"]["served"]["transferred"] is None
    assert book["crossfit"][0]["transferred"] is None
    assert book["crossfit"][0]["in_sample"]["not_bought"] == 0.375


def test_without_training_from_scratch_both_words_meant_the_same():
    book = earlier_evidence() | {"scratch": False}
    book["crossfit"][0]["scratch"] = False
    told = in_present_words(book)
    assert told["crossfit"][0]["transferred"] == told["crossfit"][0]["not_bought"] == 0.375
    assert told["served"]["crossfit"]["served"]["transferred"] == 0.375
    assert [row["random_transferred"] for row in told["curves"]] == [
        row["random_transferred"] for row in book["curves"]
    ]


def test_todays_evidence_stays_as_it_is():
    assert in_present_words(whole_evidence()) == whole_evidence()
    assert in_present_words({}) == {}


def test_a_band_that_counted_targets_from_scratch_is_not_drawn_around_transferred_ones(tmp_path):
    run = load_run(write_run(tmp_path, files() | {"evidence": earlier_evidence()}))
    rows = payload(run, headline(run).marks)["curves"]
    assert any(row["random_quality"] for row in rows)
    assert not any(row["random_transferred"] for row in rows)
    assert "has no band here" in write_report(tmp_path).read_text()
    today = files() | {"evidence": whole_evidence()}
    assert "has no band here" not in write_report(write_run(tmp_path, today)).read_text()


def test_the_first_screen_and_the_table_below_give_the_served_policy_one_number(tmp_path):
    page = write_report(write_run(tmp_path, files() | {"evidence": earlier_evidence()})).read_text()
    assert "exported networks: transferred targets 0.22, all targets 0.25" in page
    assert '<th scope="row">as served</th><td class="n">0.22 (not measured)</td>' in page
