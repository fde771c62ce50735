"""More samples than there are views: mirrored pictures with mirrored labels, moved ones with
classes, views in reverse order, other light, other jigsaws.

Ours: the paper augments nothing. A few hundred views teach a short schedule by heart otherwise.
Everything is drawn from the generator given, so that a step's batch is the same again.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from models.tasks import Task
from models.tasks.arrays import Array, Bytes, Floats
from models.tasks.mirror import mirrored, reversed_views, turned

SHIFT = 0.1  # of the side, at most, that pictures with a class are moved by
# Mean and deviation of a target's whitening, [channels] or a number each; (0, 1) without one.
Whitening = tuple[Array, Array]
LIGHT = 0.25  # deviation of the logarithms of gain and gamma; half of it for each colour's own gain


def augment_batch(
    task: Task,
    images: Bytes,
    target: Floats,
    mask: Floats,
    whitening: Whitening,
    rng: np.random.Generator,
) -> tuple[Bytes, Floats, Floats]:
    """Returns (images, target, mask) of a batch, changed at random; images uint8 [B, k, S, S, 3],
    target and mask float32 as in the label store. Shapes stay.
    """
    images = images.copy()
    target = target.copy()
    mask = mask.copy()
    if task.input == "tiles":
        orders = rng.integers(target.shape[-1], size=len(target))
        target = np.eye(target.shape[-1], dtype="float32")[orders]
    if task.flip != "none":
        for i in np.flatnonzero(rng.random(len(images)) < 0.5):
            # views one below the other are one picture
            images[i] = turned(images[i].reshape(-1, *images.shape[3:])).reshape(images.shape[1:])
            target[i] = change_unwhitened(mirrored, task, target[i], whitening)
            mask[i] = turned(mask[i]) if mask.ndim == 4 else mask[i]
    if task.images > 1:
        for i in np.flatnonzero(rng.random(len(images)) < 0.5):
            images[i] = images[i, ::-1]
            target[i] = change_unwhitened(reversed_views, task, target[i], whitening)
    # the place of a tile is what a jigsaw asks for
    if task.output.facts.moves and task.input != "tiles":
        images = shift_pictures(images, rng)
    return images if task.colours else relight(images, rng), target, mask


def change_unwhitened(
    change: Callable[[Task, Floats], Floats], task: Task, target: Floats, whitening: Whitening
) -> Floats:
    """Returns change(task, target) where `change` takes unwhitened targets and `target` is
    whitened, as the result is.
    """
    if not task.whitened:
        return change(task, target)
    mean, deviation = whitening
    return (change(task, target * deviation + mean) - mean) / deviation


def shift_pictures(images: Bytes, rng: np.random.Generator) -> Bytes:
    """Moves each sample of uint8 [B, k, S, S, 3] sideways and up or down; what comes in at the
    border is its mirror image. A room is the same room then.
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


def relight(images: Bytes, rng: np.random.Generator) -> Bytes:
    """Returns uint8 [B, k, S, S, 3] under another exposure, white balance and gamma, drawn for
    every sample: all views of a sample keep one light, by which they may be recognised.
    """
    shape = (len(images), 1, 1)
    gain = np.exp(rng.normal(0, LIGHT, (*shape, 1)) + rng.normal(0, LIGHT / 2, (*shape, 3)))
    gamma = np.exp(rng.normal(0, LIGHT, (*shape, 1)))
    # By look-up: a table of 256 levels a sample and colour, [B, 256, 3], costs less than powers.
    levels = np.arange(256)[:, None] / 255
    lit = np.clip(levels * gain.reshape(-1, 1, 3), 0, 1) ** gamma.reshape(-1, 1, 1)
    curves = (lit * 255 + 0.5).astype("uint8")
    return np.stack([apply_tables(views, table) for views, table in zip(images, curves)])


def apply_tables(views: Bytes, table: Bytes) -> Bytes:
    """Replaces every colour's level in uint8 [k, S, S, 3] by its row of table [256, 3]."""
    # views one below the other are one picture
    return cv2.LUT(views.reshape(-1, *views.shape[2:]), table[None]).reshape(views.shape)
