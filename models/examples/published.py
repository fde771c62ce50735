"""Files of the published data set: names, readers that refuse what is not the documented encoding, writers.

Layout: `<root>/<building>/<folder>/point_<P>_view_<V>_domain_<suffix>.<png|npy|json>` (data/README of StanfordVL/taskonomy).
"""

from __future__ import annotations

import io
import json
import math
import os
import re
from pathlib import Path

import numpy as np

from models.tasks import DOMAINS, Domain, ViewKey

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
    if not match or match[2] == "all" or match[3] not in (domain.suffix, domain.folder, *domain.aliases) or match[4] != domain.file:
        return None
    return int(match[1]), int(match[2])


def label_path(root: str | Path, key: ViewKey, domain: Domain) -> Path:
    return Path(root) / key.building / domain.folder / file_name(domain, key.point, key.view)


def read_label(path: str | Path, domain: Domain) -> np.ndarray | dict:
    """the label in a file: array of the domain's dtype and channels ([H, W] if one), or the JSON object. Raises LabelError, never anything else."""
    try:
        size = os.path.getsize(path)
        if size == 0:
            raise LabelError("zero-byte file")
        if size > LARGEST_FILE:
            raise LabelError(f"{size >> 20} MiB file; a label has at most {LARGEST_FILE >> 20}")
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise LabelError(f"cannot be read: {error.strerror}") from error
    return {"png": decode_png, "npy": decode_npy, "json": decode_json}[domain.file](data, domain)


def decode_png(data: bytes, domain: Domain) -> np.ndarray:
    """[H, W] or [H, W, 3] in the domain's dtype; refuses JPEG, RGBA, palettes, wrong depth, colour-coded ids, bombs and truncated files."""
    from PIL import Image

    if data.startswith(_JPEG):
        raise LabelError("a JPEG named .png: its values are not exact")
    if not data.startswith(_PNG) or len(data) < 33:
        raise LabelError("not a PNG file")
    width, height = (int.from_bytes(data[i : i + 4], "big") for i in (16, 20))
    depth, colour = data[24], data[25]
    if not (0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE):
        raise LabelError(f"{width} x {height} pixels; at most {LARGEST_SIDE} x {LARGEST_SIDE} are read")
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
        raise LabelError("colour-coded picture, made for viewing; a label holds grey class or segment ids")
    try:
        with Image.open(io.BytesIO(data)) as image:
            pixels = np.asarray(image)
    except Exception as error:  # Pillow raises many types for damaged files
        raise LabelError(f"damaged PNG: {error}") from error
    return fitted(pixels, domain)


def fitted(pixels: np.ndarray, domain: Domain) -> np.ndarray:
    """channels and range as the domain has them; three equal channels where one is meant are one (published reshading)."""
    if domain.channels == 1 and pixels.ndim == 3:
        if (pixels != pixels[..., :1]).any():
            raise LabelError(f"{pixels.shape[2]} different channels; {domain.folder} has one")
        pixels = pixels[..., 0]
    if domain.channels == 3 and pixels.ndim != 3:
        raise LabelError(f"one channel; {domain.folder} has three")
    if pixels.max() > domain.high:
        raise LabelError(f"largest code {pixels.max()}; {domain.folder} ends at {domain.high:g}")
    return pixels.astype(domain.dtype)


def decode_npy(data: bytes, domain: Domain) -> np.ndarray:
    """[channels] float32, finite; pickled arrays are refused."""
    try:
        value = np.load(io.BytesIO(data), allow_pickle=False)
    except Exception as error:
        raise LabelError(f"no .npy array: {error}") from error
    value = np.squeeze(value)
    if value.shape != (domain.channels,) or value.dtype.kind not in "fiu":
        raise LabelError(f"{value.dtype} {value.shape}; {domain.folder} has {domain.channels} numbers")
    if not np.isfinite(value).all() or value.min() < domain.low or value.max() > domain.high + 1e-3:
        raise LabelError(f"values from {value.min()} to {value.max()}; {domain.folder} ({domain.unit}) lies in [{domain.low}, {domain.high}]")
    return value.astype("float32")


def decode_json(data: bytes, domain: Domain) -> dict:
    """the object; NaN and infinities are refused."""

    def refuse(text):
        raise LabelError(f"{text} in JSON; numbers must be finite")

    try:
        value = json.loads(data.decode("utf-8"), parse_constant=refuse)
    except LabelError:
        raise
    except (ValueError, RecursionError) as error:
        raise LabelError(f"no JSON: {error}") from error
    if not isinstance(value, dict):
        raise LabelError(f"JSON {type(value).__name__}; {domain.folder} is an object")
    for key, number in value.items():
        if isinstance(number, float) and not math.isfinite(number):
            raise LabelError(f"{key} is not finite")
    return value


def encode_png(pixels: np.ndarray) -> bytes:
    """PNG bytes, compression 1: labels are read more often than stored."""
    import cv2

    done, data = cv2.imencode(".png", pixels[..., ::-1] if pixels.ndim == 3 else pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1])
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


def domain_of(folder: str) -> Domain:
    if folder not in DOMAINS:
        raise KeyError(f"no published folder is called {folder!r}; there are {', '.join(DOMAINS)}")
    return DOMAINS[folder]
