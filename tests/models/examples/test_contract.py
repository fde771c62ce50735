"""Every label states its rules, and a view that contradicts itself is found out."""

import json
from dataclasses import replace

import numpy as np
import pytest
from published_set import ray_lengths
from synthetic import view

from models.examples.contract import anomalies, contract, pixels_of
from models.tasks import DOMAINS, View, label_domains


def test_every_label_states_its_rules():
    promised = json.loads(json.dumps(contract(64), allow_nan=False))
    assert set(promised["labels"]) == set(label_domains())
    assert {
        folder: row["classes"] for folder, row in promised["labels"].items() if row["classes"]
    } == {
        "segment_semantic": 18,
        "class_object": 1000,
        "class_scene": 365,
    }
    assert all(row["unit"] for row in promised["labels"].values())
    assert promised["labels"]["depth_zbuffer"]["missing"] == 65535 == DOMAINS["depth_zbuffer"].high


def test_labels_that_contradict_each_other_are_anomalies():
    made = view(0)
    depth = np.full((32, 32), 1000, "uint16")
    nearer = View(
        made.key, made.rgb, made.camera, {"depth_zbuffer": depth, "depth_euclidean": depth - 500}
    )
    assert "never shorter" in anomalies(nearer, 32)[0]
    short = View(made.key, made.rgb, made.camera, {"normal": np.full((32, 32, 3), 140, "uint8")})
    assert "unit vectors" in anomalies(short, 32)[0]
    assert "the contract says 64" in anomalies(nearer, 64)[0]


def depths(camera, size: int = 64) -> dict:
    """both depths of a slanted wall that a camera looks at, an eighth of it unseen."""
    along = np.tile(np.linspace(700, 2500, size).round(), (size, 1))
    ray = (along * ray_lengths(camera, size)).round()
    along[: size // 8] = ray[: size // 8] = 65535
    return {"depth_zbuffer": along.astype("uint16"), "depth_euclidean": ray.astype("uint16")}


def seen_by(camera, labels: dict) -> View:
    size = len(labels["depth_zbuffer"])
    return View(view(0).key, np.zeros((size, size, 3), "uint8"), camera, labels)


@pytest.mark.parametrize("angle", [0.3, 0.78, 1.1, 1.8])
@pytest.mark.parametrize("size", [15, 64, 256])
@pytest.mark.parametrize("with_camera", [True, False])
def test_the_depth_along_a_ray_is_the_cameras_multiple_of_the_other(angle, size, with_camera):
    camera = replace(view(0).camera, field_of_view=angle)
    sound = seen_by(camera if with_camera else None, depths(camera, size))
    assert anomalies(sound, size) == []


@pytest.mark.parametrize("with_camera", [True, False])
def test_one_depth_that_is_a_copy_of_the_other_is_an_anomaly(with_camera):
    camera = view(0).camera
    labels = depths(camera)
    labels["depth_euclidean"] = labels["depth_zbuffer"]
    (anomaly,) = anomalies(seen_by(camera if with_camera else None, labels), 64)
    assert "a copy of the other" in anomaly


@pytest.mark.parametrize("with_camera", [True, False])
def test_two_depths_of_different_things_are_an_anomaly(with_camera):
    camera = view(0).camera
    labels = depths(camera)
    # a third of the view twice as far along the ray as along the axis, which no camera sees
    labels["depth_euclidean"][32:54] = 2 * labels["depth_zbuffer"][32:54]
    (anomaly,) = anomalies(seen_by(camera if with_camera else None, labels), 64)
    assert "degrees give on 3" in anomaly


@pytest.mark.parametrize("folder", ["depth_zbuffer", "depth_euclidean"])
def test_a_depth_of_nothing_on_half_of_a_view_is_an_anomaly(folder):
    codes = np.full((64, 64), 1000, "uint16")
    codes[:32] = 0
    (anomaly,) = anomalies(seen_by(None, {"depth_zbuffer": codes} | {folder: codes}), 64)[:1]
    assert "0 m on 50% of the pixels" in anomaly and "65535" in anomaly


def seen_room(camera) -> dict:
    """labels of a wall that a camera looks at, a tenth of it a hole; normals within 60 degrees of
    the way back.
    """
    rng = np.random.default_rng(0)
    slope = np.tan(camera.field_of_view / 2) * (2 * (np.arange(32) + 0.5) / 32 - 1)
    back = -np.stack([*np.meshgrid(slope, slope), np.ones((32, 32))], -1)
    back /= np.linalg.norm(back, axis=-1, keepdims=True)
    aside = rng.normal(size=(32, 32, 3))
    normal = back + 0.8 * aside / np.linalg.norm(aside, axis=-1, keepdims=True)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    codes = np.round((normal + 1) * 127.5).astype("uint8")
    depth = np.full((32, 32), 1000, "uint16")
    hole = rng.random((32, 32)) < 0.1
    codes[hole] = 128
    ray = np.round(depth * ray_lengths(camera)).astype("uint16")
    depth[hole] = ray[hole] = 65535
    return {"normal": codes, "depth_zbuffer": depth, "depth_euclidean": ray}


@pytest.mark.parametrize("with_camera", [True, False])
def test_normals_that_face_away_from_the_camera_are_an_anomaly(with_camera):
    made = view(0)
    camera = made.camera if with_camera else None
    labels = seen_room(made.camera)
    assert anomalies(View(made.key, made.rgb, camera, labels), 32) == []
    # back faces of a scan: even half of the view is no anomaly
    half = np.where(np.arange(32)[:, None, None] < 16, 255 - labels["normal"], labels["normal"])
    assert anomalies(View(made.key, made.rgb, camera, {"normal": half}), 32) == []
    away = View(made.key, made.rgb, camera, {**labels, "normal": 255 - labels["normal"]})
    assert "face away from the camera" in anomalies(away, 32)[0]


@pytest.mark.parametrize("folder", ["depth_zbuffer", "depth_euclidean", "normal"])
def test_a_label_without_a_value_beside_one_that_has_values_is_an_anomaly(folder):
    made = view(0)
    labels = seen_room(made.camera)
    empty = np.full_like(labels[folder], DOMAINS[folder].missing or 128)
    (anomaly,) = anomalies(View(made.key, made.rgb, made.camera, {**labels, folder: empty}), 32)
    assert anomaly.startswith(f"{folder} has a value on 0% of the pixels")
    # a hole in half of the view is a scan's own, and of two empty labels none is the wrong one
    half = {folder: np.where(np.arange(32) < 16, labels[folder].T, empty.T).T.copy()}
    assert anomalies(View(made.key, made.rgb, made.camera, {**labels, **half}), 32) == []
    nothing = {name: np.full_like(labels[name], 65535) for name in labels if name != "normal"}
    assert anomalies(View(made.key, made.rgb, made.camera, nothing), 32) == []


@pytest.mark.parametrize("folder", ["edge_texture", "edge_occlusion", "keypoints2d", "keypoints3d"])
def test_edges_and_corners_nearly_everywhere_are_an_inverted_label(folder):
    few = np.where(np.random.default_rng(0).random((32, 32)) < 0.2, 20000, 3000).astype("uint16")
    assert anomalies(labelled({folder: few}), 32) == []
    (anomaly,) = anomalies(labelled({folder: 65535 - few}), 32)
    assert folder in anomaly and "65535 minus the code" in anomaly


def labelled(labels: dict) -> View:
    return View(view(0).key, view(0).rgb, None, labels)


def test_reshading_that_is_brightest_where_least_light_comes_back_is_inverted():
    labels = seen_room(view(0).camera)
    facing = np.maximum(0, 1 - labels["normal"][..., 2] / 127.5)
    sound = np.rint(200 * facing).astype("uint8")
    camera = view(0).camera
    assert anomalies(seen_by(camera, {**labels, "reshading": sound}), 32) == []
    (anomaly,) = anomalies(seen_by(camera, {**labels, "reshading": 255 - sound}), 32)
    assert "reshading is darkest" in anomaly and "255 minus the code" in anomaly
    grey = np.full((32, 32), 90, "uint8")
    assert anomalies(seen_by(camera, {**labels, "reshading": grey}), 32) == []


def test_pixels_of_a_code_have_it_in_all_channels():
    codes = np.random.default_rng(0).choice([0, 127, 128], (20, 20, 3)).astype("uint8")
    for code in (0, 128):
        np.testing.assert_array_equal(pixels_of(code, codes), (codes == code).all(-1))
        np.testing.assert_array_equal(
            pixels_of(code, codes[::3, ::3]), (codes[::3, ::3] == code).all(-1)
        )


@pytest.mark.parametrize("deep", range(8))
def test_the_median_decides_whether_rooms_are_too_deep(deep):
    # of 6 and of 7 rows
    for rows in (6, 7):
        depth = np.full((7, 7), 65535, "uint16")
        depth[:rows] = 2000
        depth[:deep] = 20000
        values = depth[depth < 65535]
        complaints = anomalies(seen_by(None, {"depth_zbuffer": depth}), 7)
        assert bool(complaints) == (np.median(values) > 20 * 512)


@pytest.mark.parametrize("short", range(8))
def test_the_median_decides_whether_normals_are_unit_vectors(short):
    normal = np.full((7, 7, 3), 127, "uint8")
    normal[..., 2] = 0
    normal[:short, :, 2] = 60
    complaints = anomalies(
        View(view(0).key, np.zeros((7, 7, 3), "uint8"), None, {"normal": normal}), 7
    )
    assert bool(complaints) == (short > 3)
