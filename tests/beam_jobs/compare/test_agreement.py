"""Our label functions give the labels of real frames back, as far as the recipe in
../shared/spec/scenes_and_labels.md reports.
"""

from pathlib import Path

import numpy as np
import pytest

from beam_jobs.compare.agreement import adjusted_rand, agreement

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
    found = {row["frame"]: row["value"] for row in rows if row["label"] == label}
    assert found and min(found.values()) >= LEAST[label], found


def test_normals_of_planes_fitted_to_depth_are_the_label_within_two_degrees(rows):
    found = {row["frame"]: row["value"] for row in rows if row["label"] == "normal from depth"}
    assert len(found) == 4 and max(found.values()) <= 2, found


@pytest.mark.parametrize("label", ["keypoints3d", "keypoints3d at half"])
def test_3d_keypoints_agree_on_taskonomy_and_replica(rows, label):
    found = {
        row["set"]: row["value"] for row in rows if row["label"] == label and row["set"] != "hm3d"
    }
    assert set(found) == {"taskonomy", "replica"} and min(found.values()) >= 0.75, found


def test_distance_from_depth_is_the_euclidean_label(rows):
    (found,) = [row["value"] for row in rows if row["label"] == "depth_euclidean"]
    assert found > 0.9999


def test_the_rand_index_is_one_for_renamed_segments_and_near_zero_for_chance():
    rng = np.random.default_rng(0)
    segments = rng.integers(0, 5, (64, 64))
    assert adjusted_rand(segments, 4 - segments) == pytest.approx(1)
    assert abs(adjusted_rand(segments, rng.integers(0, 5, (64, 64)))) < 0.01


def test_a_folder_without_frames_is_refused(tmp_path):
    with pytest.raises(ValueError, match="real frames"):
        agreement(tmp_path)
