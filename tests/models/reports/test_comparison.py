"""Two runs side by side, in the terminal and in a page."""

import pytest
from made_run import files, write_run

from models.reports.__main__ import main
from models.reports.comparison import names, table
from models.reports.run_files import load_run


@pytest.fixture
def runs(tmp_path):
    """a run, and one whose policy labels two tasks instead of the default's."""
    other = files()
    other["run"] = {"default_budget": 1, "default_order": 1}
    return write_run(tmp_path / "first"), write_run(tmp_path / "second", other)


def test_figures_stand_side_by_side_within_80_columns(runs):
    one, two = map(load_run, runs)
    text = table(one, two, ("first", "second"))
    assert max(map(len, text.splitlines())) <= 80
    assert "budget, order              2, 2                       1, 1" in text
    assert "transfers that decide      75                         75" in text
    changed = {
        a["target"]: (a["sources"], b["sources"])
        for a, b in zip(one.chosen["edges"], two.chosen["edges"])
        if (sorted(a["sources"]), a["control"]) != (sorted(b["sources"]), b["control"])
    }
    assert f"{len(changed)} of 5 targets answered differently" in text
    assert len(changed) > 0


def test_a_run_differs_from_itself_in_nothing(runs):
    one = load_run(runs[0])
    assert table(one, one, ("a", "b")).endswith("0 of 5 targets answered differently")


def test_the_command_writes_one_page_with_both(runs, tmp_path, capsys):
    out = tmp_path / "both.html"
    assert main(["compare", *map(str, runs), "--out", str(out)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(out)
    page = out.read_text()
    assert page.count('id="payload"') == page.count('id="rival"') == 1
    assert 'data-name="second"' in page


def test_runs_of_one_name_are_called_by_their_paths(tmp_path):
    one, two = tmp_path / "a" / "demo", tmp_path / "b" / "demo"
    assert names(one, two) == (str(one), str(two))
    assert names(one, tmp_path / "c" / "other") == ("demo", "other")


def test_a_run_without_a_policy_and_a_folder_to_write_are_refused(runs, tmp_path, capsys):
    nothing = {**files(), "taxonomies": []}
    empty = write_run(tmp_path / "empty", nothing)
    assert main(["compare", str(runs[0]), str(empty)]) == 1
    assert "empty has no policy" in capsys.readouterr().err
    assert main(["compare", *map(str, runs), "--out", str(tmp_path)]) == 1
    assert "is a folder" in capsys.readouterr().err
