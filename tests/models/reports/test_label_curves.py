"""Curves by amount of labels and the next labels, on the page and in words."""

import re

import pytest
from affinity_tables import regime_table, with_scratch
from made_run import files, write_run

from models.reports.label_curves import (
    HEIGHT,
    WIDTH,
    Scale,
    budget_rows,
    counted_before,
    label_curves,
    next_words,
    ticks,
)
from models.reports.page import render, write_report
from models.reports.run_files import load_run
from models.taxonomy.evidence.spending import spending
from models.taxonomy.program.answers import answer
from models.taxonomy.program.request import Request


def value(quality: float) -> dict[str, float]:
    return {"quality": quality, "low": quality - 0.1, "high": quality + 0.1}


def row(regime: str, **more) -> dict:
    ways = {"transfer": None, "scratch": None, "pixels": None, "own_code": None}
    return {"regime": regime, **ways, **more}


@pytest.fixture
def facts() -> dict:
    table = with_scratch(regime_table(1, regimes=("", "48"), source_only=0), 1)
    only = frozenset({""})
    request = Request(2, 2, scratch=True)
    policy = answer(table, Request(1, 2, regimes=only, scratch=True))
    measured = [
        row("48", transfer=value(0.2)),
        row("", transfer=value(0.4), scratch=value(0.3)),
    ]
    return {
        "images": {"": 200, "48": 48},
        "targets": [],
        "curves": {
            "unit": "building",
            "units": 10,
            "resamples": 200,
            "targets": [{"target": "normal", "sources": ["t1"], **one} for one in measured],
            "mean": [{**one, "targets": {"transfer": 1, "scratch": 1}} for one in measured],
        },
        "spending": spending(
            table, request, policy, full=1000, amounts={"": 200.0, "48": 48.0}, budgets=(1, 2)
        ),
    }


def test_lines_run_from_the_smallest_amount_to_the_largest(facts):
    chart = label_curves(facts)
    assert chart["columns"] == [48, 200]
    transfer, scratch = chart["lines"]
    assert [x for x, _ in transfer["points"]] == [0, WIDTH]
    heights = [y for _, y in transfer["points"]]
    assert 0 < heights[1] < heights[0] < HEIGHT, "a higher quality stands higher"
    assert len(scratch["points"]) == 1 and scratch["targets"] == 1
    ((name, ways),) = [(one["target"], dict(one["ways"])) for one in chart["targets"]]
    assert name == "normal"
    assert ways["from scratch"] == [None, value(0.3)]


def with_shares(facts: dict) -> dict:
    """the same with the networks of two shares of the labels."""
    reached = {100: 0.25, 500: 0.375}
    facts["curves"]["supervised"] = {
        "targets": [{"target": "normal", "views": v, **value(q)} for v, q in reached.items()]
        + [{"target": "jigsaw", "views": 500, **value(0.3)}],
        "mean": [{"views": v, "targets": 1, **value(q)} for v, q in reached.items()],
    }
    return facts


def test_the_supervised_line_ends_where_all_labels_are_as_good_as_all_labels(facts):
    chart = label_curves(with_shares(facts))
    *_, own = chart["lines"]
    assert own["targets"] == 1
    assert [amount for amount, _ in own["values"]] == [100, 500, 1000]
    assert [one["quality"] for _, one in own["values"]] == [0.25, 0.375, 0.5]
    places = [x for x, _ in own["points"]]
    assert places == sorted(places) and places[-1] == WIDTH
    # the amounts of transfers are on the same scale
    assert [x for x, _ in chart["lines"][0]["points"]][0] == 0
    assert chart["share_columns"] == [100, 500]
    rows = {row["target"]: row["values"] for row in chart["shares"]}
    assert [one["quality"] for one in rows["normal"]] == [0.25, 0.375]
    assert rows["jigsaw"][0] is None and rows["jigsaw"][1]["quality"] == 0.3


def test_amounts_that_would_lie_upon_each_other_are_not_named_twice():
    scale = Scale(48.0, 2880.0, 0.6)
    named = ticks([48.0, 96.0, 192.0, 360.0, 400.0, 720.0, 1440.0, 2880.0], scale)
    assert [amount for _, amount in named] == [48, 96, 192, 400, 720, 1440, 2880]
    assert named[0][0] == 0 and named[-1][0] == WIDTH


def test_the_answer_is_said_in_words(facts):
    (sentence,) = next_words(facts)
    (asked,) = facts["spending"]["next"]
    assert sentence.startswith("The next 1,000 labels")
    assert f"objective {asked['gain']['objective']:+.3f}" in sentence
    assert "800 of t1" in sentence.replace(" (outside source)", "")
    nothing = {**asked, "buy": [], "alone": []}
    assert "best kept" in next_words({"spending": {"next": [nothing]}})[0]
    step = {"task": "normal", "amount": 1000, "labels": 800, "objective": 0.1, "quality": None}
    (said,) = next_words({"spending": {"next": [{**nothing, "alone": [step]}]}})
    assert "buy nothing" in said and "800 labels" in said
    assert next_words(None) == [] == budget_rows(None)


def before(facts: dict) -> dict:
    """the same as earlier code left it: four targets, the largest amount counted for each."""
    # it did not say which amount decides
    facts["spending"].pop("decides", None)
    for row in facts["spending"]["budgets"]:
        row["labels"] = row["tasks"] * 1000 + 4 * 200.0
    return facts


def test_rows_of_an_earlier_counting_are_known(facts):
    assert not counted_before(None, 4)
    assert not counted_before({"spending": {}}, 4)
    assert not counted_before(facts, 4)
    assert counted_before(before(facts), 4)


@pytest.mark.parametrize("is_before", [False, True])
def test_the_page_says_where_its_table_counts_otherwise_than_its_slider(is_before, tmp_path, facts):
    content = files()
    content["evidence"]["amounts"] = before(facts) if is_before else facts
    content["amounts"] = {"rows": [{"target": f"t{i}"} for i in range(4)]}
    content["taxonomies"] = []
    run = load_run(write_run(tmp_path, content))
    assert ("which counted the largest amount of every target" in render(run)) == is_before


def test_the_page_shows_curves_and_says_where_none_were_measured(tmp_path, facts):
    content = files()
    content["evidence"]["amounts"] = facts
    page = write_report(write_run(tmp_path / "with", content)).read_text()
    section = page[page.index('id="label-amounts"') :]
    section = section[: section.index("</section>")]
    assert section.count("<polyline") == 2 and "0.40" in section
    assert "of what should the next labels be?" in section
    assert "on the scale of all amounts" in section
    assert not re.search(r"None|nan\b", section)
    assert "train views" not in section
    content = files()
    content["evidence"]["amounts"] = with_shares(facts)
    page = write_report(write_run(tmp_path / "shares", content)).read_text()
    section = page[page.index('id="label-amounts"') :]
    section = section[: section.index("</section>")]
    assert section.count("<polyline") == 3 and "500 train views" in section
    assert re.search(r"0\.38 <span class=\"quiet\">0\.2[78] to 0\.4[78]</span>", section)
    assert not re.search(r"None|nan\b", section)
    content = files()
    content["evidence"].pop("amounts", None)
    page = write_report(write_run(tmp_path / "without", content)).read_text()
    assert "No label-efficiency curves in this run" in page
