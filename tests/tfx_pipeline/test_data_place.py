"""The data of a run: a folder, a pattern's newest, the last few as one."""

import pytest

from tfx_pipeline import data_place as module
from tfx_pipeline.data_place import NoSpan, check_data_there, data_folder
from tfx_pipeline.faults import RunError


def test_braces_in_a_name_are_no_pattern_and_a_wrong_pattern_is_said(tmp_path):
    plain = str(tmp_path / "{old}")
    assert data_folder(plain, tmp_path, None) == plain
    with pytest.raises(RunError, match="--window takes a pattern"):
        data_folder(plain, tmp_path, 3)
    with pytest.raises(RunError, match="an input pattern names"):
        data_folder(str(tmp_path / "{YYYY}"), tmp_path, None)
    with pytest.raises(NoSpan):
        data_folder(str(tmp_path / "{SPAN}"), tmp_path, None)


def test_an_address_of_this_machine_is_its_path(tmp_path):
    assert data_folder(f"file://{tmp_path}/data", tmp_path, None) == f"{tmp_path}/data"


def test_a_file_that_vanishes_while_it_is_read_is_looked_for_again(monkeypatch, tmp_path):
    answers = [FileNotFoundError(2, "gone", "a.png"), "f1"]

    def fingerprint(_, known):
        answer = answers.pop(0)
        if isinstance(answer, str):
            return answer
        raise answer

    monkeypatch.setattr("tfx_pipeline.data_place.folder_fingerprint", fingerprint)
    assert module.fingerprint_of("data") == "f1"
    answers[:] = [FileNotFoundError(2, "gone", "a.png")] * 3
    with pytest.raises(RunError, match="a.png vanished"):
        module.fingerprint_of("data")


def test_a_link_that_leads_nowhere_is_said_as_one(tmp_path):
    (tmp_path / "house").symlink_to(tmp_path / "not mounted")
    with pytest.raises(RunError, match="house is a link that leads nowhere .*not mounted"):
        module.fingerprint_of(str(tmp_path))


def test_a_place_without_data_is_an_error_before_anything_is_read(tmp_path):
    with pytest.raises(FileNotFoundError):
        check_data_there(str(tmp_path / "none"))
    with pytest.raises(RunError, match="an input pattern names"):
        check_data_there(str(tmp_path / "{YYYY}"))
