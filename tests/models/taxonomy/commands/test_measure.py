"""Measuring as text: a row a tournament, stars for what is not ranked."""

import pytest
from affinity_tables import small_store

from models.taxonomy.__main__ import main
from models.taxonomy.commands.measure import store_at


def test_a_row_a_tournament_and_the_file_are_said(tmp_path, capsys):
    small_store(tmp_path / "losses")
    out = tmp_path / "table.json"
    words = ["--losses", str(tmp_path / "losses"), "--out", str(out), "--resamples", "20"]
    assert main(["measure", *words]) == 0
    text = capsys.readouterr().out
    assert out.exists() and f"-> {out}" in text
    assert [line.split()[0] for line in text.splitlines()[1:4]] == ["a", "b", "c"]
    assert max(len(line) for line in text.splitlines() if str(out) not in line) <= 80


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match="no folder"):
        store_at(str(tmp_path / "no"))
