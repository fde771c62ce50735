"""Images know their building by their name, or not; a mean's error is that of buildings."""

import numpy as np
import pytest

from models.taxonomy.tournament.buildings import buildings_of, error_of_mean, group_of


def test_a_sample_of_several_views_is_of_the_first_ones_building():
    name = "b/point_0/view_1+c/point_2/view_0"
    assert group_of(name, 1) == "b" and group_of(name, 2) == "b/point_0"


@pytest.mark.parametrize(
    ("images", "buildings"),
    [
        (["a/point_0/view_0", "b/point_0/view_0", "a/point_1/view_0"], ["a", "b", "a"]),
        (["a/point_0/view_0", "a/point_1/view_0"], None),  # a single one
        (["a/point_0/view_0", "i1"], None),
        (["i0", "i1"], None),
    ],
)
def test_buildings_are_told_apart_where_every_image_names_one_of_several(images, buildings):
    assert buildings_of(images) == buildings


def test_the_error_of_a_mean_is_that_of_independent_buildings():
    values = np.random.default_rng(0).random(30)
    each = [f"b{i}" for i in range(30)]
    alone = values.std(ddof=1) / np.sqrt(30)
    assert error_of_mean(values, each) == pytest.approx(alone)
    # five images that are all alike say no more than one
    assert error_of_mean(np.repeat(values, 5), np.repeat(each, 5)) == pytest.approx(alone)
