"""The test against chance as text."""

from affinity_tables import graded_table

from models.taxonomy.__main__ import main


def test_both_tests_and_all_baselines_are_shown(tmp_path, capsys):
    graded_table(3).save(tmp_path / "table.json")
    words = ["--affinities", str(tmp_path / "table.json"), "--budget", "2"]
    assert main(["significance", *words]) == 0
    text = capsys.readouterr().out
    assert "random sources, random transfers: quality" in text
    assert "random sources, their best transfers: quality" in text
    assert "greedy" in text and "single best source" in text
    assert "the least that these draws can show" in text, "a p value at its floor says so"
