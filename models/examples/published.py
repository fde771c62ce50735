"""Reads, writes and names files of the published data set; whatever is not in the documented
encoding is refused.

Layout: `<root>/<building>/<folder>/point_<P>_view_<V>_domain_<suffix>.<png|npy|json>` (data/README
of StanfordVL/taskonomy).
"""

from __future__ import annotations

import io
import json
import math
import os
import re
import stat
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from models.examples import png_codec
from models.examples.npy_reader import read_npy
from models.provenance.atomic import atomic_file
from models.tasks import Domain, ViewKey
from models.tasks.arrays import Array, Floats

# nine digits fit into the index's 32 bits
NAME = re.compile(r"^point_(\d{1,9})_view_(\d{1,9}|all)_domain_([a-z0-9_]+)\.(png|npy|json)$")
LARGEST_FILE = 64 << 20  # bytes
JPEG = b"\xff\xd8\xff"  # the first bytes of a JPEG file


class LabelError(ValueError):
    """Raised for a file that is no label of its domain; the message says what was expected and what
    came.
    """


class MissingLabel(LabelError):
    """Raised where there is no such file, here or in a store."""


def file_name(domain: Domain, point: int, view: int | str) -> str:
    return f"point_{point}_view_{view}_domain_{domain.suffix}.{domain.file}"


def parse_name(domain: Domain, name: str) -> tuple[int, int] | None:
    """Returns (point, view) if `name` is a file of `domain` (either spelling of its suffix), else
    None.
    """
    match = NAME.match(name)
    if (
        not match
        or match[2] == "all"
        or match[3] not in (domain.suffix, domain.folder, *domain.aliases)
        or match[4] != domain.file
    ):
        return None
    return int(match[1]), int(match[2])


def label_path(root: str | Path, key: ViewKey, domain: Domain) -> Path:
    return Path(root) / key.building / domain.folder / file_name(domain, key.point, key.view)


def read_label(path: str | Path, domain: Domain) -> Array | dict[str, Any]:
    """Returns the label in a file: an array of the domain's dtype and channels ([H, W] if one), or
    the JSON object. Raises LabelError, never anything else.
    """
    try:
        status = os.stat(path)
        # A named pipe would block for ever, /dev/zero never ends.
        if not stat.S_ISREG(status.st_mode):
            raise LabelError("not a regular file")
        if status.st_size > LARGEST_FILE:
            raise LabelError(
                f"{status.st_size >> 20} MiB file; a label has at most {LARGEST_FILE >> 20}"
            )
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError as error:
        raise MissingLabel(f"cannot be read: {error.strerror}") from error
    except OSError as error:
        raise LabelError(f"cannot be read: {error.strerror}") from error
    return decode_label(data, domain)


def decode_label(data: bytes, domain: Domain) -> Array | dict[str, Any]:
    """Returns the label in a file's bytes, as `read_label` does: [H, W] or [H, W, C] of a picture,
    [n] of an array, or the JSON object. Raises LabelError.
    """
    if not data:
        raise LabelError("zero-byte file")
    if len(data) > LARGEST_FILE:
        raise LabelError(f"{len(data) >> 20} MiB file; a label has at most {LARGEST_FILE >> 20}")
    if domain.file == "png":
        return decode_png(data, domain)
    return decode_npy(data, domain) if domain.file == "npy" else decode_json(data, domain)


def decode_png(data: bytes, domain: Domain) -> Array:
    """Returns [H, W] or [H, W, 3] in the domain's dtype. Raises LabelError for JPEG, RGBA,
    palettes, wrong depth, colour-coded ids, decompression bombs, and every damaged bit.
    """
    if data.startswith(JPEG):
        raise LabelError("a JPEG named .png: its values are not exact")
    try:
        # the header first: a picture that claims too large a size is refused before it is unpacked
        check_form(png_codec.read_header(data), domain)
        pixels = png_codec.decode(data)
    except png_codec.PngError as error:
        raise LabelError(str(error)) from error
    return fitted(pixels, domain)


def decode_recorded(data: bytes, domain: Domain, out: Array | None = None) -> Array:
    """Returns what `decode_png` does ([H, W] or [H, W, 3]), in less time, of the bytes of a picture
    in a record, which were held against the record's checksum. out: an array in which it may be
    returned. Raises LabelError.
    """
    try:
        header = png_codec.read_header(data)
    except png_codec.PngError as error:
        raise LabelError(str(error)) from error
    check_form(header, domain)
    pixels = png_codec.decode_written(data, header, out)
    # any other form, and what is damaged, takes the way of foreign files
    return decode_png(data, domain) if pixels is None else fitted(pixels, domain)


def check_form(header: png_codec.Header, domain: Domain) -> None:
    """Raises LabelError for a kind of picture in which the domain's labels are not published."""
    bits = 8 * np.dtype(domain.dtype).itemsize
    if header.width != header.height:
        raise LabelError(f"{header.width} x {header.height} pixels; published views are square")
    if header.colour in (png_codec.GREY_ALPHA, png_codec.RGB_ALPHA):
        raise LabelError("has an alpha channel; published labels have none")
    if header.depth != bits:
        copy = " (an 8-bit copy made for viewing is no label)" if header.depth == 8 else ""
        raise LabelError(f"{header.depth} bits a channel; {domain.folder} has {bits}{copy}")
    if domain.ids and header.colour != png_codec.GREY:
        raise LabelError(
            "colour-coded picture, made for viewing; a label holds grey class or segment ids"
        )
    if header.colour == png_codec.PALETTE:
        raise LabelError("has a palette; published labels hold plain values")


def fitted(pixels: Array, domain: Domain) -> Array:
    """Returns pixels, [H, W] or [H, W, C], with the channels that the domain has, [H, W] or [H, W,
    3]; three equal channels where it has one (published reshading) become one. Raises LabelError
    for other channels, or a code beyond the domain's range.
    """
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    if channels in (2, 4):
        raise LabelError("has a transparent colour; published labels have none")
    if domain.channels == 3 and channels == 1:
        raise LabelError(f"one channel; {domain.folder} has three")
    if domain.channels == 1 and channels == 3:
        import cv2

        # Planes side by side in memory: comparing every third sample takes five times as long.
        first, *others = cv2.split(pixels)
        if not all(np.array_equal(first, other) for other in others):
            raise LabelError(f"3 different channels; {domain.folder} has one")
        pixels = first
    if domain.high < np.iinfo(pixels.dtype).max and pixels.max() > domain.high:
        raise LabelError(f"largest code {pixels.max()}; {domain.folder} ends at {domain.high:g}")
    return pixels


def decode_npy(data: bytes, domain: Domain) -> Floats:
    """Returns [channels] float32, finite. Raises LabelError for other values, for pickled arrays,
    and for sizes that the header merely claims.
    """
    if len(data) > 64 * domain.channels + 4096:
        raise LabelError(f"{len(data)} bytes; {domain.channels} numbers take fewer")
    try:
        value = np.squeeze(read_npy(io.BytesIO(data)))
    except Exception as error:  # NumPy raises many types for damaged files
        raise LabelError(f"no .npy array: {error}") from error
    if value.shape != (domain.channels,) or value.dtype.kind not in "fiu":
        raise LabelError(
            f"{value.dtype} {value.shape}; {domain.folder} has {domain.channels} numbers"
        )
    # a sum of float32 may pass 1 by rounding
    if not np.isfinite(value).all() or value.min() < domain.low or value.max() > domain.high + 1e-3:
        raise LabelError(
            f"values from {value.min()} to {value.max()}; {domain.folder} ({domain.unit}) "
            f"lies in [{domain.low}, {domain.high}]"
        )
    return value.astype("float32")


def decode_json(data: bytes, domain: Domain) -> dict[str, Any]:
    """Returns the object, with or without a byte order mark before it. Raises LabelError for NaN
    and infinities at any depth, 1e999 included.
    """

    def refuse(text: str) -> NoReturn:
        raise LabelError(f"{text} in JSON; numbers must be finite")

    def finite(text: str) -> float:
        number = float(text)
        return number if math.isfinite(number) else refuse(text)

    try:
        value = json.loads(data.decode("utf-8-sig"), parse_constant=refuse, parse_float=finite)
    except LabelError:
        raise
    # RecursionError: a file of nothing but brackets
    except (ValueError, RecursionError) as error:
        raise LabelError(f"no JSON: {error}") from error
    if not isinstance(value, dict):
        raise LabelError(f"JSON {type(value).__name__}; {domain.folder} is an object")
    return value


def encode_png(pixels: Array) -> bytes:
    """Returns PNG bytes of a map [H, W] or picture [H, W, C] of uint8 or uint16, colours in the
    order red, green, blue.
    """
    return png_codec.encode(pixels)


def label_bytes(value: Array | dict[str, Any], domain: Domain) -> bytes:
    """Returns the bytes of the file of one label: a PNG of [H, W] or [H, W, C], a .npy of [n] as
    float32, or JSON.
    """
    if domain.file == "png":
        return encode_png(np.asarray(value))
    if domain.file == "json":
        return json.dumps(value).encode()
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(value, "float32"))
    return buffer.getvalue()


def write_label(path: str | Path, value: Array | dict[str, Any], domain: Domain) -> None:
    """Writes a label, as `label_bytes` takes it ([H, W], [H, W, C], [n] or an object), atomically:
    a reader sees the whole file or none.
    """
    data = label_bytes(value, domain)
    with atomic_file(path, "wb") as file:
        file.write(data)
