"""The graph's pictures are the training's pictures, and a file that would unpack to gigabytes is
refused by its header.
"""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tiny_bundle import bomb

from models.examples.resize import resized
from models.tasks import DOMAINS
from serving.bundle.decoding import LARGEST_SIDE, decode

SIZE = 32


def encoded(pixels: np.ndarray, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def pixels(height: int, width: int, channels: int = 3) -> np.ndarray:
    return (
        np.random.default_rng(height * width)
        .integers(0, 256, (height, width, channels), dtype="uint8")
        .squeeze()
    )


@pytest.fixture(scope="module")
def decoder():
    return tf.function(
        lambda texts: decode(texts, SIZE, 1), input_signature=[tf.TensorSpec([None], tf.string)]
    )


@pytest.mark.parametrize("side", [32, 48, 64, 96, 100, 128, 512])
def test_a_larger_picture_becomes_exactly_the_training_image(decoder, side):
    picture = pixels(side, side)
    made = decoder([encoded(picture)]).numpy()[0]
    np.testing.assert_array_equal(np.rint(made * 255), resized(picture, DOMAINS["rgb"], SIZE))


def test_a_smaller_picture_is_enlarged_to_within_one_code(decoder):
    picture = pixels(20, 20)
    made = decoder([encoded(picture)]).numpy()[0]
    assert np.abs(np.rint(made * 255) - resized(picture, DOMAINS["rgb"], SIZE)).max() <= 1


def test_a_jpeg_decodes_as_pillow_decodes_it(decoder):
    data = encoded(np.kron(pixels(8, 8), np.ones((8, 8, 1), "uint8")), "JPEG", quality=90)
    expected = resized(np.asarray(Image.open(io.BytesIO(data))), DOMAINS["rgb"], SIZE)
    assert np.abs(np.rint(decoder([data]).numpy()[0] * 255) - expected).max() <= 1


def test_a_wide_picture_is_cut_square_at_its_centre(decoder):
    picture = pixels(64, 100)
    made = decoder([encoded(picture)]).numpy()[0]
    np.testing.assert_array_equal(
        np.rint(made * 255), resized(np.ascontiguousarray(picture[:, 18:82]), DOMAINS["rgb"], SIZE)
    )


def test_grey_and_alpha_pictures_are_read(decoder):
    grey, alpha = pixels(32, 32, 1), pixels(32, 32, 4)
    made = np.rint(decoder([encoded(grey), encoded(alpha)]).numpy() * 255)
    np.testing.assert_array_equal(made[0], np.repeat(grey[..., None], 3, -1))
    np.testing.assert_array_equal(made[1], alpha[..., :3])


SOUND = encoded(pixels(32, 32))
REFUSED = {
    "bomb": (bomb(60_000, 60_000), "at most"),
    "just too wide": (bomb(LARGEST_SIDE + 1, 1), "at most"),
    "many small sides": (bomb(LARGEST_SIDE, LARGEST_SIDE), "at most"),
    "side of 32 bits": (bomb(2**31 + 5, 10), "at most"),
    "no pixels": (bomb(0, 5), "at most"),
    "text": (b"hello", "JPEG or PNG"),
    "nothing": (b"", "JPEG or PNG"),
    "gif": (encoded(pixels(32, 32), "GIF"), "JPEG or PNG"),
    "bmp": (encoded(pixels(32, 32), "BMP"), "JPEG or PNG"),
    "cut header": (SOUND[:20], "at most"),
    "cut pixels": (SOUND[:60], "Invalid PNG"),
    "cut jpeg": (encoded(pixels(32, 32), "JPEG")[:10], "Invalid JPEG"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_picture_of_bearable_size_is_refused(decoder, name):
    data, words = REFUSED[name]
    with pytest.raises(tf.errors.InvalidArgumentError, match=words):
        decoder([SOUND, data])


def test_a_bomb_is_refused_before_memory_is_taken(decoder):
    import resource

    decoder([SOUND])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(3):
        with pytest.raises(tf.errors.InvalidArgumentError):
            decoder([bomb(40_000, 40_000)])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10  # KiB
