"""The published lists of buildings, as they are given and as they are written."""

import pytest

from beam_jobs.download.subset import SUBSETS, given_list, lacking, list_name, write_splits


@pytest.mark.parametrize("subset", SUBSETS)
def test_a_list_has_the_publishers_name(subset):
    assert list_name(subset) == f"train_val_test_{subset}.csv"


def test_what_is_written_is_what_is_read(tmp_path):
    table = {"beech": "val", "ash": "train", "cedar": "test"}
    write_splits(tmp_path / "splits.csv", table)
    assert given_list(tmp_path / "splits.csv", "tiny") == table
    names = (tmp_path / "splits.csv").read_text()
    assert names.index("ash") < names.index("beech") < names.index("cedar")


def test_of_a_folder_the_subsets_own_list_is_read(tmp_path):
    for subset, split in (("tiny", "train"), ("medium", "test")):
        write_splits(tmp_path / list_name(subset), {"ash": split})
    assert given_list(tmp_path, "tiny") == {"ash": "train"}
    assert given_list(str(tmp_path), "medium") == {"ash": "test"}
    with pytest.raises((OSError, ValueError)):
        given_list(tmp_path, "full")


def test_what_is_lacking_is_named_but_for_what_the_release_itself_lacks(capsys):
    table = {"ihlen": "test", "Tomkins": "train", "hanson": "train"}
    there = {("hanson", "rgb"), ("hanson", "normal"), ("ihlen", "rgb"), ("Tomkins", "normal")}
    names = lacking(table, ["rgb", "normal"], lambda *place: place in there)
    assert names == ["normal/ihlen"]
    assert capsys.readouterr().err == "not whole, as published: Tomkins (no rgb)\n"
