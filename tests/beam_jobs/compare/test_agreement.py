"""Our label functions give the labels of real frames back, as far as the recipe in
../shared/spec/scenes_and_labels.md reports.
"""

import json
import shutil
from pathlib import Path

import pytest
from published_set import write_set

from beam_jobs.__main__ import main
from beam_jobs.compare.agreement import agreement

FRAMES = Path(__file__).parents[4] / "shared/real_frames"
LEAST = {
    "edge_occlusion": 0.9999,
    "edge_texture": 0.999,
    "keypoints2d": 0.999,
    "reshading": 0.98,
    "segment_unsup2d": 0.98,
    "segment_unsup25d": 0.9,
}


@pytest.fixture(scope="module")
def rows():
    if not FRAMES.exists():
        pytest.skip(f"the maintainers' real frames are not at {FRAMES}")
    return agreement(FRAMES)


@pytest.mark.parametrize("label", LEAST)
def test_labels_of_real_frames_are_given_back(rows, label):
    values = {row["frame"]: row["value"] for row in rows if row["label"] == label}
    assert values and min(values.values()) >= LEAST[label], values


def test_normals_of_planes_fitted_to_depth_are_the_label_within_two_degrees(rows):
    values = {row["frame"]: row["value"] for row in rows if row["label"] == "normal from depth"}
    assert len(values) == 4 and max(values.values()) <= 2, values


@pytest.mark.parametrize("label", ["keypoints3d", "keypoints3d at half"])
def test_3d_keypoints_agree_on_taskonomy_and_replica(rows, label):
    values = {
        row["set"]: row["value"] for row in rows if row["label"] == label and row["set"] != "hm3d"
    }
    assert set(values) == {"taskonomy", "replica"} and min(values.values()) >= 0.75, values


def test_distance_from_depth_is_the_euclidean_label(rows):
    (value,) = [row["value"] for row in rows if row["label"] == "depth_euclidean"]
    assert value > 0.9999


def test_3d_keypoints_of_hm3d_agree_where_depth_has_the_scale_of_the_others(rows):
    values = [
        row["value"] for row in rows if row["label"] == "keypoints3d" and row["set"] == "hm3d"
    ]
    assert len(values) == 2 and min(values) >= 0.69


@pytest.fixture(scope="module")
def layout(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp("data"), buildings=("ash",), points=1, views=1)


def test_the_published_layout_is_read_and_the_parameters_are_named(layout, capsys):
    assert main(["agreement", "--frames", str(layout), "--json"]) == 0
    output = capsys.readouterr()
    labels = {row["label"] for row in json.loads(output.out)}
    assert labels == {
        *("edge_texture", "keypoints2d", "segment_unsup2d", "edge_occlusion", "segment_unsup25d"),
        *(
            "normal from depth",
            "reshading",
            "depth_euclidean",
            "keypoints3d",
            "keypoints3d at half",
        ),
    }
    assert "parameters of taskonomy: 512 depth codes a metre" in output.err


def test_the_component_is_taken_from_the_folder_or_from_the_user(layout, tmp_path):
    shutil.copytree(layout / "ash", tmp_path / "hm3d" / "ash")
    for folder in ("normal", "depth_zbuffer"):  # the quick labels alone
        shutil.rmtree(tmp_path / "hm3d" / "ash" / folder)
    assert {row["set"] for row in agreement(tmp_path)} == {"hm3d"}
    assert {row["set"] for row in agreement(tmp_path, "replica")} == {"replica"}


def test_pictures_without_labels_are_refused_in_words(layout, tmp_path):
    shutil.copytree(layout / "ash" / "rgb", tmp_path / "ash" / "rgb")
    with pytest.raises(ValueError, match="expected labels beside the pictures"):
        agreement(tmp_path)


def test_a_folder_without_frames_is_refused(tmp_path):
    with pytest.raises(ValueError, match="found none"):
        agreement(tmp_path)
