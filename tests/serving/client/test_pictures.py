"""Files made fit to send, refused in words, or turned upright."""

import io

import numpy as np
import pytest
from PIL import Image
from tiny_bundle import bomb

from serving.client.pictures import ORIENTATION, PictureError, fit_to_send, read_picture

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype="uint8")


def saved(kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_an_upright_picture_is_sent_as_it_is(kind):
    assert fit_to_send(saved(kind)) == saved(kind)


@pytest.mark.parametrize("kind", ["BMP", "GIF", "TIFF", "WEBP"])
def test_other_formats_are_sent_as_png(kind):
    made = Image.open(io.BytesIO(fit_to_send(saved(kind))))
    assert made.format == "PNG" and made.size == (9, 6)


def test_a_lying_photo_is_turned_upright():
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    lying = saved("PNG", exif=exif)
    made = np.asarray(Image.open(io.BytesIO(fit_to_send(lying))))
    np.testing.assert_array_equal(made, np.rot90(PIXELS, -1))


@pytest.mark.parametrize(
    "data, words",
    [
        (bomb(60_000, 60_000), "at most|too large"),
        (bomb(9_000, 10), "at most"),
        (b"hello", "no picture"),
        (b"", "no picture"),
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
