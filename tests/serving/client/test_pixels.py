"""Every mode that Pillow opens becomes what a person would see, in 8 bits."""

import numpy as np
import pytest
from PIL import Image

from serving.client.pixels import grey_range, rgb8

GREY = np.linspace(0, 255, 48).astype("uint8").reshape(6, 8)
COLOURS = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype="uint8")
ORIENTATION = 0x0112


def as_grey(value: np.ndarray) -> np.ndarray:
    assert value.dtype == np.uint8 and value.shape == (6, 8, 3)
    assert (value == value[..., :1]).all()
    return value[..., 0]


@pytest.mark.parametrize(
    "wide",
    [
        Image.fromarray(GREY.astype("uint16") * 257),
        Image.fromarray(GREY.astype("float32") / 255),
        Image.fromarray(GREY.astype("float32")),
        Image.fromarray(GREY.astype("float32") * 257),
        Image.fromarray(GREY.astype("int32")),
        Image.fromarray(GREY.astype("int32") * 257),
        Image.frombytes("I;16B", (8, 6), (GREY.astype(">u2") * 257).tobytes()),
        Image.frombytes("I;16L", (8, 6), (GREY.astype("<u2") * 257).tobytes()),
        Image.frombytes("I;16N", (8, 6), (GREY.astype("=u2") * 257).tobytes()),
    ],
    ids=lambda image: image.mode,
)
def test_wide_grey_is_the_grey_that_it_was_made_of(wide):
    picture = rgb8(wide)
    np.testing.assert_array_equal(as_grey(picture.value), GREY)
    assert "grey" in picture.note


def test_a_dark_16_bit_picture_stays_dark():
    """its range is the type's: stretching every picture would hide how it was exposed."""
    dark = Image.fromarray(np.full((6, 8), 6553, "uint16"))
    assert (rgb8(dark).value == 25).all()


@pytest.mark.parametrize(
    "values, expected",
    [
        ([0.0, 0.2, 1.0], (0, 1)),
        ([0.0, 200.0], (0, 255)),
        ([0.0, 100.0], (0, 255)),
        ([0.0, 0.5, 1.02], (0, 1.02)),
        ([0.0, 1.5, 2.0], (0, 2)),
        ([0.0, 1.0, 2.0], (0, 2)),
        ([0.5, 120.7, 250.3], (0, 255)),
        ([0.0, 4095.0], (0, 4095)),
        ([0.0, 30000.0], (0, 65535)),
        ([0.0], (0, 1)),
        ([-2.0, 2.0], (-2, 2)),
        ([0.0, 1e6], (0, 1e6)),
        ([np.nan, 0.5, np.inf], (0, 1)),
        ([np.nan], (0, 1)),
    ],
)
def test_floats_take_the_usual_range_that_they_fill(values, expected):
    assert grey_range(np.array(values, "float32")) == pytest.approx(expected)


def test_highlights_do_not_make_the_rest_black():
    """as of an HDR picture: a thousand pixels up to 0.8 and one lamp."""
    values = np.linspace(0, 0.8, 48 * 30, dtype="float32").reshape(30, 48)
    values[0, 0] = 5000.0
    picture = rgb8(Image.fromarray(values))
    assert grey_range(values) == (0, 1) and 190 < picture.value.max(axis=-1)[-1].mean() < 210
    assert picture.note.endswith("1 white, and what is brighter, up to 5000, too")
    assert grey_range(values * 100) == pytest.approx((0, 79.3), abs=0.3)


@pytest.mark.parametrize("most", [1.0, 1.02, 2.0, 255.0, 65535.0])
def test_no_ramp_is_sent_black(most):
    ramp = (np.arange(48, dtype="float32") / 47 * most).reshape(6, 8)
    assert as_grey(rgb8(Image.fromarray(ramp)).value).mean() == pytest.approx(127.5, abs=1)


def test_whole_numbers_of_32_bits_that_are_few_are_stretched():
    assert grey_range(np.array([0, 1, 2], "int32")) == (0, 2)
    assert grey_range(np.array([0, 0], "int32")) == (0, 255)


def test_what_is_no_number_is_black():
    values = GREY.astype("float32") / 255
    values[2, 3] = np.nan
    assert as_grey(rgb8(Image.fromarray(values)).value)[2, 3] == 0


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBX", "CMYK", "YCbCr", "HSV"])
def test_plain_modes_are_converted_without_a_word(mode):
    image = Image.fromarray(COLOURS).convert(mode)
    picture = rgb8(image)
    np.testing.assert_array_equal(picture.value, np.asarray(image.convert("RGB")))
    assert picture.note == ""


@pytest.mark.parametrize("mode", ["LA", "RGBA", "PA", "La", "RGBa"])
def test_an_opaque_alpha_changes_nothing(mode):
    opaque = Image.fromarray(np.dstack([GREY] * 3 + [np.full_like(GREY, 255)]))
    grey = opaque.convert("LA")
    image = {
        "LA": grey,
        "RGBA": opaque,
        "PA": Image.fromarray(GREY).convert("P").convert("PA"),
        "La": grey.convert("La"),
        "RGBa": opaque.convert("RGBa"),
    }[mode]
    picture = rgb8(image)
    np.testing.assert_array_equal(as_grey(picture.value), GREY)
    assert picture.note == ""


def test_what_is_transparent_is_white_paper():
    layers = np.dstack([COLOURS, np.full((6, 8), 255, "uint8")])
    layers[0, 0] = (10, 20, 30, 0)
    layers[0, 1] = (0, 0, 0, 128)
    picture = rgb8(Image.fromarray(layers))
    assert picture.value[0, 0].tolist() == [255, 255, 255] and "transparent" in picture.note
    assert abs(int(picture.value[0, 1, 0]) - 127) <= 1
    np.testing.assert_array_equal(picture.value[1:], COLOURS[1:])


def test_a_palette_with_a_transparent_colour_shows_paper_there():
    image = Image.fromarray(GREY).convert("P")
    image.info["transparency"] = 0
    pixels = as_grey(rgb8(image).value)
    assert pixels[0, 0] == 255 and (pixels[1:] == GREY[1:]).all()


def test_lab_goes_through_profiles():
    lab = np.zeros((6, 8, 3), "uint8")
    lab[..., 0] = 255
    image = Image.frombytes("LAB", (8, 6), lab.tobytes())
    assert (rgb8(image).value > 250).all()


@pytest.mark.parametrize(
    "orientation, turned",
    [
        (1, lambda x: x),
        (2, np.fliplr),
        (3, lambda x: np.rot90(x, 2)),
        (4, np.flipud),
        (5, lambda x: np.rot90(np.fliplr(x))),
        (6, lambda x: np.rot90(x, -1)),
        (7, lambda x: np.rot90(np.fliplr(x), -1)),
        (8, np.rot90),
    ],
)
def test_every_exif_orientation_is_turned_upright(orientation, turned):
    image = Image.fromarray(COLOURS)
    image.getexif()[ORIENTATION] = orientation
    np.testing.assert_array_equal(rgb8(image).value, turned(COLOURS))
