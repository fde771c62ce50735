"""A taxonomy as text and as JSON, with what is not ranked."""

import json

import pytest
from affinity_tables import graded_table, regime_table, shares, with_scratch

from models.taxonomy import Affinities
from models.taxonomy.__main__ import main


def saved(table: Affinities, path) -> str:
    table.save(path)
    return str(path)


def test_own_labels_transfer_and_scratch_are_told_apart(tmp_path, capsys):
    file = saved(with_scratch(regime_table(0), 0), tmp_path / "table.json")
    words = ["solve", "--affinities", file, "--budget", "1.5", "--scratch"]
    assert main([*words, "on"]) == 0
    text = capsys.readouterr().out
    assert "from scratch" in text and "by their own labels" in text
    assert main([*words, "off", "--json"]) == 0
    assert "scratch" not in json.loads(capsys.readouterr().out)["ways"]


def test_targets_that_are_not_ranked_are_marked_with_the_reason(tmp_path, capsys):
    doubtful = {"t0": {"over_average": 0.4, "images": 100}}
    file = saved(Affinities(graded_table(3).rows, doubtful), tmp_path / "table.json")
    words = ["solve", "--affinities", file, "--budget", "2"]
    assert main(words) == 0
    text = capsys.readouterr().out
    assert (
        "t0 *" in text and "* t0 is not ranked: its best source beats the average on 40 %" in text
    )
    assert main([*words, "--json"]) == 0
    assert list(json.loads(capsys.readouterr().out)["not_ranked"]) == ["t0"]


def test_other_seeds_mark_targets_on_which_they_disagree(tmp_path, capsys):
    files = [saved(graded_table(i, tasks=9), tmp_path / f"{i}.json") for i in (1, 2)]
    words = ["solve", "--affinities", files[0], "--budget", "2", "--seeds", files[1]]
    assert main(words) == 0
    assert "seeds disagree" in capsys.readouterr().out


def test_the_next_best_policies_follow_the_best(tmp_path, capsys):
    file = saved(graded_table(3), tmp_path / "table.json")
    words = ["solve", "--affinities", file, "--budget", "2", "--best", "3"]
    assert main(words) == 0
    text = capsys.readouterr().out
    assert "  2. objective" in text and "  3. objective" in text
    assert main([*words, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 3


@pytest.fixture
def amounts_file(tmp_path) -> str:
    table = with_scratch(regime_table(3, regimes=("", "48"), source_only=0), 3)
    return saved(shares(table), tmp_path / "amounts.json")


def test_amounts_of_labels_are_chosen_and_the_next_ones_said(amounts_file, capsys):
    words = ["solve", "--affinities", amounts_file, "--scratch", "on", "--budget", "1600"]
    amounts = ["--amounts", "full=1000", "200", "48=48", "--next", "500"]
    assert main([*words, *amounts]) == 0
    text = capsys.readouterr().out
    assert "labels of" in text and "the next 500: spend" in text and "expected gain" in text
    assert max(map(len, text.splitlines())) <= 80
    assert main([*words, *amounts, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    rows = facts["labels"]
    assert sum(row["labels"] for row in rows) == facts["spent"] <= 1600
    assert {row["amount"] for row in rows} <= {0, 48, 200, 1000}
    assert facts["next"]["spent"] <= 500 and facts["next"]["gain"]["objective"] >= 0
    assert facts["next"]["before"]["objective"] == pytest.approx(facts["objective"])


def test_with_amounts_explanations_and_the_next_best_are_still_there(amounts_file, capsys):
    words = ["solve", "--affinities", amounts_file, "--budget", "2600"]
    amounts = ["--amounts", "full=1000", "200", "48=48", "--best", "2", "--explain"]
    assert main([*words, *amounts]) == 0
    text = capsys.readouterr().out
    assert "  2. objective" in text and "next t" in text
    assert main([*words, *amounts, "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert "next" in first and "next" not in second


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--amounts", "200"], "--amounts needs the labels of a task's own network"),
        (["--amounts", "full=1000", "2k=5"], "unknown amount of data '2k'"),
        (["--amounts", "full=100", "200"], "fewer than the amounts"),
        (["--amounts", "full=1000", "200", "--cost", "t0=2"], "leave out --cost"),
        (["--amounts", "full=1000", "200", "--regimes", "48"], "no amount in common"),
        (["--have", "t0=2"], "--have counts labels: it needs --amounts"),
    ],
)
def test_amounts_that_cannot_be_said_in_one_line(amounts_file, capsys, words, said):
    assert main(["solve", "--affinities", amounts_file, "--budget", "9", *words]) == 1
    error = capsys.readouterr().err
    assert said in error and len(error.strip().splitlines()) == 1
