"""Measuring as text: a row a tournament, stars for what is not ranked."""

import pytest
from affinity_tables import built_store, small_store

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


@pytest.mark.parametrize(
    ("store", "said"),
    [
        (small_store, ", intervals: 30 images, redrawn 20 times"),
        (built_store, ", intervals: 20 buildings, redrawn 20 times"),
    ],
)
def test_what_intervals_are_over_is_said(tmp_path, capsys, store, said):
    store(tmp_path / "losses")
    words = ["--losses", str(tmp_path / "losses"), "--out", str(tmp_path / "table.json")]
    assert main(["measure", *words, "--resamples", "20"]) == 0
    assert said in capsys.readouterr().out
    assert main(["measure", *words, "--resamples", "0"]) == 0
    assert ", intervals: " not in capsys.readouterr().out


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match="no folder"):
        store_at(str(tmp_path / "no"))
