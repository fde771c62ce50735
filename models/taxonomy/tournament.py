"""Win rates: who beats whom, on which share of the test images (paper, section 3.3; supplementary
15).
"""

from __future__ import annotations

import numpy as np

from models.tasks.arrays import Floats, Integers

# Comparisons held at once: a block of uint8 counters that stays in the second-level cache.
CACHE = 1 << 18


def win_matrix(losses: Floats) -> Floats:
    """losses [transfer, image] -> [transfer, transfer] float64 in [0, 1]: share of images on which
    row has the lower loss; ties are shared equally.

    Image by image, the comparisons of a block of rows with all are added to byte counters, which
    never leave the cache; every 255 images the counters are emptied into integers. Memory: two
    matrices [transfer, transfer], whatever the number of images.
    """
    # image by image below: each becomes one run of memory; float32, as losses are kept
    losses = np.ascontiguousarray(np.asarray(losses, "float32").T)
    images, count = losses.shape
    if not count or not images:
        raise ValueError(
            f"a tournament needs transfers and images, got {count} transfers on {images} images"
        )
    less = np.empty((count, count), "int32")
    # blocks of rows whose counters stay in the cache
    height = max(1, min(count, CACHE // count))
    for start in range(0, count, height):
        rows = slice(start, min(start + height, count))
        less[rows] = lower_counts(losses, rows)
    ties = images - less - less.T
    return (less + ties / 2) / images


def lower_counts(losses: Floats, rows: slice) -> Integers:
    """losses [image, transfer] -> [rows, transfer] int32: on how many images each of `rows` is
    strictly lower.
    """
    shape = (rows.stop - rows.start, losses.shape[1])
    # a byte a pair counts to 255
    total = np.zeros(shape, "int32")
    counters = np.zeros(shape, "uint8")
    lower = np.empty(shape, bool)
    for number, image in enumerate(losses, 1):
        # into memory that is there already
        np.less(image[rows, None], image[None], out=lower)
        np.add(counters, lower.view("uint8"), out=counters)
        full = number % 255 == 0  # a byte more would overflow
        if full or number == len(losses):
            total += counters
            counters[:] = 0
    return total


def win_rate(losses: Floats, against: Floats) -> Floats:
    """[transfer]: share of images on which each row of losses [transfer, image] beats `against`
    [image]; ties count half.
    """
    return (losses < against).mean(1) + (losses == against).mean(1) / 2
