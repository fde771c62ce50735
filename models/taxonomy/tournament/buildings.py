"""The buildings that test images are of. Images of one building are alike: what is drawn again, or
cut in two, are buildings, wherever images know theirs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.tasks.arrays import Floats


def group_of(image: str, depth: int) -> str:
    """the first `depth` parts of a sample's name; of several views, those of the first."""
    # a sample of several views is named a+b, a view building/point/view
    return "/".join(image.split("+")[0].split("/")[:depth])


def buildings_of(images: Sequence[str]) -> list[str] | None:
    """[image] the building of each; None where a name tells none, or all tell the same: one
    building drawn again is always the same.
    """
    if not all("/" in image for image in images):
        return None
    names = [group_of(image, 1) for image in images]
    return names if len(set(names)) > 1 else None


def error_of_mean(values: Floats, buildings: Sequence[str]) -> float:
    """standard error of the mean of values [image], of whole buildings [image], two at least."""
    # of a ratio: sums of deviations vary with a building's size, too
    names, at = np.unique(buildings, return_inverse=True)
    sums = np.bincount(at, values - values.mean())
    return float(np.sqrt(len(names) / (len(names) - 1) * (sums**2).sum()) / len(values))
