"""Colour scales, numbers and legends."""

import numpy as np
import pytest

from serving.client.drawing import (
    beside,
    borders,
    colour_bar,
    coloured,
    overlay,
    palette,
    signed_colours,
    spelled,
    text,
)


def test_signed_scales_are_white_at_zero():
    assert (coloured(np.zeros((1, 1)), -2, 2, "signed") > 235).all()
    low, high = signed_colours()[0], signed_colours()[-1]
    assert low[2] > low[0] and high[0] > high[2]


def test_a_palette_has_no_two_colours_alike():
    assert len(np.unique(palette(17), axis=0)) == 17


@pytest.mark.parametrize(
    "number, span, words",
    [(0.00125, 0.005, "0.0013"), (2.5, 4.0, "2.50"), (1500.0, 4000, "1500"), (-1e-9, 2, "0.00")],
)
def test_marks_of_a_scale_can_be_told_apart(number, span, words):
    assert spelled(number, span) == words


@pytest.mark.parametrize("span", [1e-4, 0.03, 1.0, 7.0, 300.0])
def test_the_five_marks_of_any_scale_are_five_numbers(span):
    assert len({spelled(share * span, span) for share in np.linspace(0, 1, 5)}) == 5


def test_near_is_at_the_top_of_a_depth_scale_and_large_at_the_top_of_others():
    depth = colour_bar(1, 5, "depth", 320)
    heat = colour_bar(0, 1, "heat", 320)
    assert depth[10, 10, 0] > depth[10, 10, 2] and heat[10, 10].sum() > heat[300, 10].sum()


def test_panels_of_unequal_height_stand_at_the_top():
    row = beside([np.zeros((10, 4, 3), "uint8"), np.zeros((6, 4, 3), "uint8")])
    assert row.shape == (10, 14, 3) and (row[:6, -4:] == 0).all() and (row[6:, -4:] > 200).all()


def test_borders_lie_between_ids():
    ids = np.array([[0, 0, 1], [0, 0, 1], [2, 2, 2]])
    expected = [[0, 0, 1], [0, 0, 1], [1, 1, 1]]
    np.testing.assert_array_equal(borders(ids), np.array(expected, bool))


def test_long_words_are_made_smaller_before_they_are_cut():
    wide = text("nearly the same everywhere: 0.001 of at most 0.005", 320, 24)
    assert (wide[:, -4:] > 200).all(), "nothing is cut off"


def test_ids_of_eight_bits_take_the_colours_of_a_palette_of_256():
    ids = np.array([[0, 255]], "uint8")
    answer = overlay(np.zeros((1, 2, 3), "uint8"), ids, palette(256), strength=1.0)
    wide = overlay(np.zeros((1, 2, 3), "uint8"), ids.astype("int64"), palette(256), strength=1.0)
    np.testing.assert_array_equal(answer, wide)
