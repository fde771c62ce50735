"""The published layout in all its spellings gives the same examples, and what it says by convention
arrives in the records.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from published_set import BUILDINGS, labels_of, write_set
from synthetic import SIZE

from beam_jobs.ingest.job import ingest
from models.examples import parse_view, read_label, records, write_label
from models.examples.index import FOLDER, Index
from models.examples.published import label_path
from models.examples.splits import SPLITS
from models.tasks import DOMAINS, Camera, ViewKey

OLDER = {
    "class_scene": "class_scene",
    "segment_semantic": "segment_semantic",
    "point_info": "fixatedpose",
}  # folder -> the other suffix


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp("data"))


@pytest.fixture
def data(whole, tmp_path):
    return Path(shutil.copytree(whole, tmp_path / "data"))


def manifest(uri) -> dict:
    return json.loads((Path(uri) / "manifest.json").read_text())


def views(uri) -> dict:
    found = [
        parse_view(record)
        for split in ("train", "val", "test")
        for record in records(str(uri), split)
    ]
    return {view.key: view for view in found}


def respell(data: Path, keys=None) -> None:
    for folder, suffix in OLDER.items():
        for path in data.glob(f"*/{folder}/*_domain_*"):
            if keys is None or path.name.startswith(keys):
                path.rename(
                    path.with_name(
                        path.name.replace(f"_domain_{DOMAINS[folder].suffix}", f"_domain_{suffix}")
                    )
                )


def test_both_spellings_and_a_mixture_of_them_give_the_same_examples(whole, data, tmp_path):
    ingest(str(whole), str(tmp_path / "one"), size=16, shards=1)
    respell(data, keys=("point_0_",))
    assert ingest(str(data), str(tmp_path / "mixed"), size=16, shards=1)["written"] == 18
    respell(data, keys=("point_1_",))
    for building in BUILDINGS:
        (data / building / "point_info").rename(data / building / "points")
    assert ingest(str(data), str(tmp_path / "two"), size=16, shards=1)["written"] == 18
    assert (
        manifest(tmp_path / "one")["hash"]
        == manifest(tmp_path / "mixed")["hash"]
        == manifest(tmp_path / "two")["hash"]
    )


def test_the_tree_of_the_community_tool_gives_the_same_examples(whole, tmp_path):
    """domain/component/building instead of building/domain."""
    for place in whole.glob("*/*"):
        shutil.copytree(place, tmp_path / "tool" / place.name / "taskonomy" / place.parent.name)
    ingest(str(whole), str(tmp_path / "one"), size=16, shards=2)
    ingest(str(tmp_path / "tool"), str(tmp_path / "two"), size=16, shards=2)
    assert manifest(tmp_path / "one")["hash"] == manifest(tmp_path / "two")["hash"]


def test_a_building_in_both_trees_is_duplicated_and_its_views_are_refused(data, tmp_path):
    for place in (data / "ash").iterdir():
        shutil.copytree(place, data / place.name / "taskonomy" / "ash")
    shutil.copytree(data / "birch", data / "dogwood")
    splits = {"ash": "train", "birch": "train", "cedar": "val", "dogwood": "test"}
    counts = ingest(str(data), str(tmp_path / "out"), size=16, shards=1, splits=splits)
    assert counts == {"read": 24, "written": 18, "quarantined": 6}
    assert all(key.building != "ash" for key in views(tmp_path / "out"))


def test_labels_arrive_as_they_were_written(whole, tmp_path):
    ingest(str(whole), str(tmp_path / "out"), size=SIZE, shards=1)
    for key, view in views(tmp_path / "out").items():
        written = labels_of(key)
        for folder, value in view.labels.items():
            np.testing.assert_array_equal(value, written[folder], err_msg=folder)
        np.testing.assert_array_equal(view.rgb, written["rgb"])


def test_rooms_come_back_with_their_axes_in_place(whole, tmp_path):
    """the JSON exchanges x and y in bounding_box_ranges; a record does not."""
    ingest(str(whole), str(tmp_path / "out"), size=16, shards=1)
    key = ViewKey("ash", 1, 2)
    written = read_label(label_path(whole, key, DOMAINS["point_info"]), DOMAINS["point_info"])
    room = views(tmp_path / "out")[key].camera.room
    assert room[0].tolist() == written["bounding_box_ranges"]["y"] == [0, 4] and room[
        1
    ].tolist() == written["bounding_box_ranges"]["x"] == [0, 3]
    assert (room == Camera.from_point_info(written).room).all()


def test_missing_depth_stays_missing_and_no_depth_is_mixed_across_it(data, tmp_path):
    key = ViewKey("ash", 0, 0)
    depth = np.full((SIZE, SIZE), 1000, "uint16")
    depth[:, ::2] = 65535
    write_label(label_path(data, key, DOMAINS["depth_zbuffer"]), depth, DOMAINS["depth_zbuffer"])
    # a wall for the one depth is none for the other
    label_path(data, key, DOMAINS["depth_euclidean"]).unlink()
    ingest(str(data), str(tmp_path / "out"), size=10, shards=1)
    assert set(np.unique(views(tmp_path / "out")[key].labels["depth_zbuffer"])) == {1000, 65535}
    labels = json.loads((tmp_path / "out" / "statistics.json").read_text())
    assert any(0 < split["labels"]["depth_zbuffer"]["missing"] < 1 for split in labels.values())


@pytest.mark.parametrize(
    "units",
    [8192, {"ash": 8192, "default": 1024}, {"default": 8192}, {"taskonomy": 8192, "ash": 8192}],
)
def test_depth_of_every_component_becomes_512ths_of_a_metre(data, tmp_path, units):
    key, depth = (
        ViewKey("ash", 0, 0),
        np.array([[8192, 65535], [4096, 65534]], "uint16")
        .repeat(SIZE // 2, 0)
        .repeat(SIZE // 2, 1),
    )
    write_label(label_path(data, key, DOMAINS["depth_zbuffer"]), depth, DOMAINS["depth_zbuffer"])
    label_path(data, key, DOMAINS["depth_euclidean"]).unlink()
    (data / "dataset.json").write_text(json.dumps({"depth_units_per_metre": units}))
    ingest(str(data), str(tmp_path / "out"), size=2, shards=1)
    assert views(tmp_path / "out")[key].labels["depth_zbuffer"].tolist() == [
        [512, 65535],
        [256, 4096],
    ]


def test_a_component_of_the_other_tree_has_its_own_depth_scale(whole, tmp_path):
    for place in whole.glob("*/*"):
        component = "hm3d" if place.parent.name == "ash" else "taskonomy"
        shutil.copytree(place, tmp_path / "tool" / place.name / component / place.parent.name)
    (tmp_path / "tool" / "dataset.json").write_text(
        json.dumps({"depth_units_per_metre": {"hm3d": 1024}})
    )
    ingest(str(tmp_path / "tool"), str(tmp_path / "out"), size=SIZE, shards=1)
    decoded = views(tmp_path / "out")
    for building, share in (("ash", 2), ("birch", 1)):
        key = ViewKey(building, 0, 0)
        np.testing.assert_allclose(
            decoded[key].labels["depth_zbuffer"], labels_of(key)["depth_zbuffer"] / share, atol=0.51
        )


def test_hm3d_has_its_own_scale_though_nobody_says_so(whole, tmp_path):
    for place in whole.glob("*/*"):
        component = "hm3d" if place.parent.name == "ash" else "taskonomy"
        shutil.copytree(place, tmp_path / "tool" / place.name / component / place.parent.name)
    ingest(str(tmp_path / "tool"), str(tmp_path / "out"), size=SIZE, shards=1)
    examples = views(tmp_path / "out")
    for building, times in (("ash", 16), ("birch", 1)):
        key = ViewKey(building, 0, 0)
        depth = examples[key].labels["depth_zbuffer"]
        np.testing.assert_allclose(depth, labels_of(key)["depth_zbuffer"] / times, atol=0.51)


def test_rooms_that_are_too_deep_are_refused_with_what_to_say(data, tmp_path):
    key = ViewKey("ash", 0, 0)
    for folder in ("depth_zbuffer", "depth_euclidean"):
        depth = np.full((SIZE, SIZE), 3 * 8192, "uint16")  # three metres, on HM3D's scale
        write_label(label_path(data, key, DOMAINS[folder]), depth, DOMAINS[folder])
    counts = ingest(str(data), str(tmp_path / "out"), size=16, shards=1)
    assert counts == {"read": 18, "written": 17, "quarantined": 1}
    line = json.loads((tmp_path / "out" / "quarantine.jsonl").read_text())
    assert line["view"] == str(key)
    assert "median of 48 m" in line["reason"] and "depth_units_per_metre" in line["reason"]


def test_text_files_may_start_with_a_byte_order_mark(data, tmp_path):
    (data / "dataset.json").write_text('{"absent": ["normal"]}', encoding="utf-8-sig")
    for path in data.glob("*/point_info/*.json"):
        path.write_text(path.read_text(), encoding="utf-8-sig")
    counts = ingest(str(data), str(tmp_path / "out"), size=16, shards=1)
    assert counts == {"read": 18, "written": 18, "quarantined": 0}
    for view in views(tmp_path / "out").values():
        assert view.camera is not None and "normal" not in view.labels


def test_absent_labels_are_absent_not_missing(data, tmp_path):
    shutil.rmtree(data / "ash" / "class_scene")
    (data / "birch" / "normal" / "point_0_view_0_domain_normal.png").unlink()
    (data / "dataset.json").write_text(json.dumps({"absent": ["normal"]}))
    assert ingest(str(data), str(tmp_path / "out"), size=16, shards=1)["written"] == 18
    decoded = views(tmp_path / "out")
    assert all(
        "normal" not in view.labels and ("class_scene" in view.labels) == (key.building != "ash")
        for key, view in decoded.items()
    )


def test_split_lists_with_bare_carriage_returns_and_copies_in_capitals_are_understood(
    data, tmp_path
):
    (data / "ash").rename(data / "Ash")
    (data / "splits.csv").write_bytes(
        b"\xef\xbb\xbfid,train,val,test\rash,0,0,1\rbirch,0,1,0\rcedar,1,0,0\r"
    )
    ingest(str(data), str(tmp_path / "out"), size=16, shards=1)
    index = Index(tmp_path / "out" / FOLDER)
    assert {key.building: split for split in SPLITS for key in index.keys(split)} == {
        "Ash": "test",
        "birch": "val",
        "cedar": "train",
    }
    counts = {split: index.count(split) for split in SPLITS}
    assert manifest(tmp_path / "out")["views"] == counts


def test_descriptions_of_whole_points_are_no_views_and_no_strangers(data, tmp_path):
    from models.examples.matches import Matches, write_matches

    write_matches(data, Matches("ash", 0, (0.0, 0.0, 0.0), ()))
    (data / "ash" / "rgb_large").mkdir()
    assert ingest(str(data), str(tmp_path / "out"), size=16, shards=1) == {
        "read": 18,
        "written": 18,
        "quarantined": 0,
    }
