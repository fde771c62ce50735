"""Camera labels against vectors computed by the released code on real views."""

import json
from pathlib import Path

import numpy as np
import pytest
from synthetic import camera

from models.tasks import Camera
from models.tasks.labels.cameras import (
    compose,
    egomotion,
    euler_from_rotation,
    gaussian_sphere,
    point_info,
    relative_pose,
    room_layout,
    vanishing_points,
)
from models.tasks.view import rotation_from_euler

POINTS = Path(__file__).resolve().parents[5] / "shared" / "real_frames" / "point_info"
real = pytest.mark.skipif(not POINTS.exists(), reason="the real frames of ../shared are not here")


def info(name: str) -> dict:
    return json.loads((POINTS / f"{name}_domain_point_info.json").read_text())


def of(name: str) -> Camera:
    return Camera.from_point_info(info(name))


@real
@pytest.mark.parametrize(
    "name, golden",
    [
        (
            "point_0_view_0",
            [0.48944, 0.29897, -2.14742, 1.28091, 0.01432, -1.17423, 4.32832, 2.07343, 2.50691],
        ),
        (
            "point_0_view_1",
            [0.40349, -0.22705, -1.30443, 1.52181, 0.00011, -1.24124, 2.7056, 1.27733, 2.42834],
        ),
        (
            "../point_202_view_5",
            [0.99531, 0.29558, -4.0016, 1.5116, -0.00447, -1.70226, 7.69405, 7.10823, 3.01834],
        ),
    ],
)
def test_room_layout_is_the_released_one(name, golden):
    np.testing.assert_allclose(room_layout(of(name)), golden, atol=2e-5)


@real
def test_vanishing_points_are_the_released_ones():
    np.testing.assert_allclose(
        vanishing_points(of("point_0_view_0")),
        [0.38621, 0.26896, -0.88233, -0.9223, 0.09775, -0.37391, -0.01432, 0.95818, 0.28582],
        atol=2e-5,
    )


@real
@pytest.mark.parametrize(
    "first, second, golden",
    [
        (0, 1, [0.46758, -1.47864, -0.7562, -1.67642, 0.49462, -10.09799]),
        (0, 2, [-0.16143, -0.96418, -0.10379, -1.38529, 0.42772, -7.11252]),
        (1, 2, [0.02218, 0.53409, 0.04625, 5.21747, 0.01407, 0.71415]),
    ],
)
def test_relative_poses_are_the_released_ones(first, second, golden):
    np.testing.assert_allclose(
        relative_pose(of(f"point_0_view_{first}"), of(f"point_0_view_{second}")), golden, atol=2e-5
    )


@real
@pytest.mark.parametrize("name", ["point_0_view_0", "point_1000_view_0", "point_100_view_2"])
def test_the_published_vanishing_directions_come_back(name):
    for axis, direction in gaussian_sphere(of(name)).items():
        np.testing.assert_allclose(
            direction, info(name)["vanishing_points_gaussian_sphere"][axis], atol=1e-6
        )


def test_egomotion_composes():
    poses = egomotion(camera(0), camera(1), camera(2))
    np.testing.assert_allclose(compose(poses[:6], poses[12:]), poses[6:12], atol=1e-9)


def test_euler_angles_read_back():
    angles = np.array([0.3, -0.4, 2.0])
    np.testing.assert_allclose(euler_from_rotation(rotation_from_euler(*angles)), angles)


def test_a_written_point_info_reads_back_as_the_same_camera():
    first = camera(3)
    written = point_info(
        first, normal=np.array([0, 0, 1.0]), point=3, view=0, room="0", others=[], resolution=256
    )
    second = Camera.from_point_info(json.loads(json.dumps(written)))
    np.testing.assert_allclose(second.rotation, first.rotation, atol=1e-12)
    np.testing.assert_allclose(second.room, first.room)


def test_a_layout_without_a_room_is_refused():
    with pytest.raises(ValueError, match="bounding_box_ranges"):
        room_layout(Camera(np.zeros(3), np.eye(3), 1.0))
