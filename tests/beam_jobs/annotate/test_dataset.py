"""Splits and the description of a data set follow from the buildings that are there."""

import json

import pytest

from beam_jobs.annotate.dataset import (
    check_held_out,
    check_place,
    conclude,
    earlier_splits,
    kind_of_set,
    split_names,
)
from beam_jobs.annotate.meshes import annotate_meshes
from beam_jobs.annotate.procedural import annotate_buildings

NAMES = [f"b{i:02d}" for i in range(12)]


def built(root, name, **facts):
    (root / name).mkdir()
    (root / name / "building.json").write_text(json.dumps({"views": 4, **facts}))


def test_a_sixth_validates_and_a_sixth_tests():
    splits = list(split_names(NAMES, {}).values())
    assert splits == ["val"] * 2 + ["test"] * 2 + ["train"] * 8
    assert list(split_names(NAMES, {}, held_out=4).values()).count("train") == 4


@pytest.mark.parametrize(
    "filled, expected",
    [
        (set(), ["train", "test"]),
        ({"train"}, ["test", "val"]),
        ({"train", "test"}, ["val", "train"]),
        ({"train", "test", "val"}, ["train", "train"]),
    ],
)
def test_few_buildings_fill_what_is_empty_and_train_first(filled, expected):
    kept = {f"old {split}": split for split in filled}
    assert list(split_names(["one", "two"], kept).values()) == expected


def test_a_data_set_that_grows_moves_no_building_and_reaches_the_shares_with_new_ones():
    splits = split_names(NAMES, {})
    names = [*NAMES, *(f"b{i:02d}" for i in range(12, 18))]
    new = split_names(names, splits)
    assert list(new) == names[12:] and list(new.values()) == ["val", "test"] + ["train"] * 4
    assert split_names(names, {**splits, **new}) == {}


@pytest.mark.parametrize(
    "kept, expected",
    [
        ({"a": "train", "b": "train"}, ["val", "test"]),
        ({"a": "val", "b": "val"}, ["test", "train"]),
        ({"a": "test", "b": "val"}, ["train", "train"]),
        ({"a": "train", "b": "test"}, ["val", "train"]),
        # of two new ones one trains, and an empty split comes before a short one
        ({"a": "val", "b": "val", "of another run": "val"}, ["test", "train"]),
    ],
)
def test_new_buildings_fill_what_kept_ones_leave_empty(kept, expected):
    assert list(split_names(["a", "b", "c", "d"], kept).values()) == expected


def test_a_building_made_again_keeps_its_split_and_no_file_is_touched(tmp_path, capsys):
    names = [f"b{i}" for i in range(5)]
    for name in names:
        built(tmp_path, name, mesh=f"{name}.ply")
    conclude(tmp_path, names, lambda facts: False, held_out=2)
    first = (tmp_path / "splits.csv").read_bytes()
    assert earlier_splits(tmp_path)["b0"] == "val"
    times = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.*")}
    for again in (["b0"], ["b4", "b1"], list(reversed(names))):
        conclude(tmp_path, again, lambda facts: False)
    assert (tmp_path / "splits.csv").read_bytes() == first
    assert times == {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.*")}
    assert capsys.readouterr().err == ""


def test_what_kept_splits_leave_undone_is_said(tmp_path, capsys):
    for name in NAMES:
        built(tmp_path, name, generator=9)
    conclude(tmp_path, NAMES, lambda facts: True)
    conclude(tmp_path, NAMES, lambda facts: True, held_out=2)
    assert capsys.readouterr().err == ""
    conclude(tmp_path, NAMES, lambda facts: True, held_out=4)
    output = capsys.readouterr().err
    assert "12 of 12 buildings keep the split" in output and "4 and 4 were asked for" in output
    assert "2 validate and 2 test" in output and "remove splits.csv" in output
    conclude(tmp_path, NAMES[:4], lambda facts: True)
    assert "none in train: ingest will refuse" in capsys.readouterr().err


@pytest.mark.parametrize("buildings, most", [(3, 1), (6, 2), (7, 3)])
def test_a_building_is_left_to_train_on(buildings, most):
    check_held_out(buildings, most)
    with pytest.raises(ValueError, match=f"at most {most} can validate"):
        check_held_out(buildings, most + 1)


@pytest.mark.parametrize("name", ["rgb", "my_house", "notes.txt"])
def test_a_folder_with_anything_of_somebody_else_is_refused_whole(tmp_path, name):
    check_place(tmp_path / "not there yet")
    built(tmp_path, "ash", generator=7)
    conclude(tmp_path, ["ash"], lambda facts: False)
    (tmp_path / ".annotate.birch.x").mkdir()
    check_place(tmp_path)
    (tmp_path / name).mkdir()
    with pytest.raises(FileExistsError, match=f"holds {name}, which annotate did not write.*--out"):
        check_place(tmp_path)


@pytest.mark.parametrize("mesh", [False, True])
def test_annotate_writes_nothing_beside_the_pictures_of_somebody_else(tmp_path, mesh):
    (tmp_path / "rgb").mkdir()
    (tmp_path / "rgb" / "mine.png").write_bytes(b"")
    house = tmp_path / ".house" / "house.ply"
    house.parent.mkdir()
    house.write_bytes(b"ply")
    options = {"views": 3, "size": 32}
    with pytest.raises(FileExistsError, match="holds rgb, which annotate did not write"):
        if mesh:
            annotate_meshes(tmp_path, [house], **options)
        else:
            annotate_buildings(tmp_path, buildings=3, seed=0, **options)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".house", "rgb"]


def test_earlier_buildings_keep_their_split_unless_they_are_stale_or_gone(tmp_path):
    for name in ("ash", "birch", "cedar"):
        built(tmp_path, name, mesh=f"{name}.ply")
    conclude(tmp_path, ["ash", "birch", "cedar"], lambda facts: False)
    first = earlier_splits(tmp_path)
    assert sorted(first.values()) == ["test", "train", "val"]
    built(tmp_path, "dogwood", generator=7)
    conclude(tmp_path, ["dogwood"], lambda facts: facts.get("mesh") == "birch.ply")
    assert earlier_splits(tmp_path) == {
        **{name: first[name] for name in ("ash", "cedar")},
        "dogwood": first["birch"] if first["birch"] != "train" else "train",
    }


def test_what_all_lack_and_what_some_lack_are_told_apart(tmp_path):
    built(tmp_path, "ash", absent=["class_scene", "segment_semantic"])
    built(tmp_path, "birch", absent=["class_scene"])
    built(tmp_path, "cedar", absent=["class_scene"])
    conclude(tmp_path, ["ash", "birch", "cedar"], lambda facts: False)
    facts = json.loads((tmp_path / "dataset.json").read_text())
    assert facts["absent"] == ["class_scene"]
    assert facts["absent_by_building"]["ash"] == ["class_scene", "segment_semantic"]
    assert facts["views"] == 12


def test_the_name_says_what_the_buildings_are_made_of():
    mesh, procedural = {"mesh": "a.ply"}, {"generator": 7}
    assert kind_of_set([mesh, mesh]) == "meshes"
    assert kind_of_set([procedural]) == "procedural"
    assert kind_of_set([procedural, mesh]) == "procedural and meshes"


def test_files_that_would_not_change_are_not_touched(tmp_path):
    for name in ("ash", "birch", "cedar"):
        built(tmp_path, name)
    conclude(tmp_path, ["ash", "birch", "cedar"], lambda facts: False)
    times = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.*")}
    conclude(tmp_path, ["ash", "birch", "cedar"], lambda facts: False)
    assert times and times == {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.*")}
