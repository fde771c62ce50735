"""Tiles of a picture, cut and put back; colours of ids."""

import numpy as np

from models.networks.predictions.pictures import assemble_tiles, colours_of, cut_into_tiles


def test_tiles_in_their_order_are_the_picture():
    whole = np.random.default_rng(0).integers(0, 256, (12, 12, 3), dtype="uint8")
    np.testing.assert_array_equal(assemble_tiles(cut_into_tiles(whole, 3), range(9)), whole)


def test_a_tile_goes_where_it_is_told():
    tiles = [np.full((2, 2, 3), i, "uint8") for i in range(4)]
    whole = assemble_tiles(tiles, [3, 2, 1, 0])
    np.testing.assert_array_equal(whole[::2, ::2, 0], [[3, 2], [1, 0]])


def test_ids_of_eight_bits_have_the_colours_of_wide_ones():
    ids = np.array([0, 1, 255], "uint8")
    np.testing.assert_array_equal(colours_of(ids), colours_of(ids.astype("int64") + 256))
