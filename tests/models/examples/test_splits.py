"""Splits go by building, and the published files' line ends are understood."""

from pathlib import Path

import pytest

from models.examples.splits import entry_of, hashed_splits, read_splits, split_list

PUBLISHED = Path(__file__).resolve().parents[4] / "shared" / "published" / "splits"


def test_bare_carriage_returns_end_lines(tmp_path):
    path = tmp_path / "splits.csv"
    path.write_bytes(b"id,train,val,test\rallen,1,0,0\rbeach,0,0,1\r")
    assert read_splits(path) == {"allen": "train", "beach": "test"}


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published splits of ../shared are not here")
@pytest.mark.parametrize(
    "name, counts",
    [
        ("tiny", (25, 5, 5)),
        ("medium", (99, 20, 19)),
        ("full", (346, 67, 69)),
        ("fullplus", (383, 75, 79)),
    ],
)
def test_published_splits_have_the_measured_counts(name, counts):
    splits = list(read_splits(PUBLISHED / f"train_val_test_{name}.csv").values())
    assert tuple(splits.count(split) for split in ("train", "val", "test")) == counts


@pytest.mark.parametrize(
    "rows, message",
    [
        ("a,1,1,0", "exactly one split"),
        ("a,1,0", "exactly one split"),
        ("a,1,0,", "exactly one split, 1 in its column and 0 in the others"),
        ("a,0.7,0.2,0.1", "exactly one split"),
        ("a,1,0,0\na,0,1,0", "two splits"),
    ],
)
def test_a_building_is_in_one_split(rows, message, tmp_path):
    path = tmp_path / "splits.csv"
    path.write_text(f"id,train,val,test\n{rows}\n")
    with pytest.raises(ValueError, match=message):
        read_splits(path)


def test_flags_are_read_as_pandas_writes_them(tmp_path):
    path = tmp_path / "splits.csv"
    path.write_text("id,train,val,test\na,1.0,0.0,0.0\nb,False,True,False\nc,0, 0 ,1\n")
    assert read_splits(path) == {"a": "train", "b": "val", "c": "test"}


def test_every_split_gets_a_building_and_one_building_is_too_few():
    assert set(hashed_splits(["a", "b", "c"]).values()) == {"train", "val", "test"}
    with pytest.raises(ValueError, match="three are needed"):
        hashed_splits(["a"])


def test_the_split_of_a_name_stays_as_it_was():
    """by the names' hashes, 8:1:1: another rule would make other buildings everybody's test set."""
    splits = hashed_splits(f"building{i}" for i in range(20))
    held = {split: {name for name in splits if splits[name] == split} for split in ("test", "val")}
    assert held == {
        "test": {"building3", "building12"},
        "val": {"building8", "building19"},
    }
    assert list(splits.values()).count("train") == 16
    assert hashed_splits(["allen", "beach", "cedar"]) == {
        "cedar": "test",
        "beach": "val",
        "allen": "train",
    }


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published splits of ../shared are not here")
def test_published_subsets_are_nested_and_agree():
    lists = [
        read_splits(PUBLISHED / f"train_val_test_{name}.csv")
        for name in ("tiny", "medium", "full", "fullplus")
    ]
    for smaller, larger in zip(lists, lists[1:]):
        assert smaller.items() <= larger.items()


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_a_byte_order_mark_as_spreadsheets_write_it_is_no_part_of_the_first_name(ends, tmp_path):
    path = tmp_path / "splits.csv"
    rows = ("id,train,val,test", "allen,1,0,0", "beach,0,0,1", "")
    path.write_bytes(ends.join(rows).encode("utf-8-sig"))
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert read_splits(path) == {"allen": "train", "beach": "test"}


def test_a_building_is_found_in_a_list_whatever_its_capitals():
    assert entry_of({"ash": "val"}, "Ash") == entry_of({"Ash": "val"}, "ash") == "val"
    assert entry_of({"ASH": "val", "Ash": "val"}, "ash") == "val"
    assert entry_of({"ash": "val"}, "oak") is None
    both = {"Ash": "train", "ash": "val"}
    assert entry_of(both, "ash") == "val" and entry_of(both, "Ash") == "train"
    assert entry_of(both, "ASH") is None, "the list says two things of these letters"


def test_an_accent_is_the_same_beside_its_letter_and_in_it():
    assert entry_of({"B\u00fcro": "val"}, "bu\u0308ro") == "val"


def test_a_name_with_a_comma_comes_back_from_the_list_that_is_written(tmp_path):
    splits = {"Haus, alt": "train", 'the "old" one': "val", "ash": "test"}
    (tmp_path / "splits.csv").write_text(split_list(splits))
    assert read_splits(tmp_path / "splits.csv") == splits


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_a_list_in_another_encoding_is_refused_by_its_name(encoding, tmp_path):
    text = "id,train,val,test\nB\u00fcro,1,0,0\n"
    (tmp_path / "splits.csv").write_text(text, encoding=encoding)
    with pytest.raises(ValueError, match=r"splits\.csv: expected text in UTF-8, got byte 0x"):
        read_splits(tmp_path / "splits.csv")
