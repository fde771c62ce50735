"""Win rates: on which share of the test images each transfer beats each other one (paper, section
3.3; supplementary 15).
"""

from __future__ import annotations

import numpy as np

from models.tasks.arrays import Floats, Integers
from models.taxonomy.tournament.loss_rows import Losses, parts_of

# Comparisons held at once: a block of uint8 counters that stays in the second-level cache.
CACHE = 1 << 18
# How many images are transposed at a time.
TURNED = 255 * 16


def win_matrix(losses: Losses) -> Floats:
    """Returns the share of images on which the row's transfer has the lower loss than the column's:
    [transfer, transfer] float64 in [0, 1]. Ties count half. losses: [transfer, image].

    Image by image, the comparisons of a block of rows with all rows are added to byte counters that
    fit the cache; every 255 images the counters are added to integers and cleared. Memory: three
    matrices [transfer, transfer] and a bounded number of images. Raises ValueError for no transfers
    or no images.
    """
    count, images = losses.shape
    if not count or not images:
        raise ValueError(
            f"a tournament needs transfers and images, got {count} transfers on {images} images"
        )
    less = np.zeros((count, count), "int32")
    for _, part in parts_of(losses):
        for start in range(0, part.shape[1], TURNED):
            add_lower_counts(part[:, start : start + TURNED], less)
    ties = images - less - less.T
    return (less + ties / 2) / images


def add_lower_counts(losses: Floats, less: Integers) -> None:
    """Adds to `less` [transfer, transfer] the number of images in `losses` [transfer, image] on
    which the row is lower than the column.
    """
    # transposed, so that the losses of one image are contiguous; float32, as losses are stored
    turned = np.ascontiguousarray(np.asarray(losses, "float32").T)
    count = turned.shape[1]
    # blocks of rows whose counters stay in the cache
    height = max(1, min(count, CACHE // count))
    for start in range(0, count, height):
        rows = slice(start, min(start + height, count))
        less[rows] = less[rows] + lower_counts(turned, rows)


def lower_counts(losses: Floats, rows: slice) -> Integers:
    """Returns on how many images each of `rows` is strictly lower than each transfer: [rows,
    transfer] int32. losses: [image, transfer].
    """
    shape = (rows.stop - rows.start, losses.shape[1])
    # one byte for each pair counts to 255
    total = np.zeros(shape, "int32")
    counters = np.zeros(shape, "uint8")
    lower = np.empty(shape, bool)
    for number, image in enumerate(losses, 1):
        # writes into memory that is allocated already
        np.less(image[rows, None], image[None], out=lower)
        np.add(counters, lower.view("uint8"), out=counters)
        full = number % 255 == 0  # a byte more would overflow
        if full or number == len(losses):
            total += counters
            counters[:] = 0
    return total


def margins_of(losses: Floats, rows: slice) -> Integers:
    """Returns on how many images each of `rows` is lower minus on how many it is higher: [rows,
    transfers from the first of `rows` on] int32. losses: [image, transfer].
    """
    shape = (rows.stop - rows.start, losses.shape[1] - rows.start)
    total = np.zeros(shape, "int32")
    counters = np.zeros(shape, "int8")
    which = np.empty(shape, bool)
    for number, image in enumerate(losses, 1):
        own, others = image[rows, None], image[None, rows.start :]
        np.less(own, others, out=which)
        np.add(counters, which.view("int8"), out=counters)
        np.greater(own, others, out=which)
        np.subtract(counters, which.view("int8"), out=counters)
        # a signed byte counts to 127
        if number % 127 == 0 or number == len(losses):
            total += counters
            counters[:] = 0
    return total


def wins_over(losses: Floats, others: Floats) -> Floats:
    """Returns 1 where `losses` [...] are lower than `others`, 0.5 where they are equal, 0
    elsewhere.
    """
    return np.asarray((losses < others) + 0.5 * (losses == others))


def win_rate(losses: Losses, against: Floats) -> Floats:
    """Returns the share of images [transfer] on which each row of losses [transfer, image] beats
    `against` [image]; ties count half.
    """
    lower = np.zeros(len(losses), "int64")
    equal = np.zeros(len(losses), "int64")
    for some, part in parts_of(losses):
        lower += (part < against[some]).sum(1)
        equal += (part == against[some]).sum(1)
    images = losses.shape[1]
    return np.asarray(lower / images + equal / images / 2)
