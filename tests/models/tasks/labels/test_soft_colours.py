"""The label of colorization is that of the formula, to the bit."""

import numpy as np
import pytest

from models.tasks.labels.block_kernels import (
    cells_of_row,
    choose_tenth,
    growths,
    roots_of_light,
)
from models.tasks.labels.colour_neighbours import CELLS, REACH, neighbours
from models.tasks.labels.colours import BINS, NEIGHBOURS, STEP, lattice, rgb_to_lab, soft_encoding
from models.tasks.labels.label_kernels import MARGIN, copy_past_caches, round_to_halves, widen
from models.tasks.labels.soft_colours import SoftColours
from models.tasks.labels.sparse_shares import sparse

RNG = np.random.default_rng(0)


def by_formula(pixels, side):
    """Returns the label [side, side, 313] float16 of the means of blocks, bin by bin."""
    blocks = pixels[: 4 * side, : 4 * side].astype(int).reshape(side, 4, side, 4, 3).sum((1, 3))
    return soft_encoding(rgb_to_lab(blocks / 16 / 255)[..., 1:]).astype("float16")


def photograph(side):
    """Returns smooth colours with noise, uint8 [4 side, 4 side, 3]."""
    y, x = np.mgrid[: 4 * side, : 4 * side] / (4 * side)
    base = np.stack([np.sin(5 * x + y), np.cos(3 * y), np.sin(4 * x * y + 1)], -1) * 60 + 120
    return np.clip(base + RNG.normal(0, 6, base.shape), 0, 255).astype("uint8")


def blocks_of_any_colour(side):
    """Returns blocks of one colour each, among them the corners of the gamut and greys."""
    colours = RNG.integers(0, 256, (side, side, 3))
    corners = np.stack(np.meshgrid(*[[0, 128, 255]] * 3), -1).reshape(-1, 3)
    colours.reshape(-1, 3)[: len(corners)] = corners
    return np.repeat(np.repeat(colours, 4, 0), 4, 1).astype("uint8")


@pytest.mark.parametrize("side", [64, 24, 13])  # whole runs of blocks, broken ones, odd rows
@pytest.mark.parametrize("picture", [photograph, blocks_of_any_colour])
def test_halves_are_those_of_the_formula_to_the_bit(picture, side):
    pixels = picture(side)
    halves = np.full((side, side, BINS), np.nan, "float16")
    SoftColours(pixels, side).write_half(halves)
    np.testing.assert_array_equal(halves.view("uint16"), by_formula(pixels, side).view("uint16"))


@pytest.mark.parametrize("side", [64, 24, 13])
@pytest.mark.parametrize("picture", [photograph, blocks_of_any_colour])
def test_the_sparse_form_is_that_of_the_halves_to_the_bit(picture, side):
    pixels = picture(side)
    form = np.full((side, side, 2 * NEIGHBOURS), np.nan, "float16")
    SoftColours(pixels, side).write_half(form)
    expected = sparse(by_formula(pixels, side), NEIGHBOURS)
    np.testing.assert_array_equal(form.view("uint16"), expected.view("uint16"))


def test_a_label_that_begins_anywhere_in_memory_is_the_same():
    pixels = photograph(16)
    memory = np.zeros(16 * 16 * BINS + 8, "float16")
    for start in range(8):
        halves = memory[start : start + 16 * 16 * BINS].reshape(16, 16, BINS)
        SoftColours(pixels, 16).write_half(halves)
        np.testing.assert_array_equal(halves, by_formula(pixels, 16))


def test_a_border_of_the_picture_is_left_and_any_order_of_memory_is_read():
    pixels = photograph(17)
    expected = by_formula(pixels, 16)
    for form in (pixels, np.asfortranarray(pixels), pixels[:, :66]):
        np.testing.assert_array_equal(SoftColours(form, 16).single(), expected.astype("float32"))


def test_black_whose_tenth_bin_is_one_of_four_has_that_of_the_plain_search():
    pixels = np.zeros((64, 64, 3), "uint8")
    np.testing.assert_array_equal(SoftColours(pixels, 16).single(), by_formula(pixels, 16))


def test_nine_bins_and_one_of_three_are_the_ten_nearest():
    steps = RNG.uniform(-0.5, 0.5, (2, 4000))
    tenth, margin = np.empty((2, 4000))
    choose_tenth(steps, tenth, margin)
    roots = np.zeros((3, 4000))  # of which a and b are steps, in the cell of (0, 0)
    roots[0], roots[2] = steps[0] * STEP / 500, -steps[1] * STEP / 200
    ab, again, cell = np.empty((2, 4000)), np.empty((2, 4000)), np.empty(4000, "int32")
    cells_of_row(roots.reshape(-1), ab, again, cell)
    np.testing.assert_allclose(again, steps, atol=1e-12)
    distance = np.linalg.norm(lattice()[:, None] - steps.T, axis=-1)
    expected = np.sort(np.argsort(distance, 0)[:10], 0).T
    index = neighbours().index[cell]
    square = (index[:, :3, None] + np.arange(3)).reshape(-1, 9)
    chosen = np.take_along_axis(index, 4 + tenth.astype(int)[:, None], 1)
    for nine, corner, far, last, ten in zip(
        square, index[:, 4], index[:, 3], chosen[:, 0], expected
    ):
        assert sorted({*nine} - {corner} | {far, last}) == ten.tolist()
    assert (margin > MARGIN).all()


def test_two_centres_at_one_distance_leave_no_margin():
    steps = np.array([[0, 0.3, 0.2, -0.2, 0.5, 0.25], [0, 0, 0.2, 0.2, 0.1, 0.25]])
    tenth, margin = np.empty((2, 6))
    choose_tenth(steps, tenth, margin)
    assert (margin <= 0).all()


def test_three_numbers_of_a_word_are_neighbours_and_the_fourth_is_a_bin():
    table = neighbours()
    first = table.index[table.complete][:, :3]
    assert first.max() + 4 <= BINS and table.complete.any() and not table.complete.all()
    assert (lattice()[first + 2] - lattice()[first] == [0, 2]).all()


def test_every_colour_has_a_cell():
    levels = np.linspace(0, 1, 33)
    cube = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(-1, 3)
    point = np.round(rgb_to_lab(cube)[:, 1:] / STEP) + REACH
    assert point.min() >= 2 and point.max() < CELLS - 2


def test_roots_and_growths_are_exact_to_the_last_digits():
    light = np.linspace(0, 1, 3000).reshape(3, 1000)
    roots, ratio, single = np.empty(3000), np.empty(3000), np.empty(3000, "float32")
    roots_of_light(light, np.eye(3), ratio, single, roots)
    x = light.ravel()
    expected = np.where(x > 0.008856, np.cbrt(x), 7.787 * x + 16 / 116)
    np.testing.assert_allclose(roots, expected, rtol=2e-15)
    steps, growth = np.linspace(-0.5, 0.5, 1001), np.empty(1001)
    growths(steps, growth)
    np.testing.assert_allclose(growth, np.exp(4 * steps), rtol=1e-14)


def test_every_half_is_widened_to_its_number_and_shares_are_rounded_as_by_numpy():
    every = np.arange(0x7C00, dtype="uint16")
    singles = np.empty(len(every), "float32")
    widen(every, singles)
    np.testing.assert_array_equal(singles, every.view("float16").astype("float32"))
    shares = np.concatenate([RNG.uniform(1e-4, 1, 5000), 2.0**-9 * (1 + np.arange(64) / 2048)])
    halves = np.empty(len(shares), "uint16")
    round_to_halves(shares.astype("float32"), halves)
    np.testing.assert_array_equal(halves, shares.astype("float32").astype("float16").view("uint16"))


def test_what_goes_past_the_caches_is_copied_whole_and_nothing_else():
    memory = np.zeros(5024, "uint16")
    # numpy's memory begins at a multiple of 16 bytes
    for start, count in [(0, 8), (8, 104), (8, 5008)]:
        memory[:] = 0
        source = RNG.integers(0, 1 << 16, count).astype("uint16")
        copy_past_caches(source, memory[start : start + count])
        np.testing.assert_array_equal(memory[start : start + count], source)
        assert not memory[:start].any() and not memory[start + count :].any()
