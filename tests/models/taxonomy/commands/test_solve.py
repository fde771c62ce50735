"""A taxonomy as text and as JSON, with what is not ranked."""

import json

from affinity_tables import graded_table, regime_table, with_scratch

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
