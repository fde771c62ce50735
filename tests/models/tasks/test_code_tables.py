"""Maps by their codes are the maps that numpy makes of the same tables."""

import numpy as np
import pytest

from models.tasks.code_tables import Coded, CodeTable, every_code, hide

RNG = np.random.default_rng(0)
SIDE = 6


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("bits", [8, 16])
def test_every_pixel_is_its_codes_entry_rounded_once(bits, channels):
    table = RNG.normal(size=1 << bits)
    codes = RNG.integers(0, 1 << bits, (SIDE, SIDE, channels)).astype(f"uint{bits}")
    coded = Coded(codes if channels > 1 else codes[..., 0], CodeTable(table))
    expected = table.astype("float32")[codes]
    assert coded.single().dtype == np.float32
    np.testing.assert_array_equal(coded.single(), expected)
    halves = np.full(coded.shape, np.nan, "float16")
    coded.write_half(halves)
    assert halves.tobytes() == expected.astype("float16").tobytes()


@pytest.mark.parametrize("count", [1, 25, 1 << 17])
def test_halves_of_bytes_are_the_tables_however_many_there_are(count):
    every_pair = np.arange(1 << 16, dtype="uint16").view("uint8")
    codes = np.ascontiguousarray(every_pair[:count, None])
    table = CodeTable(RNG.normal(size=256))
    halves = np.empty((count, 1, 1), "float16")
    Coded(codes, table).write_half(halves)
    np.testing.assert_array_equal(halves[..., 0], table.single[0].astype("float16")[codes])


def test_channels_have_tables_of_their_own_and_others_are_left_out():
    tables = RNG.normal(size=(2, 256)).astype("float32")
    codes = RNG.integers(0, 256, (SIDE, SIDE, 3)).astype("uint8")
    coded = Coded(codes, CodeTable(*tables))
    expected = np.stack([tables[0][codes[..., 0]], tables[1][codes[..., 1]]], -1)
    np.testing.assert_array_equal(coded.single(), expected)
    halves = np.empty(coded.shape, "float16")
    coded.write_half(halves)
    np.testing.assert_array_equal(halves, expected.astype("float16"))


def test_a_mask_is_hidden_from_the_limit_on():
    codes = np.array([[3, 4], [5, 65535]], "uint16")
    halves = np.full((2, 2, 1), 0.5, "float16")
    hide(codes, 5, halves)
    assert halves[..., 0].tolist() == [[0.5, 0.5], [0, 0]]


def test_every_code_is_there_once():
    assert every_code(8).tolist() == list(range(256)) and len(every_code(16)) == 65536
