"""What a data set's folders are called decides what is read: nothing that is there is passed over
without a word.
"""

import json
import shutil
from pathlib import Path

import pytest
from published_set import write_set

from beam_jobs.ingest.job import ingest
from beam_jobs.ingest.listing import (
    EVERYDAY_WORDS,
    LABEL_FOLDERS,
    OTHER_FOLDERS,
    is_building_name,
    refuse_homeless,
    resembled_label,
)
from models.tasks import DOMAINS


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp("data"), points=1)


@pytest.fixture
def data(whole, tmp_path):
    return Path(shutil.copytree(whole, tmp_path / "data"))


@pytest.mark.parametrize(
    "name, label",
    [
        ("depth_zbuffers", "depth_zbuffer"),
        ("depth_zbuffer2", "depth_zbuffer"),
        ("Depth-ZBuffer", "depth_zbuffer"),
        ("normals", "normal"),
        ("nomral", "normal"),
        ("rgbs", "rgb"),
        ("segmentsemantic", "segment_semantic"),
        ("fixatedpose", "point_info"),
        ("class_place", "class_scene"),
    ],
)
def test_a_folder_called_nearly_as_a_label_stops_the_job(data, tmp_path, name, label):
    (data / "birch" / label).rename(data / "birch" / name)
    with pytest.raises(ValueError, match=f"birch/{name} .did you mean {label}.*rename"):
        ingest(str(data), str(tmp_path / "out"), size=16, shards=1)
    assert not (tmp_path / "out").exists()


def test_a_misspelt_folder_of_the_other_tree_stops_the_job_too(whole, tmp_path):
    for place in whole.glob("*/*"):
        folder = "normals" if place.name == "normal" else place.name
        shutil.copytree(place, tmp_path / "tool" / folder / "taskonomy" / place.parent.name)
    with pytest.raises(ValueError, match="normals .did you mean normal"):
        ingest(str(tmp_path / "tool"), str(tmp_path / "out"), size=16, shards=1)


def test_labels_outside_any_building_stop_the_job_and_say_where_they_belong(whole, tmp_path):
    flat = Path(shutil.copytree(whole / "ash", tmp_path / "flat"))
    with pytest.raises(ValueError, match="flat/.* holds files of labels.*move them to .*flat/NAME"):
        ingest(str(flat), str(tmp_path / "out"), size=16, shards=1)
    # beside buildings that are sound, too: nobody would miss them in the counts
    mixed = Path(shutil.copytree(whole, tmp_path / "mixed"))
    shutil.copytree(whole / "ash" / "normal", mixed / "normal" / "dogwood")
    with pytest.raises(ValueError, match="move them to .*mixed/dogwood/normal"):
        ingest(str(mixed), str(tmp_path / "out"), size=16, shards=1)
    assert not (tmp_path / "out").exists()


def test_a_list_beside_the_components_of_the_other_tree_is_no_label(tmp_path):
    (tmp_path / "rgb" / "taskonomy" / "ash").mkdir(parents=True)
    for place in ("rgb/checksums.json", "rgb/taskonomy/missing.txt"):
        (tmp_path / place).write_text("")
    refuse_homeless(str(tmp_path))


def test_an_unknown_folder_is_counted_and_named(data, tmp_path):
    for building in ("ash", "cedar"):
        (data / building / "thermal").mkdir()
    counts = ingest(str(data), str(tmp_path / "out"), size=16, shards=1)
    assert counts == {
        "read": 9,
        "written": 9,
        "quarantined": 0,
        "folders_unknown": {"thermal": 2},
    }
    assert json.loads((tmp_path / "out" / "counts.json").read_text()) == counts
    lines = (tmp_path / "out" / "quarantine.jsonl").read_text().splitlines()
    assert [json.loads(line)["folder"] for line in lines] == [
        str(data / building / "thermal") for building in ("ash", "cedar")
    ]


@pytest.mark.parametrize("name", sorted(OTHER_FOLDERS | {"thermal", "segment_panoptic"}))
def test_a_name_of_its_own_is_no_misspelling(name):
    assert resembled_label(name) is None


@pytest.mark.parametrize(
    "name, meant",
    [
        ("depth", "depth_zbuffer or depth_euclidean"),
        ("Surface-Normals", "normal"),
        ("curvature", "principal_curvature"),
        ("semantic", "segment_semantic"),
        ("segmentation", "segment_semantic or segment_unsup2d or segment_unsup25d"),
        ("texture edges", "edge_texture"),
        ("zbuffer", "depth_zbuffer"),
    ],
)
def test_an_everyday_name_names_the_labels_that_may_be_meant(name, meant):
    assert resembled_label(name) == meant
    assert not set(EVERYDAY_WORDS) & LABEL_FOLDERS
    assert set(meant.split(" or ")) <= set(DOMAINS)


@pytest.mark.parametrize("name", sorted(LABEL_FOLDERS - {"points"}))
def test_every_label_resembles_itself(name):
    assert resembled_label(name) == name


@pytest.mark.parametrize(
    "name", ["ash", "Büro 1", "Bu\u0308ro", "Haus (alt)", "[neu] 2", "मकान", "Apt #3", "a" * 100]
)
def test_what_a_person_calls_a_building_is_a_name(name):
    assert is_building_name(name)


@pytest.mark.parametrize(
    "name",
    ["", "a\nb", "a/b", "a+b", "a\\b", "<b>", "-x", "_x", " x", "x ", "\udce9t\udce9", "a" * 101],
)
def test_what_would_be_misunderstood_is_no_name(name):
    assert not is_building_name(name)
