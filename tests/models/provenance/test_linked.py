"""Files that lie in two places."""

import os

import pytest

from models.provenance import linked as module
from models.provenance.linked import linked


def test_a_file_is_the_same_one_at_both_places(tmp_path):
    (tmp_path / "a").write_text("text")
    linked(tmp_path / "a", tmp_path / "deep" / "er" / "b")
    assert os.path.samefile(tmp_path / "a", tmp_path / "deep" / "er" / "b")


def test_a_folder_comes_with_all_that_is_below_it(tmp_path):
    (tmp_path / "from" / "in").mkdir(parents=True)
    (tmp_path / "from" / "in" / "a").write_text("a")
    (tmp_path / "from" / "b").write_text("b")
    linked(tmp_path / "from", tmp_path / "to")
    assert (tmp_path / "to" / "in" / "a").read_text() == "a"
    assert (tmp_path / "to" / "b").read_text() == "b"


def test_where_no_link_can_be_made_it_is_a_copy(tmp_path, monkeypatch):
    def refuse(source, goal):
        raise OSError("another file system")

    monkeypatch.setattr(module.os, "link", refuse)
    (tmp_path / "a").write_text("text")
    linked(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_text() == "text"
    assert not os.path.samefile(tmp_path / "a", tmp_path / "b")


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(FileNotFoundError):
        linked(tmp_path / "none", tmp_path / "b")
