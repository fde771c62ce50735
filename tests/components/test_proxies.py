"""Targets of which few samples are there are measured without a prediction."""

import pytest

from components.proxies import Predictor


class Store:
    """`count` samples of every target and split."""

    def __init__(self, count):
        self.count = count

    def samples(self, target, split):
        return range(self.count)


@pytest.mark.parametrize(
    ("count", "images", "expected"), [(4, 8, True), (3, 8, False), (9, 3, False), (9, 4, True)]
)
def test_four_samples_that_are_looked_at_are_enough(tmp_path, count, images, expected):
    predictor = Predictor(Store(count), None, str(tmp_path), "val", images)
    assert predictor.predictable("nonfixated_pose") is expected
