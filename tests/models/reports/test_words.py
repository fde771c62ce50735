"""Numbers and names as a reader sees them."""

import pytest

from models.reports.words import (
    count,
    mean,
    number,
    plural,
    rate,
    sampled_units,
    share,
    title,
    titles,
)


@pytest.mark.parametrize(
    "said, words",
    [
        (rate(0.125), "0.12"),
        (rate(None), "not measured"),
        (rate(-0.0004), "0.00"),
        (share(-0.05), "-5 %"),
        (share(-0.001), "0 %"),
        (count(8294), "8,294"),
        (number(0.012345), "0.0123"),
        (number(None), ""),
        (number("text"), "text"),
        (plural(1, "task"), "1 task"),
        (plural(0, "task"), "0 tasks"),
        (title("normal"), "Surface normals"),
        (title("a stranger"), "a stranger (outside source)"),
        (title("rgb2sfnorm"), "rgb2sfnorm"),
        (titles(["edge2d", "edge3d", "reshade"]), "edge2d, edge3d and reshade"),
        (titles([]), ""),
        (sampled_units({"unit": "building", "units": 20}), "20 test buildings"),
        (sampled_units({"unit": "image", "units": 1393}), "1,393 test pictures"),
        (sampled_units({"solves": 9}), "test pictures"),
    ],
)
def test_a_value_is_said(said, words):
    assert said == words


def test_a_mean_of_something_unmeasured_is_not_measured():
    assert mean([0.5, None]) is None
    assert mean([]) is None
    assert mean([0.25, 0.75]) == 0.5
