"""More samples than there are views: mirrored pictures with mirrored labels, other light, other shuffles of the jigsaw. Ours: the paper augments nothing.

A few hundred views teach a short schedule by heart otherwise. Everything is drawn from the generator given, so that a step's batch is the same again.
"""

from __future__ import annotations

import numpy as np

from models.tasks import Task
from models.tasks.mirror import mirrored

LIGHT = 0.25  # deviation of the logarithms of gain and gamma; half of it for each colour's own gain


def augmented(
    task: Task, images: np.ndarray, target: np.ndarray, mask: np.ndarray, whitening: tuple, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """uint8 [B, k, S, S, 3], target and mask of a batch -> the same shapes. whitening: mean and deviation of the target's whitening (0, 1 without)."""
    if task.input == "tiles":
        target = np.eye(target.shape[-1], dtype="float32")[rng.integers(target.shape[-1], size=len(target))]
    if task.flip != "none":
        images, target, mask = images.copy(), target.copy(), mask.copy()
        for i in np.flatnonzero(rng.random(len(images)) < 0.5):
            images[i] = images[i, :, :, ::-1]
            target[i] = (mirrored(task, target[i] * whitening[1] + whitening[0]) - whitening[0]) / whitening[1]
            mask[i] = mask[i, :, ::-1] if mask.ndim == 4 else mask[i]
    return images if task.colours else relit(images, rng), target, mask


def relit(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """uint8 [B, k, S, S, 3] under another exposure, white balance and gamma, drawn for every view."""
    shape = (*images.shape[:2], 1, 1)
    gain = np.exp(rng.normal(0, LIGHT, (*shape, 1)) + rng.normal(0, LIGHT / 2, (*shape, 3)))
    gamma = np.exp(rng.normal(0, LIGHT, (*shape, 1)))
    levels = np.arange(256)[:, None] / 255
    curve = (np.clip(levels * gain.reshape(-1, 1, 3), 0, 1) ** gamma.reshape(-1, 1, 1) * 255 + 0.5).astype("uint8")  # [B k, 256, 3]
    flat = images.reshape(-1, *images.shape[2:])
    return np.stack([np.stack([table[:, c][picture[..., c]] for c in range(3)], -1) for table, picture in zip(curve, flat)]).reshape(images.shape)
