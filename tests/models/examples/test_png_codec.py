"""Every form of PNG that the standard allows is read exactly as Pillow reads it, and what is no
whole picture is refused.
"""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from models.examples import png_codec
from models.examples.png_codec import CHANNELS, DEPTHS, GREY, PALETTE, RGB, RGB_ALPHA, PngError

SIDES = (13, 9)  # height, width: neither fills whole bytes nor whole blocks of interlacing
# Adam7: first column, first row, steps between columns, between rows (standard, section 8.2).
PASSES = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
FORMS = [
    (colour, depth, interlaced)
    for colour, depths in DEPTHS.items()
    for depth in depths
    for interlaced in (False, True)
]
RNG = np.random.default_rng(0)


def chunk(kind: bytes, content: bytes) -> bytes:
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def packed(samples: np.ndarray, depth: int) -> np.ndarray:
    """bytes of the rows of [height, width, channels] samples."""
    rows = samples.reshape(len(samples), -1)
    if depth == 16:
        return rows.astype(">u2").view("uint8").reshape(len(rows), -1)
    bits = (rows[..., None] >> np.arange(depth - 1, -1, -1)) & 1
    return np.packbits(bits.reshape(len(rows), -1).astype("uint8"), axis=1)


def filtered(rows: np.ndarray, step: int, kinds) -> bytes:
    """the rows under the five filters in turn, byte by byte as the standard writes them."""
    lines, above = b"", [0] * rows.shape[1]
    for number, row in enumerate(rows.tolist()):
        kind = kinds[number % len(kinds)]
        line = []
        for i, value in enumerate(row):
            left = row[i - step] if i >= step else 0
            corner = above[i - step] if i >= step else 0
            nearest = min(
                (left, above[i], corner), key=lambda guess: abs(left + above[i] - corner - guess)
            )
            guess = (0, left, above[i], (left + above[i]) // 2, nearest)[kind]
            line.append((value - guess) % 256)
        lines += bytes([kind, *line])
        above = row
    return lines


def written(samples, depth, colour, interlaced=False, kinds=(0, 1, 2, 3, 4), extra=b"") -> bytes:
    """a PNG file of [height, width, channels] samples, by the letter of the standard."""
    height, width = samples.shape[:2]
    step = max(1, CHANNELS[colour] * depth // 8)
    raw = b""
    for x, y, across, down in PASSES if interlaced else ((0, 0, 1, 1),):
        part = samples[y::down, x::across]
        if part.size:
            raw += filtered(packed(part, depth), step, kinds)
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    data = zlib.compress(raw)
    cut = len(data) // 2  # pixel data may be spread over several chunks
    parts = chunk(b"IDAT", data[:cut]) + chunk(b"IDAT", data[cut:])
    return png_codec.SIGNATURE + chunk(b"IHDR", header) + extra + parts + chunk(b"IEND", b"")


def pillow(data: bytes) -> np.ndarray:
    """what Pillow reads, palettes and transparent colours spelled out."""
    picture = Image.open(io.BytesIO(data))
    transparent = "transparency" in picture.info
    mode = {"P": "RGB", "1": "L"}.get(picture.mode, picture.mode)
    if transparent:
        mode = {"L": "LA"}.get(mode, "RGBA")
    return np.asarray(picture.convert(mode))


def drawn(colour: int, depth: int) -> tuple[np.ndarray, bytes]:
    """(random samples, PLTE chunk if the colour type has one)."""
    samples = RNG.integers(0, 2**depth, (*SIDES, CHANNELS[colour]))
    palette = RNG.integers(0, 256, (2**depth, 3), dtype="uint8").tobytes()
    return samples, chunk(b"PLTE", palette) if colour == PALETTE else b""


@pytest.mark.parametrize("colour, depth, interlaced", FORMS)
def test_every_form_is_read_as_pillow_reads_it(colour, depth, interlaced):
    samples, palette = drawn(colour, depth)
    data = written(samples, depth, colour, interlaced, extra=palette)
    pixels = png_codec.decode(data)
    if depth == 16 and colour != GREY:  # Pillow keeps the high byte alone
        assert pixels.dtype == np.uint16
        np.testing.assert_array_equal(pixels, samples)
        expected = pillow(data)
        high = (pixels >> 8).astype("uint8")
        np.testing.assert_array_equal(high, expected[..., [0, 3]] if colour == 4 else expected)
    else:
        np.testing.assert_array_equal(pixels, pillow(data))
        assert pixels.dtype == (np.uint16 if depth == 16 else np.uint8)


@pytest.mark.parametrize("kind", range(5))
@pytest.mark.parametrize("colour, depth", [(GREY, 8), (GREY, 16), (RGB, 8), (RGB_ALPHA, 16)])
def test_every_filter_is_undone(colour, depth, kind):
    samples, _ = drawn(colour, depth)
    pixels = png_codec.decode(written(samples, depth, colour, kinds=(kind,)))
    np.testing.assert_array_equal(pixels.reshape(samples.shape), samples)


@pytest.mark.parametrize("kind", range(5))
@pytest.mark.parametrize("colour, depth", [(GREY, 8), (GREY, 16), (RGB, 8), (RGB_ALPHA, 8)])
def test_every_filter_is_undone_in_rows_shorter_than_a_vector(colour, depth, kind):
    for width in range(1, 7):
        samples = RNG.integers(0, 2**depth, (3, width, CHANNELS[colour]))
        pixels = png_codec.decode(written(samples, depth, colour, kinds=(kind,)))
        np.testing.assert_array_equal(pixels.reshape(samples.shape), samples)


def test_of_equally_near_bytes_paeth_takes_the_first():
    """600 of the differences of left and above to the corner that decide between the three."""
    corner, left, above = np.meshgrid([0, 1, 100, 254, 255], range(0, 256, 5), range(0, 256, 3))
    upper = np.stack([corner, above], 2).reshape(-1, 2)
    lower = np.stack([left, np.zeros_like(left)], 2).reshape(-1, 2)
    samples = np.stack([upper, lower], 1).reshape(-1, 2, 2)
    # five pixels of one column each: the vector's way, and the rest of the row by single bytes
    for pair in samples[:: len(samples) // 600]:
        picture = np.tile(pair, (1, 5))[..., None]
        pixels = png_codec.decode(written(picture, 8, GREY, kinds=(4,)))
        np.testing.assert_array_equal(pixels, picture[..., 0])


@pytest.mark.parametrize("more", [1, 40])
@pytest.mark.parametrize("colour, depth", [(GREY, 16), (RGB, 8)])
def test_more_data_than_the_picture_needs_are_passed_over(colour, depth, more):
    """as libpng does, and every viewer that is built on it."""
    samples, _ = drawn(colour, depth)
    whole = written(samples, depth, colour)
    lines = filtered(packed(samples, depth), CHANNELS[colour] * depth // 8, (0, 1, 2, 3, 4))
    header = whole[: whole.index(b"IDAT") - 4]
    longer = chunk(b"IDAT", zlib.compress(lines + bytes(more))) + chunk(b"IEND", b"")
    pixels = png_codec.decode(header + longer)
    np.testing.assert_array_equal(pixels.reshape(samples.shape), samples)


@pytest.mark.parametrize("damage", ["filter", "zlib"])
def test_data_that_no_encoder_writes_are_refused_though_their_chunk_is_sound(damage):
    samples, _ = drawn(RGB, 8)
    whole = written(samples, 8, RGB)
    lines = bytearray(filtered(packed(samples, 8), 3, (0, 1, 2, 3, 4)))
    if damage == "filter":
        lines[0] = 5
    content = bytearray(zlib.compress(lines))
    if damage == "zlib":
        content[-1] ^= 1
    header = whole[: whole.index(b"IDAT") - 4]
    with pytest.raises(PngError, match="do not unpack"):
        png_codec.decode(header + chunk(b"IDAT", bytes(content)) + chunk(b"IEND", b""))


@pytest.mark.parametrize(
    "colour, depth", [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16)]
)
def test_a_transparent_colour_is_an_alpha_channel(colour, depth):
    """the oracle is the standard: Pillow compares spread samples with the unspread colour."""
    samples, _ = drawn(colour, depth)
    marked = chunk(b"tRNS", samples[3, 4].astype(">u2").tobytes())
    pixels = png_codec.decode(written(samples, depth, colour, extra=marked))
    plain = png_codec.decode(written(samples, depth, colour))
    np.testing.assert_array_equal(pixels[..., :-1].reshape(plain.shape), plain)
    opaque = (samples != samples[3, 4]).any(-1)
    np.testing.assert_array_equal(pixels[..., -1], opaque * np.iinfo(pixels.dtype).max)


@pytest.mark.parametrize("depth", [2, 8])
def test_the_alphas_of_a_palette_are_an_alpha_channel(depth):
    samples, palette = drawn(PALETTE, depth)
    data = written(samples, depth, PALETTE, extra=palette + chunk(b"tRNS", bytes([0, 128])))
    np.testing.assert_array_equal(png_codec.decode(data), pillow(data))


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("channels", [None, 1, 2, 3, 4])
def test_what_is_written_reads_back_here_and_elsewhere(channels, depth):
    shape = SIDES if channels is None else (*SIDES, channels)
    pixels = RNG.integers(0, 2**depth, shape).astype(f"uint{depth}")
    data = png_codec.encode(pixels)
    back = png_codec.decode(data)
    assert back.dtype == pixels.dtype
    np.testing.assert_array_equal(back, pixels[..., 0] if channels == 1 else pixels)
    assert png_codec.encode(pixels) == data
    if depth == 8:
        np.testing.assert_array_equal(pillow(data), back)


@pytest.mark.parametrize("shape, depth", [(SIDES, 8), (SIDES, 16), ((*SIDES, 3), 8)])
def test_what_records_hold_is_unpacked_in_its_own_way_into_an_array_that_fits(shape, depth):
    pixels = RNG.integers(0, 2**depth, shape).astype(f"uint{depth}")
    data = png_codec.encode(pixels)
    header = png_codec.read_header(data)
    fresh, given = png_codec.decode_written(data, header), np.empty_like(pixels)
    np.testing.assert_array_equal(fresh, png_codec.decode(data))
    assert fresh.dtype == pixels.dtype
    assert png_codec.decode_written(data, header, given) is given
    np.testing.assert_array_equal(given, pixels)
    other = png_codec.decode_written(data, header, given[1:])
    np.testing.assert_array_equal(other, pixels)


@pytest.mark.parametrize("colour, depth, interlaced", FORMS)
def test_what_others_write_is_left_to_the_decoder_of_every_form(colour, depth, interlaced):
    samples, palette = drawn(colour, depth)
    data = written(samples, depth, colour, interlaced, extra=palette)
    assert png_codec.decode_written(data, png_codec.read_header(data)) is None


@pytest.mark.parametrize("channels, depth", [(2, 8), (4, 8), (3, 16)])
def test_forms_that_no_record_holds_are_left_to_it_too(channels, depth):
    data = png_codec.encode(RNG.integers(0, 2**depth, (*SIDES, channels)).astype(f"uint{depth}"))
    assert png_codec.decode_written(data, png_codec.read_header(data)) is None


@pytest.mark.parametrize("depth, channels", [(8, 1), (16, 1), (8, 3)])
def test_another_filter_in_a_single_row_is_left_to_it_too(depth, channels):
    pixels = RNG.integers(0, 2**depth, (*SIDES, channels)).astype(f"uint{depth}")
    lines = png_codec.filtered(pixels, channels * depth // 8)
    lines[7, 0] = 2
    data = png_codec.encode(pixels)
    content = chunk(b"IDAT", zlib.compress(lines.tobytes()))
    changed = data[:33] + content + png_codec.END
    assert png_codec.decode_written(changed, png_codec.read_header(data)) is None
    assert png_codec.decode(changed).shape[:2] == SIDES


def test_changed_pixel_data_of_a_record_are_never_taken_for_other_pixels():
    pixels = RNG.integers(0, 4, (*SIDES, 3)).astype("uint8")
    data = png_codec.encode(pixels)
    header = png_codec.read_header(data)
    refused = 0
    for place in range(png_codec.CONTENT, len(data)):
        broken = bytearray(data)
        broken[place] ^= 1 << place % 8
        found = png_codec.decode_written(bytes(broken), header)
        refused += found is None
        # a chunk's checksum says nothing of the pixels
        assert found is None or np.array_equal(found, pixels), place
        assert png_codec.decode_written(data[:place], header) is None
    assert refused > 0.8 * (len(data) - png_codec.CONTENT)


def test_views_of_arrays_are_written_as_what_they_show():
    pixels = RNG.integers(0, 65536, (16, 16, 3)).astype("uint16")
    for view in (pixels[::2, 1::3], pixels[:, ::-1], pixels.transpose(1, 0, 2), pixels[..., 0]):
        np.testing.assert_array_equal(png_codec.decode(png_codec.encode(view)), view)
    np.testing.assert_array_equal(png_codec.decode(png_codec.encode(pixels.astype(">u2"))), pixels)


@pytest.mark.parametrize(
    "pixels", [np.zeros((4, 4), "float32"), np.zeros((4, 4, 5), "uint8"), np.zeros((0, 4), "uint8")]
)
def test_what_no_png_can_hold_is_refused(pixels):
    with pytest.raises(ValueError, match="to write as PNG, got"):
        png_codec.encode(pixels)


def test_cut_and_changed_files_are_refused_wherever_the_damage_is():
    samples, _ = drawn(RGB, 8)
    data = written(samples, 8, RGB)
    for end in range(len(data)):
        with pytest.raises(PngError):
            png_codec.decode(data[:end])
    for place in range(len(data)):
        broken = bytearray(data)
        broken[place] ^= 1 << place % 8
        with pytest.raises(PngError):
            png_codec.decode(bytes(broken))


@pytest.mark.parametrize("colour, depth, interlaced", FORMS)
def test_pixel_data_that_end_early_are_refused_though_every_checksum_is_right(
    colour, depth, interlaced
):
    samples, palette = drawn(colour, depth)
    whole = written(samples, depth, colour, interlaced, extra=palette)
    header = whole[: whole.index(b"IDAT") - 4]
    short = header + chunk(b"IDAT", zlib.compress(b"\0" * 5)) + chunk(b"IEND", b"")
    with pytest.raises(PngError, match="do not unpack"):
        png_codec.decode(short)


@pytest.mark.parametrize("side", [0, 4097, 60000, 2**31 - 1])
def test_a_boasting_header_is_refused_before_anything_is_unpacked(side):
    header = struct.pack(">IIBBBBB", side, side, 8, RGB, 0, 0, 0)
    with pytest.raises(PngError, match="at most 4096 x 4096"):
        png_codec.decode(png_codec.SIGNATURE + chunk(b"IHDR", header) + chunk(b"IEND", b""))


@pytest.mark.parametrize("depth, colour, interlace", [(3, 0, 0), (16, 3, 0), (8, 1, 0), (8, 2, 2)])
def test_forms_that_the_standard_does_not_have_are_refused(depth, colour, interlace):
    header = struct.pack(">IIBBBBB", 4, 4, depth, colour, 0, 0, interlace)
    with pytest.raises(PngError, match="the standard does not have"):
        png_codec.decode(png_codec.SIGNATURE + chunk(b"IHDR", header) + chunk(b"IEND", b""))
