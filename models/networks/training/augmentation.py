"""More samples than there are views: mirrored pictures with mirrored labels, moved ones with
classes, views in reverse order, other light, other jigsaws.

Ours: the paper augments nothing. A few hundred views teach a short schedule by heart otherwise.
Everything is drawn from the generator given, so that a step's batch is the same again.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from models.tasks import Task
from models.tasks.arrays import Array, Bytes, Floats
from models.tasks.labels.cameras import euler_from_rotation
from models.tasks.mirror import mirrored
from models.tasks.view import rotation_from_euler

SHIFT = 0.1  # of the side, at most, that pictures with a class are moved by
# Mean and deviation of a target's whitening, [channels] or a number each; (0, 1) without one.
Whitening = tuple[Array, Array]
LIGHT = 0.25  # deviation of the logarithms of gain and gamma; half of it for each colour's own gain


def augmented(
    task: Task,
    images: Bytes,
    target: Floats,
    mask: Floats,
    whitening: Whitening,
    rng: np.random.Generator,
) -> tuple[Bytes, Floats, Floats]:
    """(images, target, mask) of a batch, changed; images uint8 [B, k, S, S, 3], target and mask
    float32 as in the label store. Shapes stay.
    """
    images = images.copy()
    target = target.copy()
    mask = mask.copy()
    if task.input == "tiles":
        orders = rng.integers(target.shape[-1], size=len(target))
        target = np.eye(target.shape[-1], dtype="float32")[orders]
    if task.flip != "none":
        for i in np.flatnonzero(rng.random(len(images)) < 0.5):
            images[i] = images[i, :, :, ::-1]
            target[i] = unwhitened(mirrored, task, target[i], whitening)
            mask[i] = mask[i, :, ::-1] if mask.ndim == 4 else mask[i]
    if task.make in REVERSED:
        for i in np.flatnonzero(rng.random(len(images)) < 0.5):
            images[i] = images[i, ::-1]
            target[i] = unwhitened(reversed_views, task, target[i], whitening)
    if task.output.kind == "classes" and task.input != "tiles":
        images = shifted(images, rng)
    return images if task.colours else relit(images, rng), target, mask


def unwhitened(
    change: Callable[[Task, Floats], Floats], task: Task, target: Floats, whitening: Whitening
) -> Floats:
    """change(task, target) of a whitened target, whitened again."""
    mean, deviation = whitening
    return (change(task, target * deviation + mean) - mean) / deviation


def reversed_views(task: Task, target: Floats) -> Floats:
    """the target of the same sample with its views in reverse order; not whitened."""
    return REVERSED[task.make](target)


def inverse_pose(pose: Floats) -> Floats:
    """[6]: pose of the second camera in the frame of the first, from that of the first in the
    second's: R^T and -R^T t.
    """
    back = rotation_from_euler(*pose[:3]).T
    return np.concatenate([euler_from_rotation(back), -back @ pose[3:]])


def inverse_poses(poses: Floats) -> Floats:
    """[18]: poses 1-2, 1-3, 2-3 of three views -> those of the views called 3, 2, 1."""
    return np.concatenate([inverse_pose(pose) for pose in poses.reshape(3, 6)[::-1]])


def unchanged(target: Floats) -> Floats:
    return target


# What reversing the views of a sample does to its target, by the task's target function. Targets
# that are not here are of one view.
REVERSED: dict[str, Callable[[Floats], Floats]] = {
    "relative_pose": inverse_pose,
    "egomotion": inverse_poses,
    "same_point": unchanged,
}


def shifted(images: Bytes, rng: np.random.Generator) -> Bytes:
    """uint8 [B, k, S, S, 3], each sample moved sideways and up or down; what comes in at the border
    is its mirror image. A room is the same room then.
    """
    size = images.shape[2]
    most = round(size * SHIFT)
    if not most:
        return images
    padded = np.pad(images, ((0, 0), (0, 0), (most, most), (most, most), (0, 0)), mode="reflect")
    corners = rng.integers(2 * most + 1, size=(len(images), 2))
    return np.stack(
        [sample[:, y : y + size, x : x + size] for sample, (y, x) in zip(padded, corners)]
    )


def relit(images: Bytes, rng: np.random.Generator) -> Bytes:
    """uint8 [B, k, S, S, 3] under another exposure, white balance and gamma, drawn for every
    sample: its views keep one light, by which they may be told.
    """
    shape = (len(images), 1, 1)
    gain = np.exp(rng.normal(0, LIGHT, (*shape, 1)) + rng.normal(0, LIGHT / 2, (*shape, 3)))
    gamma = np.exp(rng.normal(0, LIGHT, (*shape, 1)))
    # By look-up: a table of 256 levels a sample and colour, [B, 256, 3], costs less than powers.
    levels = np.arange(256)[:, None] / 255
    lit = np.clip(levels * gain.reshape(-1, 1, 3), 0, 1) ** gamma.reshape(-1, 1, 1)
    curves = (lit * 255 + 0.5).astype("uint8")
    return np.stack([looked_up(views, table) for views, table in zip(images, curves)])


def looked_up(views: Bytes, table: Bytes) -> Bytes:
    """uint8 [..., 3] with every colour's level replaced by its row of table [256, 3]."""
    return np.stack([table[:, c][views[..., c]] for c in range(3)], -1)
