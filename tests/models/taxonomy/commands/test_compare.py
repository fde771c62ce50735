"""The comparison with a reference, and what it must be held against."""

import re
from argparse import Namespace

import pytest
from affinity_tables import PUBLISHED, graded_table, there

from models.taxonomy.commands.compare import compared, mean_rows, run
from models.taxonomy.tournament.published import read_any


@there
def test_released_tables_agree_as_far_as_is_known(capsys):
    options = Namespace(
        affinities=[str(PUBLISHED / "all_affinities_1k.json")],
        other=str(PUBLISHED / "all_affinities_16k.json"),
        ceiling=str(PUBLISHED / "all_affinities.json"),
        seeds=[],
        json=False,
    )
    assert run(options) == 0
    text = capsys.readouterr().out
    assert re.search(r"these 22 targets +0\.67", text) and "ceiling" in text
    assert max(map(len, text.splitlines())) <= 80


@there
def test_a_table_with_our_spelling_is_read_beside_a_released_one():
    from models.taxonomy.evidence.priors import PUBLISHED as OURS

    reference = read_any(PUBLISHED / "all_affinities_16k.json")
    named = {
        (OURS.get(row.transfer.sources[0]), OURS[row.transfer.target])
        for row in reference.rows
        if row.transfer.order == 1
    }
    assert len(named) > 500
    facts = compared(reference, reference, None)
    assert facts["mean"]["spearman"] == pytest.approx(1)


def test_tables_without_a_common_target_are_refused():
    other = graded_table(0, tasks=3)
    with pytest.raises(ValueError, match="share no target"):
        compared(graded_table(0), other, None)


def test_baselines_stand_beside_the_mean():
    facts = compared(graded_table(1, tasks=9), graded_table(2, tasks=9), None)
    titles = [row[0].strip() for row in mean_rows(facts)]
    assert titles[0] == "these 9 targets" and "random orders" in titles
    assert "target-specific part" in titles


@pytest.mark.parametrize("mean, text", [(0.123, "0.12"), (-0.004, "0.00")])
def test_random_orders_show_the_mean_that_was_drawn(mean, text):
    facts = compared(graded_table(1, tasks=9), graded_table(2, tasks=9), None)
    facts["baselines"]["random orders"] = {"spearman": mean, "low": -0.2, "high": 0.4}
    [row] = [row for row in mean_rows(facts) if row[0].strip() == "random orders"]
    assert row[1:] == [text, "-0.20 to 0.40"]
