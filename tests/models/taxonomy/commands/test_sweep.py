"""All budgets and orders, whatever sources cost."""

import json
from dataclasses import replace

import pytest
from affinity_tables import graded_table, regime_table, with_scratch

from models.taxonomy import Affinities
from models.taxonomy.__main__ import main
from models.taxonomy.commands.sweep import little_images, steps
from models.taxonomy.program.request import Request


@pytest.fixture
def file(tmp_path):
    graded_table(3).save(tmp_path / "table.json")
    return str(tmp_path / "table.json")


def test_budgets_run_from_one_source_to_all_of_them_at_their_cost():
    table = graded_table(0)
    assert steps(table, Request(1)) == [1, 2, 3, 4, 5, 6]
    dear = Request(1, cost=dict.fromkeys(table.sources, 250.0))
    assert steps(table, dear) == [250 * i for i in range(1, 7)]
    assert len(steps(table, Request(1, free=frozenset({"t0", "t1"})))) == 4
    assert steps(table, Request(1, free=frozenset(table.sources))) == [1.0]


def test_budgets_can_be_named(file, capsys):
    code = main(["sweep", "--affinities", file, "--budgets", "1.5", "40", "--order", "1", "--json"])
    rows = json.loads(capsys.readouterr().out)
    assert code == 0 and [row["budget"] for row in rows] == [1.5, 40]


def test_savings_of_targets_that_are_not_bought_stand_apart(file, capsys):
    words = [
        "--full-images",
        "1000",
        "--transfer-images",
        "100",
        "--budgets",
        "2",
        "--order",
        "1",
        "--json",
    ]
    assert main(["sweep", "--affinities", file, *words]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    saved = row["headline"]
    assert saved["not_bought"]["targets"] == 4
    assert saved["not_bought"]["quality"] < saved["quality"]
    assert saved["not_bought"]["images"] == 4 * 100
    assert saved["images"] == 2 * 1000 + 4 * 100


def test_every_amount_of_data_is_charged_its_own_images(tmp_path, capsys):
    table = with_scratch(regime_table(0, tasks=6, regimes=("few", "much")), 0)
    table = Affinities(
        tuple(
            replace(row, gain=0.9) if row.transfer.control == "supervised" else row
            for row in table.rows
        ),
        {},
    )
    table.save(tmp_path / "table.json")
    words = ["--budgets", "2", "--order", "1", "--full-images", "1000", "--scratch", "off"]
    words += ["--regime-cost", "few=0.01", "--regime-cost", "much=0.2", "--json"]
    words += ["--transfer-images", "few=7", "much=90"]
    assert main(["sweep", "--affinities", str(tmp_path / "table.json"), *words]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    charged = {"few": 7, "much": 90}
    edges = [charged[edge["regime"]] for edge in row["edges"] if edge["control"] is None]
    assert set(edges) == {7, 90}, "a policy of both amounts"
    assert row["headline"]["images"] == 1000 * len(row["supervised"]) + sum(edges)


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["90"], "few=COUNT much=COUNT; got 90"),
        (["few=7"], "few=COUNT much=COUNT; got few=7"),
        (["few=7", "much=90", "most=900"], "unknown amount of data 'most'"),
        (["few=7", "much=90", "much=91"], "much=90 much=91"),
        (["few=0", "much=90"], "above 0, got few=0"),
        (["few=x", "much=90"], "expected NAME=NUMBER"),
    ],
)
def test_images_that_leave_an_amount_without_its_number_are_refused(texts, said):
    table = regime_table(0, regimes=("few", "much"))
    with pytest.raises((ValueError, KeyError), match=said):
        little_images(table, texts)


@pytest.mark.parametrize("regime", ["", "few"])
def test_of_one_amount_a_number_alone_will_do(regime):
    table = regime_table(0, regimes=(regime,))
    assert little_images(table, ["7"]) == little_images(table, [f"{regime}=7"]) == {regime: 7}
    with pytest.raises(ValueError, match="is a number, or"):
        little_images(table, ["7", "8"])
