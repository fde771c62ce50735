"""Finds the buildings that test images were taken in. Images of one building are alike, so
resampling and splitting work on whole buildings wherever the names of images tell them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.tasks.arrays import Floats


def group_of(image: str, depth: int) -> str:
    """Returns the first `depth` parts of a sample's name; for a sample of several views, those of
    the first view.
    """
    # a sample of several views is named a+b, a view building/point/view
    return "/".join(image.split("+")[0].split("/")[:depth])


def buildings_of(images: Sequence[str]) -> list[str] | None:
    """Returns the building of each image; None if a name tells no building, or if all images are of
    one building, because drawing one building again always gives the same.
    """
    if not all("/" in image for image in images):
        return None
    names = [group_of(image, 1) for image in images]
    return names if len(set(names)) > 1 else None


def error_of_mean(values: Floats, buildings: Sequence[str]) -> float:
    """Returns the standard error of the mean of `values` [image] if whole buildings are drawn.
    buildings: [image], at least two different ones.
    """
    # the error of a ratio, because buildings differ in their number of images, too
    names, at = np.unique(buildings, return_inverse=True)
    sums = np.bincount(at, values - values.mean())
    return float(np.sqrt(len(names) / (len(names) - 1) * (sums**2).sum()) / len(values))
