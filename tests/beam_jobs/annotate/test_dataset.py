"""Splits and the description of a data set follow from the buildings that are there."""

import json

import pytest

from beam_jobs.annotate.dataset import (
    check_held_out,
    conclude,
    earlier_splits,
    kind_of_set,
    split_names,
)

NAMES = [f"b{i:02d}" for i in range(12)]


def built(root, name, **facts):
    (root / name).mkdir()
    (root / name / "building.json").write_text(json.dumps({"views": 4, **facts}))


def test_a_sixth_validates_and_a_sixth_tests():
    splits = list(split_names(NAMES).values())
    assert splits == ["val"] * 2 + ["test"] * 2 + ["train"] * 8
    assert list(split_names(NAMES, held_out=4).values()).count("train") == 4


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
    assert list(split_names(["one", "two"], filled).values()) == expected


@pytest.mark.parametrize("buildings, most", [(3, 1), (6, 2), (7, 3)])
def test_a_building_is_left_to_train_on(buildings, most):
    check_held_out(buildings, most)
    with pytest.raises(ValueError, match=f"at most {most} can validate"):
        check_held_out(buildings, most + 1)


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
