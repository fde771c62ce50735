"""Codes of different widths as blocks of one."""

import numpy as np

from models.networks.transfers.gradient.channel_blocks import of_one_width

WIDTHS = (8, 32, 12, 8)


def maps(source: int, split: str) -> np.ndarray:
    rng = np.random.default_rng(source)
    return rng.normal(size=(3, 2, 2, WIDTHS[source])).astype("float32")


def test_sources_of_one_width_stay_as_they_are():
    slots = np.array([[0, 3], [3, 0]])
    same_maps, same_slots = of_one_width(maps, slots)
    assert same_maps is maps and same_slots is slots


def test_blocks_side_by_side_are_the_whole_codes_of_every_member():
    slots = np.array([[1, 0], [1, 3]])
    blocks, places = of_one_width(maps, slots)
    assert places.shape == (2, 5)
    for member, own in zip(slots, places):
        whole = np.concatenate([maps(source, "test") for source in member], -1)
        codes = np.concatenate([blocks(place, "test") for place in own], -1)
        np.testing.assert_array_equal(codes, whole)


def test_blocks_are_as_wide_as_divides_all():
    blocks, places = of_one_width(maps, np.array([[0, 2]]))
    assert places.shape == (1, 5) and blocks(4, "val").shape == (3, 2, 2, 4)
