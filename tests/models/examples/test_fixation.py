"""A camera looks at the point that it fixates, and depth there is its distance."""

from dataclasses import replace

import numpy as np
import pytest
from foreign_encodings import OF_A_BUILDING
from seen_rooms import room_view
from synthetic import camera as elsewhere

from models.examples.fixation import pose_contradiction, scale_shown

POSES = ("OpenCV", "world to camera", "extrinsics")


def test_the_published_convention_contradicts_nothing():
    assert not any(pose_contradiction(room_view(seed)["point_info"]) for seed in range(20))


@pytest.mark.parametrize("name", POSES)
def test_other_conventions_of_poses_are_named(name):
    change, words = OF_A_BUILDING[name]
    for seed in range(8):
        anomaly = pose_contradiction(change(room_view(seed))["point_info"])
        assert anomaly is not None and words in anomaly.kind and "camera to world" in anomaly.cure


def test_cameras_that_fixate_nothing_in_any_convention_are_left_alone():
    assert not any(pose_contradiction(elsewhere(seed)) for seed in range(200))
    camera = room_view(0)["point_info"]
    assert pose_contradiction(replace(camera, point=None)) is None
    assert pose_contradiction(replace(camera, point=camera.location)) is None


@pytest.mark.parametrize("folder", ["depth_zbuffer", "depth_euclidean"])
def test_depth_in_the_middle_is_the_distance_of_the_point(folder):
    doubled = []
    for seed in range(20):
        labels = room_view(seed)
        camera, depth = labels["point_info"], labels[folder]
        assert scale_shown({folder: depth}, camera) == 1
        doubled.append(scale_shown({folder: depth * 2}, camera))
    # an edge in the middle of a single view may hide it
    assert abs(np.median(doubled) - 2) < 0.1 and doubled.count(1) < 3


def test_what_is_not_seen_or_not_fixated_has_no_scale():
    labels = room_view(0)
    camera, depth = labels["point_info"], labels["depth_zbuffer"].copy()
    assert scale_shown({"depth_zbuffer": depth}, None) is None
    assert scale_shown({}, camera) is None
    beside = replace(camera, point=camera.point + np.array([0, 1, 0]))
    assert scale_shown({"depth_zbuffer": depth}, beside) is None
    for nothing in (0, 65535):
        depth[50:80, 50:80] = nothing
        assert scale_shown({"depth_zbuffer": depth}, camera) is None
