"""Reads and writes PNG for ingest, annotation, label reading and feeding alike; no other file knows
which library does it.

This module looks at every header and checksum first, so no decoder ever sees a file that is cut,
changed or claims too large a size. Unpacked by libdeflate, and the row filters undone by compiled
loops (`png_rows`); palettes, less than 8 bits and interlaced pictures are read by OpenCV. Encoded
with libdeflate, of which one version gives the same bytes on every processor (ISA-L, 1.7 times as
fast again, does not).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import deflate
import numpy as np

from models.examples.png_filters import SUB
from models.tasks.arrays import Array, Bytes

SIGNATURE = b"\x89PNG\r\n\x1a\n"
LARGEST_SIDE = 4096
# Colour types of the standard (section 11.2.2), their channels, and the bits a sample they allow.
GREY = 0
RGB = 2
PALETTE = 3
GREY_ALPHA = 4
RGB_ALPHA = 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGB_ALPHA: 4}
DEPTHS = {
    GREY: (1, 2, 4, 8, 16),
    RGB: (8, 16),
    PALETTE: (1, 2, 4, 8),
    GREY_ALPHA: (8, 16),
    RGB_ALPHA: (8, 16),
}
COLOUR_OF_CHANNELS = {1: GREY, 2: GREY_ALPHA, 3: RGB, 4: RGB_ALPHA}
# libdeflate's fastest level: on labels 1 % larger than OpenCV's setting in half the time, level 2
# 1 % smaller in three quarters.
LEVEL = 1
# Where IDAT's content begins in what `encode` writes: behind the header's 33 bytes, length, kind.
CONTENT = 41


class PngError(ValueError):
    """Raised for bytes that are no whole PNG picture; the message says what was expected and what
    came.
    """


@dataclass(frozen=True)
class Header:
    """The IHDR chunk. depth: bits a sample; colour: the standard's colour type."""

    width: int
    height: int
    depth: int
    colour: int
    interlaced: bool

    def __post_init__(self) -> None:
        if not (0 < self.width <= LARGEST_SIDE and 0 < self.height <= LARGEST_SIDE):
            raise PngError(
                f"{self.width} x {self.height} pixels; at most {LARGEST_SIDE} x {LARGEST_SIDE} "
                "are read"
            )
        if self.depth not in DEPTHS.get(self.colour, ()):
            raise PngError(
                f"damaged PNG: {self.depth} bits with colour type {self.colour}, which the "
                "standard does not have"
            )


def read_header(data: bytes) -> Header:
    """Returns the header, without a look at what follows. Raises PngError."""
    # 33 bytes: the signature's 8, and IHDR with length, kind and checksum
    if not data.startswith(SIGNATURE) or len(data) < 33 or data[12:16] != b"IHDR":
        raise PngError("not a PNG file")
    width, height, depth, colour, compression, filters, interlace = struct.unpack(
        ">IIBBBBB", data[16:29]
    )
    header = Header(width, height, depth, colour, interlace == 1)
    if compression or filters or interlace > 1:
        raise PngError("damaged PNG: a way of packing that the standard does not have")
    return header


def check_chunks(data: bytes) -> tuple[dict[bytes, bytes], bytes]:
    """Checks every chunk of a PNG against its length and CRC-32 (PNG specification, section 5), so
    that no flipped bit passes. Returns ({kind: content} of all chunks but the pixel data, the pixel
    data as they are packed). Raises PngError.
    """
    view = memoryview(data)
    place = len(SIGNATURE)
    kind = b""
    contents: dict[bytes, bytes] = {}
    parts: list[memoryview] = []
    while kind != b"IEND":
        length = int.from_bytes(data[place : place + 4], "big")
        end = place + 8 + length
        if end + 4 > len(data):
            raise PngError(f"damaged PNG: ends after {len(data)} bytes, in the middle of a chunk")
        kind = data[place + 4 : place + 8]
        if deflate.crc32(view[place + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            raise PngError(f"damaged PNG: chunk {kind!r} fails its checksum")
        if kind == b"IDAT":
            parts.append(view[place + 8 : end])
        else:
            contents[kind] = data[place + 8 : end]
        place = end + 4
    return contents, b"".join(parts)


def decode(data: bytes) -> Array:
    """Returns the pixels, [height, width] or [height, width, channels] uint8 or uint16, channels in
    the order red, green, blue, alpha (grey, alpha), exactly as they were written.

    Palettes become the colours they name, grey of less than 8 bits is spread over 0 to 255 (as
    Pillow does), a transparent colour (tRNS) becomes an alpha channel. Raises PngError.
    """
    header = read_header(data)
    contents, packed = check_chunks(data)
    pixels = None
    if header.depth >= 8 and header.colour != PALETTE and not header.interlaced:
        pixels = unpacked(packed, header)
    # also what unpacks to more than the picture, which libpng bears and the standard allows
    if pixels is None:
        pixels = decode_by_opencv(data, header)
    if b"tRNS" in contents and header.colour in (GREY, RGB):
        pixels = with_alpha(pixels, contents[b"tRNS"], header)
    return pixels[..., 0] if pixels.shape[2] == 1 else pixels


def decode_written(data: bytes, header: Header, out: Array | None = None) -> Array | None:
    """Returns the pixels, as `decode` does, of a picture in the form that `encode` writes (one
    chunk of pixels, every row filtered by `SUB`, one or three channels); None for any other,
    damaged ones among them. out: an array of their shape and dtype, in which they are returned.

    The pixels are held against zlib's checksum. Checksums of chunks are not looked at: this is for
    bytes that were just held against the record's own.
    """
    channels = CHANNELS[header.colour]
    sound = header.depth == 8 or (header.depth == 16 and channels == 1)
    end = CONTENT + int.from_bytes(data[33:37], "big")
    if (
        not sound
        or header.interlaced
        or header.colour not in (GREY, RGB)
        or data[37:CONTENT] != b"IDAT"
        or data[end + 4 :] != END
    ):
        return None
    size = header.height * (1 + header.width * channels * header.depth // 8)
    try:
        lines = deflate.zlib_decompress(memoryview(data)[CONTENT:end], size)
    except deflate.DeflateError:
        return None
    if len(lines) != size:
        return None
    from models.examples.png_rows import sum_rows  # here: numba takes 0.3 s

    shape = (header.height, header.width, 3)[: 2 if channels == 1 else 3]
    dtype = "uint8" if header.depth == 8 else "uint16"
    pixels: Array = np.empty(shape, dtype) if out is None else out
    if pixels.shape != shape or pixels.dtype != dtype:
        pixels = np.empty(shape, dtype)
    return pixels if sum_rows(np.frombuffer(lines, "uint8"), pixels) else None


def unpacked(packed: bytes, header: Header) -> Array | None:
    """Returns the pixels [height, width, channels] uint8 or uint16 of a picture of 8 or 16 bits a
    sample that is not interlaced, held against zlib's checksum; a transparent colour is passed
    over. None where the packed data are not those of exactly such a picture.
    """
    step = CHANNELS[header.colour] * header.depth // 8
    size = header.height * (1 + header.width * step)
    try:
        lines = deflate.zlib_decompress(packed, size)
    except deflate.DeflateError:
        return None
    if len(lines) != size:
        return None
    from models.examples.png_rows import unfiltered  # here: numba takes 0.3 s

    rows = unfiltered(np.frombuffer(lines, "uint8").reshape(header.height, -1), step)
    if rows is None:
        return None
    shape = (header.height, header.width, CHANNELS[header.colour])
    if header.depth == 8:
        return rows.reshape(shape)
    # the high byte first
    return rows.view("uint16").byteswap(inplace=True).reshape(shape)


def decode_by_opencv(data: bytes, header: Header) -> Array:
    """Returns the pixels [height, width, channels] of any form, in the order of `decode`. OpenCV
    itself reverses colours, and makes grey with alpha four channels. A transparent colour of grey
    is passed over.
    """
    import cv2

    try:
        pixels = cv2.imdecode(np.frombuffer(data, "uint8"), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise PngError(f"damaged PNG: {error.err}") from error
    if pixels is None or pixels.shape[:2] != (header.height, header.width):
        raise PngError("damaged PNG: its pixel data do not unpack")
    pixels = pixels.reshape(header.height, header.width, -1)
    if header.colour == GREY:
        order = [0]
    elif header.colour == GREY_ALPHA:
        order = [0, 3]
    else:
        order = [2, 1, 0, 3][: pixels.shape[2]]
    return np.ascontiguousarray(pixels[..., order])


def with_alpha(pixels: Array, transparent: bytes, header: Header) -> Array:
    """Returns the pixels and one channel more: 0 where they have the transparent colour, else the
    largest code. transparent: tRNS, two bytes a sample, not spread over 0 to 255 as the pixels are.
    """
    if len(transparent) != 2 * pixels.shape[2]:
        raise PngError(f"damaged PNG: {len(transparent)} bytes of a transparent colour")
    largest = np.iinfo(pixels.dtype).max
    spread = largest // (2**header.depth - 1)
    colour = np.frombuffer(transparent, ">u2").astype(int) * spread
    opaque = (pixels != colour).any(2, keepdims=True)
    return np.concatenate([pixels, np.where(opaque, largest, 0).astype(pixels.dtype)], 2)


def encode(pixels: Array) -> bytes:
    """Returns the PNG file of [height, width] or [height, width, 1 to 4] uint8 or uint16, channels
    in the order of `decode`. Raises ValueError for anything else.
    """
    height, width = pixels.shape[:2]
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    shape_fits = pixels.ndim in (2, 3) and channels in COLOUR_OF_CHANNELS and pixels.size > 0
    dtype_fits = pixels.dtype.kind == "u" and pixels.dtype.itemsize <= 2
    if not (shape_fits and dtype_fits):
        raise ValueError(
            "expected [height, width] or [height, width, 1 to 4] uint8 or uint16 to write as PNG, "
            f"got {pixels.dtype} {pixels.shape}"
        )
    depth = 8 * pixels.dtype.itemsize
    header = struct.pack(">IIBBBBB", width, height, depth, COLOUR_OF_CHANNELS[channels], 0, 0, 0)
    packed = deflate.zlib_compress(filtered(pixels, channels * pixels.dtype.itemsize), LEVEL)
    return b"".join(
        [SIGNATURE, chunk(b"IHDR", header), chunk(b"IDAT", packed), chunk(b"IEND", b"")]
    )


def filtered(pixels: Array, step: int) -> Bytes:
    """Returns [height, 1 + bytes a row], uint8: the number of the filter, then the row with every
    byte less the one `step` bytes to its left. Samples of 16 bits stand with the high byte first.
    """
    samples = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder(">"))
    rows = samples.view("uint8").reshape(len(pixels), -1)
    lines = np.empty((len(rows), rows.shape[1] + 1), "uint8")
    lines[:, 0] = SUB
    # the first pixel has none to its left
    lines[:, 1 : 1 + step] = rows[:, :step]
    # bytes wrap around, as the filter wants it (PNG specification, section 9.2)
    np.subtract(rows[:, step:], rows[:, :-step], out=lines[:, 1 + step :])
    return lines


def chunk(kind: bytes, content: bytes | bytearray) -> bytes:
    """Returns a chunk: length, kind, content, checksum (PNG specification, section 5.3)."""
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", deflate.crc32(body))


END = chunk(b"IEND", b"")
