"""What a mirrored picture's label is: the rule that `Task.flip` names, applied to targets."""

from __future__ import annotations

import numpy as np

from models.tasks.labels.cameras import euler_from_rotation
from models.tasks.task import Task
from models.tasks.view import rotation_from_euler

ACROSS = np.diag([-1.0, 1.0, 1.0])  # camera frame: left and right change places


def mirrored(task: Task, target: np.ndarray) -> np.ndarray:
    """the target of the same sample with every view mirrored left to right; not whitened.

    target: one sample's, as `targets.target` makes it. Raises ValueError for a task whose label
    says nothing about a mirrored picture (flip "none").
    """
    if task.flip == "none":
        raise ValueError(f"task {task.name}: a mirrored picture has no label (flip is 'none')")
    if task.flip == "mirror the cameras":
        return CAMERAS[task.make](target)
    turned = target[:, ::-1] if task.output.dense else target
    return turned * [-1, 1, 1] if task.flip == "mirror, negate x" else turned


def mirrored_pose(pose: np.ndarray) -> np.ndarray:
    """[6]: R becomes M R M, t becomes M t, M = diag(-1, 1, 1)."""
    turn = ACROSS @ rotation_from_euler(*pose[:3]) @ ACROSS
    return np.concatenate([euler_from_rotation(turn), ACROSS @ pose[3:]])


def mirrored_poses(poses: np.ndarray) -> np.ndarray:
    """[18]: three poses."""
    return np.concatenate([mirrored_pose(pose) for pose in poses.reshape(3, 6)])


def mirrored_axes(axes: np.ndarray) -> np.ndarray:
    """[9]: the mirrored horizontal axes change names, since a mirrored frame is left-handed and
    sight must stay between them.
    """
    return (axes.reshape(3, 3) @ ACROSS)[[1, 0, 2]].ravel()


def mirrored_layout(layout: np.ndarray) -> np.ndarray:
    """[9]: centre and camera mirrored; the world's x axis stays the one nearest to sight, so that
    its y axis turns round and extents stay.
    """
    turn = np.diag([1.0, -1.0, 1.0]) @ rotation_from_euler(*layout[3:6]) @ ACROSS
    return np.concatenate([ACROSS @ layout[:3], euler_from_rotation(turn), layout[6:]])


CAMERAS = {
    "relative_pose": mirrored_pose,
    "egomotion": mirrored_poses,
    "vanishing_points": mirrored_axes,
    "room_layout": mirrored_layout,
}
