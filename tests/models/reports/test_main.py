"""The command line answers wrong folders in a line, and finds the newest page."""

import pytest
from made_run import write_run

from models.reports.__main__ import find_page, main
from models.reports.page import write_report


def test_a_page_is_drawn_again_and_its_path_printed(tmp_path, capsys):
    assert main(["--run", str(write_run(tmp_path))]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "index.html")


def test_of_a_run_the_newest_report_is_drawn_again(tmp_path, capsys):
    reports = tmp_path / "artifacts" / "WriteReport" / "report"
    for number in ("9", "16"):
        write_report(write_run(reports / number))
    newest = reports / "16" / "index.html"
    drawn = newest.read_bytes()
    newest.write_bytes(drawn + b"an older drawing")
    assert main(["--run", str(tmp_path)]) == 0
    assert capsys.readouterr().out.strip() == str(newest)
    assert newest.read_bytes() == drawn


def test_a_wrong_folder_is_one_line_on_stderr(tmp_path, capsys):
    assert main(["--run", str(tmp_path)]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.count("\n") == 1
    assert str(tmp_path) in output.err


def test_nothing_asked_is_said_with_the_usage(capsys):
    assert main([]) == 2
    assert "--run DIR" in capsys.readouterr().err


def test_the_newest_report_of_a_run_is_found_by_number(tmp_path):
    for number in ("9", "16"):
        folder = tmp_path / "artifacts" / "WriteReport" / "report" / number
        folder.mkdir(parents=True)
        (folder / "index.html").write_text("")
    assert find_page(tmp_path).parent.name == "16"


def test_open_prints_the_path_and_shows_it(tmp_path, capsys, monkeypatch):
    opened = []
    monkeypatch.setattr("models.reports.__main__.webbrowser.open", opened.append)
    (tmp_path / "index.html").write_text("")
    assert main(["open", str(tmp_path)]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "index.html")
    assert opened == [(tmp_path / "index.html").as_uri()]


def test_open_of_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no finished report"):
        find_page(tmp_path)
