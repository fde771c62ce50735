"""A picture file made fit to send: its size judged by its header, turned upright, in a format that
the graph reads.
"""

from __future__ import annotations

import io
from pathlib import Path

from serving.bundle.decoding import LARGEST_AREA, LARGEST_SIDE

LARGEST_FILE = 64 << 20
ORIENTATION = 0x0112  # the EXIF tag


class PictureError(ValueError):
    """A file that is not asked about; the message says what came and what is taken."""


def read_picture(path: str | Path) -> bytes:
    """the bytes to send: the file's own for an upright JPEG or PNG, else a PNG of the same pixels.
    Raises PictureError, never anything else.

    Cameras store how they were held beside the pixels, not in them; the graph does not read that,
    so a lying JPEG is turned here.
    """
    try:
        size = Path(path).stat().st_size
        if not 0 < size <= LARGEST_FILE:
            raise PictureError(f"{path}: {size} bytes; a picture has 1 to {LARGEST_FILE}")
        return fit_to_send(Path(path).read_bytes())
    except OSError as error:
        raise PictureError(f"{path}: cannot be read: {error.strerror or error}") from error
    except PictureError as error:
        raise (
            error if str(error).startswith(str(path)) else PictureError(f"{path}: {error}")
        ) from error


def fit_to_send(data: bytes) -> bytes:
    """the same for bytes."""
    from PIL import Image, ImageOps

    try:
        image = Image.open(io.BytesIO(data))  # reads the header alone
    except Image.DecompressionBombError as error:
        raise PictureError(f"too large: {error}") from error
    except Exception as error:  # Pillow raises many types for damaged files
        raise PictureError(
            "no picture that can be read; JPEG and PNG are sent as they are, other formats as PNG"
        ) from error
    with image:
        width, height = image.size
        if max(width, height) > LARGEST_SIDE or width * height > LARGEST_AREA:
            raise PictureError(
                f"{width} x {height} pixels; at most {LARGEST_SIDE} a side and {LARGEST_AREA} "
                "in all"
            )
        try:
            upright = image.getexif().get(ORIENTATION, 1) == 1
            if upright and image.format in ("JPEG", "PNG"):
                return data
            buffer = io.BytesIO()
            ImageOps.exif_transpose(image).convert("RGB").save(buffer, "PNG", compress_level=1)
            return buffer.getvalue()
        except Exception as error:
            raise PictureError(f"damaged: {error}") from error
