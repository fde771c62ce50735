"""Files made fit to send, refused in words, or turned upright."""

import io

import numpy as np
import pytest
from PIL import Image
from tiny_bundle import bomb

from serving.bundle.decoding import LARGEST_SIDE
from serving.client.pictures import (
    ORIENTATION,
    SCALED_SIDE,
    PictureError,
    fit_to_send,
    fits,
    read_picture,
    scaled_size,
    taken_endings,
)

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype="uint8")
MIDDLE = "only the middle 6 x 6 of 9 x 6 pixels is looked at"


def saved(kind: str, image: Image.Image | None = None, **options) -> bytes:
    buffer = io.BytesIO()
    (image or Image.fromarray(PIXELS)).save(buffer, kind, **options)
    return buffer.getvalue()


def sent(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(fit_to_send(data).data)))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "MPO"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_an_upright_picture_is_sent_as_it_is(kind, mode):
    data = saved(kind, Image.fromarray(PIXELS).convert(mode))
    assert fit_to_send(data).data == data and fit_to_send(data).note == MIDDLE


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP"])
@pytest.mark.parametrize(
    "size, words",
    [
        ((64, 64), ""),
        ((100, 99), ""),
        ((1536, 512), "only the middle 512 x 512 of 1536 x 512 pixels is looked at"),
        ((48, 64), "only the middle 48 x 48 of 48 x 64 pixels is looked at"),
    ],
)
def test_what_is_not_looked_at_is_said(kind, size, words):
    assert fit_to_send(saved(kind, Image.new("RGB", size))).note == words


@pytest.mark.parametrize("kind", ["BMP", "GIF", "TIFF", "WEBP", "PPM", "TGA", "ICO", "JPEG2000"])
def test_other_formats_are_sent_as_png(kind):
    data = saved(kind, **({"sizes": [(9, 6)]} if kind == "ICO" else {}))
    picture = Image.open(io.BytesIO(fit_to_send(data).data))
    assert picture.format == "PNG" and picture.mode == "RGB" and picture.size == (9, 6)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_grey_is_no_white_sheet(kind):
    """after Pillow's issue 1108: a 16-bit file and its 8-bit twin are the same picture."""
    grey = np.linspace(20, 210, 54).astype("uint8").reshape(6, 9)
    data = saved(kind, Image.fromarray(grey.astype("uint16") * 257))
    np.testing.assert_array_equal(sent(data), np.repeat(grey[..., None], 3, -1))
    assert "16-bit grey" in fit_to_send(data).note


def test_an_inked_jpeg_is_sent_in_light():
    data = saved("JPEG", Image.fromarray(np.full((16, 16, 3), 200, "uint8")).convert("CMYK"))
    assert np.abs(sent(data).astype(int) - 200).max() < 4


def test_a_lying_photo_is_turned_upright():
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    data = saved("PNG", exif=exif)
    np.testing.assert_array_equal(sent(data), np.rot90(PIXELS, -1))
    assert fit_to_send(data).note == "only the middle 6 x 6 of 6 x 9 pixels is looked at"


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_what_the_server_would_refuse_for_its_size_is_scaled_down_with_a_word(kind):
    wide = np.zeros((40, LARGEST_SIDE + 8, 3), "uint8")
    wide[:, (LARGEST_SIDE + 8) // 2 :] = 255
    picture = fit_to_send(saved(kind, Image.fromarray(wide)))
    pixels = np.asarray(Image.open(io.BytesIO(picture.data)))
    first, second = picture.note.split("; ")
    assert first == f"scaled down from 8200 x 40 pixels to {SCALED_SIDE} x 19"
    assert second == f"only the middle 19 x 19 of {SCALED_SIDE} x 19 pixels is looked at"
    assert pixels.shape == (19, SCALED_SIDE, 3)
    assert (pixels[:, :2000] < 8).all() and (pixels[:, -2000:] > 247).all()


@pytest.mark.parametrize("size", [(9000, 6000), (8193, 1), (6000, 5800), (100_000, 2)])
def test_a_scaled_size_fits_and_keeps_its_proportions(size):
    assert not fits(size) and fits(scaled_size(size)) and min(scaled_size(size)) >= 1


@pytest.mark.parametrize("kind", ["TIFF", "PNG"])
def test_of_several_frames_the_first_is_asked_about(kind):
    frames = [Image.fromarray(PIXELS), Image.fromarray(255 - PIXELS)]
    data = saved(kind, frames[0], save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(sent(data), PIXELS)
    assert fit_to_send(data).note == f"the first of 2 frames; {MIDDLE}"


@pytest.mark.parametrize(
    "data, words",
    [
        (bomb(60_000, 60_000), "too large"),
        (bomb(9_000, 10), "damaged"),
        (b"hello", "no picture"),
        (b"", "no picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", "no picture"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 40, "HEIC, which Pillow does not read; save it as JPEG"),
    ],
)
def test_what_should_not_be_sent_is_refused_in_words(data, words):
    with pytest.raises(PictureError, match=words):
        fit_to_send(data)


def test_files_are_refused_with_their_name(tmp_path):
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_bytes(b"hello")
    for name in ("empty.png", "text.png", "missing.png"):
        with pytest.raises(PictureError, match=name):
            read_picture(tmp_path / name)


def test_heic_has_an_ending_that_is_known_and_eps_is_not_opened():
    assert {".heic", ".tif", ".webp", ".jpg", ".bmp"} <= taken_endings()
    assert not {".eps", ".pdf", ".txt", ".json"} & taken_endings()
