"""What a network sees: uint8 images made into its training input (numpy, with the task's own
damage), and the clean form used afterwards (keras.ops).
"""

from __future__ import annotations

import cv2
import numpy as np

from models.networks.tensors import Tensor
from models.tasks import Task
from models.tasks.arrays import Array, Bytes, Floats, Integers
from models.tasks.labels.permutations import JIGSAW_PERMUTATIONS, permutation_set

NOISE = 0.1  # standard deviation in [0, 1] units: variance 0.01 (load_ops.add_gaussian_noise)


def training_input(
    task: Task, images: Bytes, target: Array, rng: np.random.Generator, tile: int
) -> Floats:
    """uint8 [B, k, S, S, 3] -> float32 [B, S, S, C], or [B, k, S, S, C] for several views, or [B,
    9, tile, tile, 3] for jigsaw; values in [-1, 1]. target: read by jigsaw, whose label says how
    the tiles lie; tile: their side in pixels.
    """
    if task.input == "lightness":
        from models.networks.training.lightness import lightness_of  # here: numba

        value = lightness_of(images)
    else:
        value = centred(images)
    if task.input == "noisy":
        # [-1, 1] is twice as wide as the [0, 1] that the deviation is of
        # drawn in float32, in two thirds of the time
        noise = rng.standard_normal(value.shape, "float32")
        noise *= 2 * NOISE
        value += noise
        np.clip(value, -1, 1, out=value)
    elif task.input == "holed":
        side = value.shape[2]
        # 0 is mid-grey here; a quarter of the picture
        value[:, :, side // 4 : side * 3 // 4, side // 4 : side * 3 // 4] = 0
    elif task.input == "tiles":
        return tiles(value[:, 0], target.argmax(-1), rng, tile)
    return value[:, 0] if task.images == 1 else value


def centred(images: Bytes) -> Floats:
    """Returns uint8 [...] as float32 in [-1, 1]."""
    # in place: a fresh array of a batch costs as much as the sum
    value = images.astype("float32")
    value /= 127.5
    value -= 1
    return value


def lightness(image: Tensor) -> Tensor:
    """Converts sRGB [0, 1] [..., 3] to CIE L/100 as [-1, 1], [..., 1]."""
    return lightness_at(luminance(linear(image)))


def linear(image: Tensor) -> Tensor:
    """Converts sRGB [0, 1] to light, the display's gamma undone (IEC 61966-2-1)."""
    from keras import ops

    # both branches are computed, and a power of a negative number is NaN, in gradients too
    return ops.where(
        image > 0.04045, ops.power((ops.maximum(image, 0.0) + 0.055) / 1.055, 2.4), image / 12.92
    )


def luminance(light: Tensor) -> Tensor:
    """Converts light [..., 3] to CIE Y, [..., 1]; takes numpy's arrays, too."""
    return 0.212671 * light[..., 0:1] + 0.715160 * light[..., 1:2] + 0.072169 * light[..., 2:3]


def lightness_at(brightness: Tensor) -> Tensor:
    """Converts CIE Y to CIE L/100 as [-1, 1]."""
    from keras import ops

    root = ops.where(
        brightness > 0.008856,
        ops.power(ops.maximum(brightness, 1e-6), 1 / 3),
        7.787 * brightness + 16 / 116,
    )
    return (116 * root - 16) / 50 - 1


def tiles(value: Floats, label: Integers, rng: np.random.Generator, side: int) -> Floats:
    """Cuts [B, S, S, 3] into [B, 9, side, side, 3]: 3 x 3 cells, cropped to 90 % at a random place,
    resized, in the order of the permutation `label`.
    """
    order = permutation_set(JIGSAW_PERMUTATIONS)
    cell = value.shape[1] // 3
    crop = int(0.9 * cell)
    cut = np.empty((len(value), 9, side, side, 3), "float32")
    for i, image in enumerate(value):
        for slot, place in enumerate(order[label[i]]):
            y = place // 3 * cell + rng.integers(cell - crop + 1)
            x = place % 3 * cell + rng.integers(cell - crop + 1)
            cut[i, slot] = cv2.resize(image[y : y + crop, x : x + crop], (side, side))
    return cut


def encoder_input(task: Task, image01: Tensor) -> Tensor:
    """Converts a clean image [B, S, S, 3] in [0, 1] to what the task's encoder takes, [B, S, S, C]
    in [-1, 1], by keras.ops.
    """
    return lightness(image01) if task.input == "lightness" else image01 * 2 - 1
