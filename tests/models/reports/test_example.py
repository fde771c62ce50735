"""The repository's example is made from a run by this code."""

import pytest
from made_run import NAMES, files, write_run

from models.reports import example
from models.taxonomy import Affinities, solve


def test_the_table_solves_as_the_run_did(tmp_path):
    example.write_example(write_run(tmp_path / "run"), tmp_path / "place")
    table = Affinities.load(tmp_path / "place" / "affinities.csv")
    there = next(a for a in files()["taxonomies"] if (a["budget"], a["order"]) == (2, 2))
    assert sorted(table.targets) == sorted(NAMES)
    assert solve(table, 2, 2).objective == pytest.approx(there["objective"], abs=1e-4)


def test_the_pages_commands_read_the_table_beside_it(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(example, "render", lambda run: seen.append(run) or "page")
    example.write_example(write_run(tmp_path / "run"), tmp_path / "place")
    assert seen[0].affinities_path == str(tmp_path / "place" / "affinities.csv")
    monkeypatch.setattr(example, "ROOT", tmp_path)
    assert example.path_of(tmp_path / "place" / "affinities.csv") == "place/affinities.csv"


def test_pictures_are_left_out_where_there_is_no_room(tmp_path, monkeypatch):
    page = example.write_example(write_run(tmp_path / "run"), tmp_path / "place")
    with_pictures = page.read_text()
    table = (tmp_path / "place" / "affinities.csv").stat().st_size
    monkeypatch.setattr(example, "MOST", len(with_pictures.encode()) + table - 1)
    page = example.write_example(tmp_path / "run", tmp_path / "place")
    assert "data:image/png" in with_pictures
    assert "data:image/png" not in page.read_text()


def test_a_run_too_large_for_the_example_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(example, "MOST", 1000)
    with pytest.raises(ValueError, match="take a smaller run"):
        example.write_example(write_run(tmp_path / "run"), tmp_path / "place")
