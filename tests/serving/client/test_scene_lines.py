"""Rooms and vanishing points are drawn where the camera that they belong to sees them."""

import numpy as np
import pytest

from models.tasks.labels.cameras import room_layout, vanishing_points
from models.tasks.view import Camera, rotation_from_euler
from serving.client.scene_lines import (
    AXES,
    FIELD_OF_VIEW,
    box_edges,
    mark_towards,
    room_lines,
    vanishing_lines,
    vanishing_point,
)

SIDE = 320
ROOM = np.array([[-2.0, 2.0], [-3.0, 3.0], [0.0, 2.5]])
CAMERA = Camera(
    np.array([0.3, -2.5, 1.2]),
    rotation_from_euler(np.pi / 2 - 0.1, 0.0, 0.2),
    float(np.radians(FIELD_OF_VIEW)),
    ROOM,
)
GREY = np.full((SIDE, SIDE, 3), 128, "uint8")


def seen(point: np.ndarray) -> np.ndarray:
    """pixel of a world point, by the definition of the camera."""
    x, y, z = CAMERA.rotation.T @ (point - CAMERA.location)
    focal = SIDE / 2 / np.tan(CAMERA.field_of_view / 2)
    return np.array([SIDE / 2 + x / -z * focal, SIDE / 2 - y / -z * focal])


def near(page: np.ndarray, place: np.ndarray) -> np.ndarray:
    column, row = (int(v) for v in place)
    return page[row - 2 : row + 3, column - 2 : column + 3].reshape(-1, 3)


def test_a_box_has_four_edges_along_each_axis():
    edges = list(box_edges())
    assert [axis for axis, _, _ in edges] == [0] * 4 + [1] * 4 + [2] * 4
    for axis, start, end in edges:
        assert (np.flatnonzero(start != end) == [axis]).all()


def test_the_far_corners_of_the_room_lie_on_the_drawn_lines():
    page = room_lines(room_layout(CAMERA), GREY)
    for x in ROOM[0]:
        for height in ROOM[2]:
            place = seen(np.array([x, ROOM[1, 1], height]))
            if (place > 4).all() and (place < SIDE - 4).all():
                assert (near(page, place) != 128).any()
    left, right = seen(np.array([-2, 3, 0.0])), seen(np.array([2, 3, 0.0]))
    middle = (left + right) / 2  # of the far wall's foot
    elements = near(page, middle)
    assert any((pixel == AXES[1]).all() for pixel in elements)


def test_a_room_behind_the_camera_is_not_drawn():
    behind = np.array([0, 0, 10.0, 0, 0, 0, 2, 2, 2])
    np.testing.assert_array_equal(room_lines(behind, GREY), GREY)


@pytest.mark.parametrize("axis", range(3))
def test_parallel_lines_of_the_world_meet_at_the_vanishing_point(axis):
    directions = vanishing_points(CAMERA).reshape(3, 3)
    world = CAMERA.rotation @ directions[axis]
    ahead = world if (CAMERA.rotation.T @ world)[2] < 0 else -world
    far = seen(CAMERA.location + CAMERA.rotation @ [0.4, 0.3, -2] + 1e7 * ahead)
    np.testing.assert_allclose(vanishing_point(directions[axis], SIDE), far, rtol=1e-3, atol=0.5)


def test_marks_point_to_the_vanishing_point():
    direction = vanishing_points(CAMERA).reshape(3, 3)[0]
    goal = vanishing_point(direction, SIDE)
    for place in np.array([[40.0, 40], [200, 300], [310, 20]]):
        start, end = mark_towards(direction, place, SIDE)
        one, two = end - start, goal - place
        cross = one[0] * two[1] - one[1] * two[0]
        assert abs(cross) < 1e-6 * np.linalg.norm(one) * np.linalg.norm(two)


def test_every_axis_is_drawn_in_its_colour():
    page = vanishing_lines(vanishing_points(CAMERA), GREY)
    for colour in AXES:
        assert (page == colour).all(-1).sum() > 50


def test_a_direction_across_the_view_has_no_vanishing_point():
    assert vanishing_point(np.array([1.0, 0, 0]), SIDE) is None
