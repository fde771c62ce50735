"""Labels that follow from where cameras stand: room layout, vanishing points, relative poses,
egomotion.

Source: `load_ops` of the released code (room_layout, vanishing_point_well_defined,
get_camera_matrix, triplets); golden vectors in the tests. All angles are static-axis XYZ Euler
angles ("sxyz") in radians, all lengths metres, all frames right-handed.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from models.tasks.arrays import Floats
from models.tasks.view import Camera, rotation_from_euler

# The original turns the world by a quarter about z before layout and vanishing points: X' = y, Y' =
# -x.
FLIP = np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1.0]])
# Where the world's x axis goes in turns by 0, 90, 180 and 270 degrees about z.
QUARTERS = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))
# The turned world, turned back by each of these.
BACK = tuple(np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]]) @ FLIP for c, s in QUARTERS)
# Which of a box's ends along x, y and z each of its eight corners has.
ENDS = np.array(list(itertools.product((0, 1), repeat=3)))
AXES = np.arange(3)


def euler_from_rotation(rotation: Floats) -> Floats:
    """Returns [3] angles a, b, c with rotation = Rz(c) Ry(b) Rx(a); b in [-pi/2, pi/2]."""
    (m00, _, _), (m10, m11, m12), (m20, m21, m22) = np.asarray(rotation).tolist()
    cos_b = np.hypot(m00, m10)
    if cos_b > 1e-9:
        return np.arctan2([m21, -m20, m10], [m22, cos_b, m00])
    # gimbal lock: all of the turn in a
    return np.array([np.arctan2(-m12, m11), np.arctan2(-m20, cos_b), 0.0])


def sight_angles(rotation: Floats) -> list[float]:
    """Returns the radians between the direction of sight (-z) of a camera and where the turned
    world's x axis goes in each of the four turns. rotation: [3, 3], camera to the world that is not
    turned. In Python: numpy takes longer for four numbers.
    """
    _, _, backward = rotation[1].tolist()
    _, _, away = rotation[0].tolist()
    return [math.acos(max(-1.0, min(1.0, cosine))) for cosine in (-backward, away, backward, -away)]


def first_turn(angles: Sequence[float]) -> Floats:
    """Returns [3, 3], the exchange of axes and the inverse of the quarter turn with the least of
    four angles, exact. Angles are rounded first, to 12 digits, so that of equal angles the first
    wins and the last digit does not decide.
    """
    rounded = [round(angle * 1e12) for angle in angles]
    return BACK[rounded.index(min(rounded))]


def angle(first: Floats, second: Floats) -> float:
    """Returns the radians between two unit vectors [3]."""
    # rounding may take a cosine past 1
    return float(np.arccos(np.clip(first @ second, -1, 1)))


def room_layout(camera: Camera) -> Floats:
    """Returns [9]: centre of the room's box in the camera frame (m), Euler angles of the camera in
    the turned world (rad), the box's extents (m).

    The world is turned by the quarter that brings its x axis nearest to the direction of sight
    (first one on ties). Raises ValueError without a room.
    """
    if camera.room is None:
        raise ValueError(
            "room layout needs the room's box (bounding_box_ranges), and this camera has none"
        )
    # `load_ops` tries the turns and applies the inverse of the best
    turn = first_turn(sight_angles(camera.rotation))
    ranges = turn @ camera.room
    ranges.sort(axis=1)  # the ends of an axis that is reversed change places
    rotation = turn @ camera.rotation
    corners = ranges[AXES, ENDS]
    corners -= turn @ camera.location
    centre = np.add.reduce(corners @ rotation, 0) / len(corners)
    return np.concatenate([centre, euler_from_rotation(rotation), ranges[:, 1] - ranges[:, 0]])


def vanishing_points(camera: Camera) -> Floats:
    """Returns [9]: the directions of the turned world's x, y, z axes in the camera frame,
    orthonormal, one after the other.

    The turn brings x and y together nearest to the direction of sight. Not the JSON's
    `vanishing_points_gaussian_sphere`, which differs in order and sign.
    """
    along_x = sight_angles(camera.rotation)
    along_y = along_x[1:] + along_x[:1]  # y goes where x goes a quarter later
    turn = first_turn([x + y for x, y in zip(along_x, along_y)])
    return (turn @ camera.rotation).ravel()


def relative_pose(first: Camera, second: Camera) -> Floats:
    """Returns [6], the pose of the first camera in the frame of the second: Euler angles of R2^T R1
    (rad), then R2^T (c1 - c2) (m).
    """
    return np.concatenate(
        [
            euler_from_rotation(second.rotation.T @ first.rotation),
            second.rotation.T @ (first.location - second.location),
        ]
    )


def egomotion(first: Camera, second: Camera, third: Camera) -> Floats:
    """Returns [18]: relative poses 1-2, 1-3, 2-3."""
    return np.concatenate(
        [relative_pose(first, second), relative_pose(first, third), relative_pose(second, third)]
    )


def compose(first: Floats, second: Floats) -> Floats:
    """Returns pose 1-3 from poses 1-2 and 2-3: R13 = R23 R12, t13 = R23 t12 + t23. Poses: [6],
    three Euler angles in radians, then the translation.
    """
    r12, r23 = rotation_from_euler(*first[:3]), rotation_from_euler(*second[:3])
    return np.concatenate([euler_from_rotation(r23 @ r12), r23 @ first[3:] + second[3:]])


def gaussian_sphere(camera: Camera) -> dict[str, list[float]]:
    """Returns `vanishing_points_gaussian_sphere` as the annotator of the published data set writes
    it: x is the horizontal world axis nearest to backward.
    """
    backward = camera.rotation[:, 2]
    x = max(
        (np.array(a, float) for a in ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0))),
        key=lambda a: a @ backward,
    )
    axes = (x, np.cross([0, 0, 1.0], x), np.array([0, 0, 1.0]))
    return {name: (camera.rotation.T @ axis).tolist() for name, axis in zip("xyz", axes)}


def camera_name(camera: Camera) -> str:
    """Returns 16 hex digits made from where a camera stands, which serve as `camera_uuid` in
    point_info and in matches.
    """
    # numbers, unlike text, hash alike in every process
    return f"{abs(hash(tuple(np.round(camera.location, 6)))):016x}"


def point_info(
    camera: Camera,
    *,
    normal: Floats,
    point: int,
    view: int,
    room: str,
    others: list[int],
    resolution: int,
) -> dict[str, Any]:
    """Returns the published JSON of a view. normal: [3] unit surface normal at the fixated point,
    world frame. Raises ValueError for a camera without a fixated point or a room.
    """
    if camera.point is None or camera.room is None:
        raise ValueError(
            "point_info needs the fixated point and the room, and the camera lacks one"
        )
    sphere = gaussian_sphere(camera)
    half = resolution / 2
    focal = half / np.tan(camera.field_of_view / 2)
    euler = euler_from_rotation(camera.rotation)
    back = camera.location - camera.point
    distance = np.linalg.norm(back)
    return {
        "camera_location": camera.location.tolist(),
        "camera_rotation_final": euler.tolist(),
        # no scanner's pose was turned here: the first rotation is the last, and the turn between
        # them none
        "camera_rotation_original": euler.tolist(),
        "camera_rotation_from_original_to_final": [0.0, 0.0, 0.0],
        "point_location": camera.point.tolist(),
        "point_normal": np.asarray(normal, float).tolist(),
        "camera_distance": float(distance),
        "obliqueness_angle": angle(np.asarray(normal), back / distance),
        # measured in the frame of the first rotation, which looks straight at the point here
        "point_pitch": 0.0,
        "field_of_view_rads": camera.field_of_view,
        "resolution": resolution,
        "view_id": view,
        "point_uuid": str(point),
        "camera_uuid": camera_name(camera),
        "room": room,
        "nonfixated_points_in_view": others,
        # x and y change places in the published files
        "bounding_box_ranges": {
            "x": camera.room[1].tolist(),
            "y": camera.room[0].tolist(),
            "z": camera.room[2].tolist(),
        },
        "vanishing_points_gaussian_sphere": sphere,
        "vanishing_points_image": {
            name: [
                # as the annotator projects a direction v: the point 0.1 v, seen from 0.2 behind the
                # origin
                half + focal * 0.1 * v[0] / (0.2 - 0.1 * v[2]),
                half - focal * 0.1 * v[1] / (0.2 - 0.1 * v[2]),
            ]
            for name, v in sphere.items()
        },
    }
