"""Views and cameras refuse what is none."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from synthetic import camera, view

from models.examples.example import encode_view, parse_view
from models.tasks import Camera, View, ViewKey

FRAMES = Path(__file__).resolve().parents[4] / "shared" / "real_frames"


def test_a_key_reads_back():
    key = ViewKey("house", 12, 3)
    assert ViewKey.parse(str(key)) == key
    with pytest.raises(ValueError, match="building/point_P/view_V"):
        ViewKey.parse("house/12/3")


def test_a_camera_survives_being_stored_as_float32():
    first = camera(4)
    second = Camera.from_floats(first.to_floats().astype("float32"))
    np.testing.assert_allclose(second.rotation, first.rotation, atol=1e-6)
    np.testing.assert_allclose(second.room, first.room)


@pytest.mark.parametrize("points", [None, (), (7, 3)])
def test_points_in_view_are_stored_beside_the_numbers_of_a_camera_and_none_is_not_empty(points):
    written = encode_view(
        dataclasses.replace(view(0), camera=dataclasses.replace(camera(0), points_in_view=points)),
        "train",
    )
    assert parse_view(written).camera.points_in_view == (
        None if points is None else frozenset(points)
    )


@pytest.mark.parametrize("points", ["12", {"1": 2}, 5, [1.5], ["1"], [-1], [True], [10**9], [[1]]])
def test_points_in_view_that_are_no_numbers_of_points_are_refused(points):
    with pytest.raises(ValueError, match="camera: points in view"):
        dataclasses.replace(camera(0), points_in_view=points)


@pytest.mark.skipif(not FRAMES.exists(), reason="the real frames of ../shared are not here")
def test_the_published_points_in_view_are_read():
    info = json.loads((FRAMES / "point_202_view_5_domain_point_info.json").read_text())
    points = Camera.from_point_info(info).points_in_view
    assert len(points) == 196 and 1027 in points and 202 not in points


@pytest.mark.skipif(not FRAMES.exists(), reason="the real frames of ../shared are not here")
def test_the_fixated_point_lies_on_the_optical_axis_of_real_cameras():
    info = json.loads((FRAMES / "point_202_view_5_domain_point_info.json").read_text())
    real = Camera.from_point_info(info)
    direction = real.rotation.T @ (real.point - real.location)
    np.testing.assert_allclose(direction, [0, 0, -info["camera_distance"]], atol=2e-3)
    assert (real.room[:, 0] - 0.01 <= real.location).all() and (
        real.location <= real.room[:, 1] + 0.01
    ).all()


@pytest.mark.parametrize(
    "field, value",
    [
        ("rotation", np.ones((3, 3))),
        ("field_of_view", 4.0),
        ("location", np.full(3, np.nan)),
        ("room", np.array([[1, 0], [0, 1], [0, 1]])),
    ],
)
def test_a_camera_that_is_none_is_refused(field, value):
    good = camera(0)
    fields = {
        name: getattr(good, name)
        for name in ("location", "rotation", "field_of_view", "room", "point")
    }
    with pytest.raises(ValueError, match="camera"):
        Camera(**{**fields, field: value})


def test_a_label_of_the_wrong_depth_is_refused():
    rgb = np.zeros((8, 8, 3), "uint8")
    with pytest.raises(ValueError, match="depth_zbuffer is uint16"):
        View(ViewKey("a", 0, 0), rgb, labels={"depth_zbuffer": np.zeros((8, 8), "uint8")})
    with pytest.raises(ValueError, match="no published folder"):
        View(ViewKey("a", 0, 0), rgb, labels={"depth": np.zeros((8, 8), "uint8")})
