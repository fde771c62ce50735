"""Changes a label as it must change when its views are mirrored, or come in reverse order.

Labels that follow from cameras change by a formula of their own: one row a target function
(`Task.make`) in `MIRRORED` where the entry's `flip` says "mirror the cameras", and one in
`REVERSED` for every target function about several views.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np

from models.tasks.arrays import Array, Floats
from models.tasks.labels.cameras import euler_from_rotation
from models.tasks.task import Task
from models.tasks.view import rotation_from_euler

Change = Callable[[Floats], Floats]
ACROSS = np.diag([-1.0, 1.0, 1.0])  # camera frame: left and right change places


def mirrored(task: Task, target: Floats) -> Floats:
    """Returns the target of the same sample with every view mirrored left to right; not whitened.

    target: one sample's, [S, S, C] or [K], as `targets.target` makes it. Raises ValueError for a
    task whose label says nothing about a mirrored picture (flip "none").
    """
    if task.flip == "none":
        raise ValueError(f"{task.name}: a mirrored picture has no label (flip is 'none')")
    if task.flip == "mirror the cameras":
        return change_of(task, MIRRORED, "MIRRORED")(target)
    if not task.output.dense:
        return target
    image = turned(target)
    if task.flip == "mirror, negate x":
        image[..., 0] *= -1
    return image


def turned(picture: Array) -> Array:
    """Returns [H, W, C] with left and right exchanged; numpy does it number by number, in ten times
    the time.
    """
    return cv2.flip(picture, 1).reshape(picture.shape)


def reversed_views(task: Task, target: Floats) -> Floats:
    """Returns the target [S, S, C] or [K] of the same sample with its views in reverse order; not
    whitened.
    """
    if task.images == 1:
        return target
    return change_of(task, REVERSED, "REVERSED")(target)


def change_of(task: Task, table: Mapping[str, Change], name: str) -> Change:
    """Returns the row of a task's target function. Raises ValueError if it has none."""
    if task.make not in table:
        raise ValueError(
            f"{task.name}: no row of models.tasks.mirror.{name} for target function {task.make!r}; "
            f"there are {', '.join(table)}. Add one"
        )
    return table[task.make]


def mirrored_pose(pose: Floats) -> Floats:
    """Returns the mirrored pose [6]: R becomes M R M, t becomes M t, M = diag(-1, 1, 1)."""
    turn = ACROSS @ rotation_from_euler(*pose[:3]) @ ACROSS
    return np.concatenate([euler_from_rotation(turn), ACROSS @ pose[3:]])


def mirrored_poses(poses: Floats) -> Floats:
    """Returns three mirrored poses [18]."""
    return np.concatenate([mirrored_pose(pose) for pose in poses.reshape(3, 6)])


def mirrored_axes(axes: Floats) -> Floats:
    """Returns [9]: the mirrored horizontal axes change names, since a mirrored frame is left-handed
    and sight must stay between them.
    """
    swapped: Floats = (axes.reshape(3, 3) @ ACROSS)[[1, 0, 2]]
    return swapped.ravel()


def mirrored_layout(layout: Floats) -> Floats:
    """Returns [9]: centre and camera mirrored. The world's x axis stays the one nearest to sight,
    so its y axis is reversed and extents stay.
    """
    turn = np.diag([1.0, -1.0, 1.0]) @ rotation_from_euler(*layout[3:6]) @ ACROSS
    return np.concatenate([ACROSS @ layout[:3], euler_from_rotation(turn), layout[6:]])


def inverse_pose(pose: Floats) -> Floats:
    """Returns [6], the pose of the second camera in the frame of the first, from that of the first
    in the second's: R^T and -R^T t.
    """
    back = rotation_from_euler(*pose[:3]).T
    return np.concatenate([euler_from_rotation(back), -back @ pose[3:]])


def inverse_poses(poses: Floats) -> Floats:
    """Converts poses 1-2, 1-3, 2-3 of three views [18] to those of the same views numbered 3, 2,
    1.
    """
    return np.concatenate([inverse_pose(pose) for pose in poses.reshape(3, 6)[::-1]])


def unchanged(target: Floats) -> Floats:
    """Returns the label [K] as it is, since it does not say which view is which."""
    return target


MIRRORED: dict[str, Change] = {
    "relative_pose": mirrored_pose,
    "egomotion": mirrored_poses,
    "vanishing_points": mirrored_axes,
    "room_layout": mirrored_layout,
}
REVERSED: dict[str, Change] = {
    "relative_pose": inverse_pose,
    "egomotion": inverse_poses,
    "same_point": unchanged,
}
