"""Segmentations of whole pictures."""

import itertools

import cv2
import numpy as np

from models.tasks.labels.regions import over_segmented
from models.tasks.labels.segments import normalised_cuts, segment_unsup2d


def test_cuts_join_regions_and_never_split_one():
    noise = np.random.default_rng(1).random((64, 64, 3)).astype("float32")
    image = cv2.GaussianBlur(noise, (0, 0), 3)
    regions, count = over_segmented(image, 5, 10)
    labels = normalised_cuts(regions, count, image * 255, 0.05, 10, 2.0)
    assert (
        len(set(zip(regions.ravel(), labels.ravel()))) == count
        and 1 <= len(np.unique(labels)) <= count
    )


def test_four_coloured_quarters_are_four_segments():
    picture = np.zeros((128, 128, 3), "uint8")
    for (i, j), colour in zip(
        itertools.product(range(2), range(2)),
        ([250, 20, 20], [20, 250, 20], [20, 20, 250], [230, 230, 20]),
    ):
        picture[64 * i : 64 * i + 64, 64 * j : 64 * j + 64] = colour
    found = segment_unsup2d(picture)
    assert len({found[20, 20], found[20, 100], found[100, 20], found[100, 100]}) == 4
    np.testing.assert_array_equal(found, segment_unsup2d(picture))
