"""All budgets and orders, whatever sources cost."""

import json

import pytest
from affinity_tables import graded_table

from models.taxonomy.__main__ import main
from models.taxonomy.commands.sweep import steps
from models.taxonomy.request import Request


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


def test_savings_of_transferred_targets_stand_apart(file, capsys):
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
    assert saved["transferred"]["targets"] == 4
    assert saved["transferred"]["quality"] < saved["quality"]
    assert saved["transferred"]["images"] == 4 * 100
    assert saved["images"] == 2 * 1000 + 4 * 100
