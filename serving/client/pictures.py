"""Makes a picture file fit to send: upright, 8-bit RGB, of a kind and size that the graph takes."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from serving.bundle.decoding import LARGEST_AREA, LARGEST_SIDE
from serving.client.pixels import rgb8

LARGEST_FILE = 512 << 20  # bytes; a 24-megapixel TIFF of 16 bits a channel has 144 MB
SCALED_SIDE = 4096  # pixels of a side that is scaled down: far more than a network sees
LEAST_CUT = 0.02  # share of the longer side that is cut off, of which nothing is said below
ORIENTATION = 0x0112  # the EXIF tag
# Read through other programs (EPS: Ghostscript), by stubs that read nothing, or no still pictures.
REFUSED_FORMATS = {"EPS", "WMF", "BUFR", "GRIB", "HDF5", "MPEG"}
# An MPO file, which phones write, is a JPEG with more pictures behind it.
JPEG_FORMATS = {"JPEG", "MPO"}
SENT_AS_THEY_ARE = {*JPEG_FORMATS, "PNG"}
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
HEIC_ENDINGS = {".heic", ".heif"}


class PictureError(ValueError):
    """Raised for a file that is not asked about; the message says what came and what is taken."""


@dataclass(frozen=True)
class Picture:
    """A picture as it is sent. data: the bytes to send. note: what was changed or is not looked at,
    as far as a person would see it; "" for nothing.
    """

    data: bytes
    note: str = ""


def read_picture(path: str | Path) -> Picture:
    """Returns the file's own bytes for an upright 8-bit JPEG or PNG, else a PNG of what a person
    would see. Raises PictureError, never anything else.

    Cameras store how they were held beside the pixels, not in them; the graph does not read that,
    so a JPEG that is stored sideways is turned here.
    """
    try:
        # asked before reading: a file may be larger than memory
        size = Path(path).stat().st_size
        if not 0 < size <= LARGEST_FILE:
            raise PictureError(f"{size} bytes; a picture has 1 to {LARGEST_FILE}")
        return fit_to_send(Path(path).read_bytes())
    except OSError as error:
        raise PictureError(f"{path}: cannot be read: {error.strerror or error}") from error
    except PictureError as error:
        raise PictureError(f"{path}: {error}") from error


def fit_to_send(data: bytes) -> Picture:
    """Does what `read_picture` does, for a file's bytes."""
    with opened(data) as image:
        try:
            return as_it_is(data, image) if is_fit(image) else as_png(image)
        except Exception as error:  # Pillow raises many types for damaged files
            raise PictureError(f"damaged: {error}") from error


def opened(data: bytes) -> Image.Image:
    """Returns the picture with its header read and nothing else. Raises PictureError."""
    if is_heic(data):
        raise PictureError("HEIC, which Pillow does not read; save it as JPEG or PNG first")
    try:
        # by name: formats that start other programs are never tried
        return Image.open(io.BytesIO(data), formats=taken_formats())
    except Image.DecompressionBombError as error:
        raise PictureError(
            # Pillow refuses at twice its limit, and warns from the limit on
            f"too large: at most {2 * (Image.MAX_IMAGE_PIXELS or 0)} pixels are scaled down here"
        ) from error
    except UnidentifiedImageError as error:
        raise PictureError(
            "no picture that can be read; JPEG and PNG are sent as they are, other formats as PNG"
        ) from error
    except Exception as error:
        raise PictureError(f"damaged: {error}") from error


def taken_formats() -> list[str]:
    """Returns Pillow's names of the formats that are opened."""
    # Pillow loads its formats only when asked
    Image.init()
    return sorted(set(Image.OPEN) - REFUSED_FORMATS)


def taken_endings() -> set[str]:
    """Returns the endings of file names, lower case, of pictures that are asked about or refused by
    name.
    """
    formats = set(taken_formats())
    endings = Image.registered_extensions()
    return {ending for ending, name in endings.items() if name in formats} | HEIC_ENDINGS


def is_heic(data: bytes) -> bool:
    return data[4:8] == b"ftyp" and data[8:12] in HEIC_BRANDS


def is_fit(image: Image.Image) -> bool:
    """Returns whether the graph would see in a file what a person sees."""
    # 16 bits, palettes and transparency look otherwise in the graph's decoder
    plain = image.mode in ("RGB", "L") and "transparency" not in image.info
    common = image.format in SENT_AS_THEY_ARE
    # the graph does not read EXIF: only what is stored upright may go as it is
    upright = image.getexif().get(ORIENTATION, 1) == 1
    return plain and common and upright and fits(image.size)


def fits(size: tuple[int, int]) -> bool:
    """Returns whether the server takes a picture of so many pixels."""
    width, height = size
    return max(width, height) <= LARGEST_SIDE and width * height <= LARGEST_AREA


def as_it_is(data: bytes, image: Image.Image) -> Picture:
    """Returns a picture that is sent as the file's own bytes."""
    return Picture(data, joined(frame_words(image), middle_words(image.size)))


def joined(*words: str) -> str:
    return "; ".join(filter(None, words))


def frame_words(image: Image.Image) -> str:
    """Returns words that say which of several frames or pages is asked about; "" for one."""
    frames = getattr(image, "n_frames", 1)
    # an MPO's further pictures are previews, nobody's pages
    is_paged = frames > 1 and image.format not in JPEG_FORMATS
    return f"the first of {frames} frames" if is_paged else ""


def middle_words(size: tuple[int, int]) -> str:
    """Returns words that say how much of an upright picture the networks look at, since the graph
    cuts it square; "" for nearly all of it.
    """
    side = min(size)
    if side >= max(size) * (1 - LEAST_CUT):
        return ""
    return f"only the middle {side} x {side} of {size[0]} x {size[1]} pixels is looked at"


def as_png(image: Image.Image) -> Picture:
    """Returns a picture as PNG, scaled down where the server would refuse the size."""
    full = image.size
    scaled = ""
    if not fits(full):
        # the longer side is the same before and after turning: the goal holds for either
        goal = scaled_size(full)
        if image.format in JPEG_FORMATS:
            image.draft("RGB", goal)  # decodes an eighth to a half as many pixels at once
        scaled = f"scaled down from {full[0]} x {full[1]} pixels"
    frames = frame_words(image)
    pixels = rgb8(image)
    picture = Image.fromarray(pixels.value)
    if not fits(full):
        upright = scaled_size((picture.width, picture.height))
        # by area, in two steps: a whole-number reduction first costs a fraction of the time
        picture = picture.resize(upright, Image.Resampling.BOX, reducing_gap=3.0)
        scaled += f" to {picture.width} x {picture.height}"
    buffer = io.BytesIO()
    # sent once and thrown away: size matters less than time
    picture.save(buffer, "PNG", compress_level=1)
    return Picture(
        buffer.getvalue(), joined(scaled, frames, pixels.note, middle_words(picture.size))
    )


def scaled_size(size: tuple[int, int]) -> tuple[int, int]:
    """Returns the size with SCALED_SIDE on the longer side, in the picture's proportions."""
    # cut, not rounded: never a pixel above the limit
    share = min(1.0, SCALED_SIDE / max(size))
    return max(1, math.floor(size[0] * share)), max(1, math.floor(size[1] * share))
