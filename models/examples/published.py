"""Files of the published data set: names, readers that refuse what is not the documented encoding,
writers.

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
import zlib
from pathlib import Path

import numpy as np

from models.tasks import Domain, ViewKey

NAME = re.compile(r"^point_(\d{1,9})_view_(\d{1,9}|all)_domain_([a-z0-9_]+)\.(png|npy|json)$")
LARGEST_SIDE, LARGEST_FILE = 4096, 64 << 20
_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"


class LabelError(ValueError):
    """A file that is no label of its domain; the message says what was expected and what came."""


def file_name(domain: Domain, point: int, view: int | str) -> str:
    return f"point_{point}_view_{view}_domain_{domain.suffix}.{domain.file}"


def parse_name(domain: Domain, name: str) -> tuple[int, int] | None:
    """(point, view) if `name` is a file of `domain` (either spelling of its suffix), else None."""
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


def read_label(path: str | Path, domain: Domain) -> np.ndarray | dict:
    """the label in a file: array of the domain's dtype and channels ([H, W] if one), or the JSON
    object. Raises LabelError, never anything else.
    """
    try:
        status = os.stat(path)
        if not stat.S_ISREG(
            status.st_mode
        ):  # a named pipe would block for ever, /dev/zero never ends
            raise LabelError("not a regular file")
        if status.st_size > LARGEST_FILE:
            raise LabelError(
                f"{status.st_size >> 20} MiB file; a label has at most {LARGEST_FILE >> 20}"
            )
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise LabelError(f"cannot be read: {error.strerror}") from error
    return decode_label(data, domain)


def decode_label(data: bytes, domain: Domain) -> np.ndarray | dict:
    """the label in a file's bytes, as `read_label`."""
    if not data:
        raise LabelError("zero-byte file")
    if len(data) > LARGEST_FILE:
        raise LabelError(f"{len(data) >> 20} MiB file; a label has at most {LARGEST_FILE >> 20}")
    return {"png": decode_png, "npy": decode_npy, "json": decode_json}[domain.file](data, domain)


def decode_png(data: bytes, domain: Domain) -> np.ndarray:
    """[H, W] or [H, W, 3] in the domain's dtype; refuses JPEG, RGBA, palettes, wrong depth,
    colour-coded ids, bombs, and every damaged bit.

    Decoded by OpenCV (a sixth faster than Pillow on the released frames); checksums are ours, since
    neither decoder looks at those of pixel data.
    """
    import cv2

    if data.startswith(_JPEG):
        raise LabelError("a JPEG named .png: its values are not exact")
    if not data.startswith(_PNG) or len(data) < 33 or data[12:16] != b"IHDR":
        raise LabelError("not a PNG file")
    width, height = (int.from_bytes(data[i : i + 4], "big") for i in (16, 20))
    depth, colour = data[24], data[25]
    if not (0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE):
        raise LabelError(
            f"{width} x {height} pixels; at most {LARGEST_SIDE} x {LARGEST_SIDE} are read"
        )
    if width != height:
        raise LabelError(f"{width} x {height} pixels; published views are square")
    if colour in (4, 6):
        raise LabelError("has an alpha channel; published labels have none")
    if depth != 8 * np.dtype(domain.dtype).itemsize:
        raise LabelError(
            f"{depth} bits a channel; {domain.folder} has {8 * np.dtype(domain.dtype).itemsize}"
            + (" (an 8-bit copy made for viewing is no label)" if depth == 8 else "")
        )
    if domain.ids and colour != 0:
        raise LabelError(
            "colour-coded picture, made for viewing; a label holds grey class or segment ids"
        )
    if colour == 3:
        raise LabelError("has a palette; published labels hold plain values")
    check_chunks(data)
    try:
        pixels = cv2.imdecode(np.frombuffer(data, "uint8"), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise LabelError(f"damaged PNG: {error.err}") from error
    if pixels is None or pixels.shape[:2] != (height, width):
        raise LabelError("damaged PNG: its pixel data do not unpack")
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        raise LabelError("has a transparent colour; published labels have none")
    return fitted(pixels, domain)


def check_chunks(data: bytes) -> None:
    """hold every chunk of a PNG against its length and CRC-32 (PNG specification, section 5): no
    flipped bit passes. Raises LabelError.
    """
    place, kind = len(_PNG), b""
    while kind != b"IEND":
        length = int.from_bytes(data[place : place + 4], "big")
        end = place + 8 + length
        if end + 4 > len(data):
            raise LabelError(f"damaged PNG: ends after {len(data)} bytes, in the middle of a chunk")
        kind = data[place + 4 : place + 8]
        if zlib.crc32(memoryview(data)[place + 4 : end]) != int.from_bytes(
            data[end : end + 4], "big"
        ):
            raise LabelError(f"damaged PNG: chunk {kind!r} fails its checksum")
        place = end + 4


def fitted(pixels: np.ndarray, domain: Domain) -> np.ndarray:
    """channels in RGB order and range as the domain has them; three equal channels where one is
    meant are one (published reshading).
    """
    import cv2

    if domain.channels == 1 and pixels.ndim == 3:
        first, *rest = cv2.split(pixels)
        if not all(np.array_equal(first, channel) for channel in rest):
            raise LabelError(f"{pixels.shape[2]} different channels; {domain.folder} has one")
        pixels = first
    if domain.channels == 3 and pixels.ndim != 3:
        raise LabelError(f"one channel; {domain.folder} has three")
    if domain.high < np.iinfo(pixels.dtype).max and pixels.max() > domain.high:
        raise LabelError(f"largest code {pixels.max()}; {domain.folder} ends at {domain.high:g}")
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB) if domain.channels == 3 else pixels


def decode_npy(data: bytes, domain: Domain) -> np.ndarray:
    """[channels] float32, finite; pickled arrays are refused, and sizes that the header merely
    claims.
    """
    if len(data) > 64 * domain.channels + 4096:
        raise LabelError(f"{len(data)} bytes; {domain.channels} numbers take fewer")
    try:
        value = np.squeeze(np.load(io.BytesIO(data), allow_pickle=False))
    except Exception as error:  # NumPy raises many types for damaged files
        raise LabelError(f"no .npy array: {error}") from error
    if value.shape != (domain.channels,) or value.dtype.kind not in "fiu":
        raise LabelError(
            f"{value.dtype} {value.shape}; {domain.folder} has {domain.channels} numbers"
        )
    if not np.isfinite(value).all() or value.min() < domain.low or value.max() > domain.high + 1e-3:
        raise LabelError(
            f"values from {value.min()} to {value.max()}; {domain.folder} ({domain.unit}) "
            f"lies in [{domain.low}, {domain.high}]"
        )
    return value.astype("float32")


def decode_json(data: bytes, domain: Domain) -> dict:
    """the object; NaN and infinities are refused at any depth, 1e999 included."""

    def refuse(text):
        raise LabelError(f"{text} in JSON; numbers must be finite")

    def finite(text):
        number = float(text)
        return number if math.isfinite(number) else refuse(text)

    try:
        value = json.loads(data.decode("utf-8"), parse_constant=refuse, parse_float=finite)
    except LabelError:
        raise
    except (ValueError, RecursionError) as error:
        raise LabelError(f"no JSON: {error}") from error
    if not isinstance(value, dict):
        raise LabelError(f"JSON {type(value).__name__}; {domain.folder} is an object")
    return value


def encode_png(pixels: np.ndarray) -> bytes:
    """PNG bytes. OpenCV's own setting (one filter, run lengths, fastest level) is nearly twice as
    fast as level 1 by name, which tries every filter.
    """
    import cv2

    pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if pixels.ndim == 3 else pixels
    done, data = cv2.imencode(".png", pixels)
    if not done:
        raise ValueError(f"cannot encode {pixels.dtype} {pixels.shape} as PNG")
    return data.tobytes()


def write_label(path: str | Path, value: np.ndarray | dict, domain: Domain) -> None:
    """write atomically: a reader sees the whole file or none."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if domain.file == "png":
        data = encode_png(value)
    elif domain.file == "json":
        data = json.dumps(value).encode()
    else:
        buffer = io.BytesIO()
        np.save(buffer, np.asarray(value, "float32"))
        data = buffer.getvalue()
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.write_bytes(data)
    os.replace(scratch, path)
