"""Converts any picture that Pillow opens to 8-bit RGB; no other module changes depth or colour
model.

Pillow's own `convert("RGB")` clips 16-bit grey to white and floats to black without a warning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageOps

from models.tasks.arrays import Array, Bytes

WITH_ALPHA = {"RGBA", "LA", "PA", "La", "RGBa"}
PAPER = (255, 255, 255)  # behind what is transparent
WIDE_GREY = ("I", "F")  # I;16 and its byte orders begin so too
LARGEST_16_BIT = 65535
LEAST_FILLED = 4  # a usual range is at most so many times as wide as what fills it
BODY = 99.0  # percent of the pixels, beside which the brightest are highlights ...
HIGHLIGHT = 4.0  # ... where they reach so many times as far
SAMPLED = 1 << 20  # pixels of which the percentile is taken
LEAST_RANGE = 1e-9


@dataclass(frozen=True)
class Pixels:
    """Pixels of a picture. value: uint8 [H, W, 3], upright. note: what was changed on the way, for
    a person; "" for nothing that a person would see.
    """

    value: Bytes
    note: str = ""


def rgb8(image: Image.Image) -> Pixels:
    """Returns `image` upright (EXIF), as 8-bit RGB. Raises what Pillow raises for damaged files.

    Grey of 16 bits becomes 8 by its range; 32-bit and float grey by the range of what it holds
    (`grey_range`). What is transparent shows white paper.
    """
    # first: everything after it may take the picture for upright
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith(WIDE_GREY):
        return wide_grey(np.asarray(upright))
    if upright.mode in WITH_ALPHA or "transparency" in upright.info:
        return over_paper(upright)
    if upright.mode == "LAB":
        return Pixels(np.asarray(from_lab(upright)))
    return Pixels(np.asarray(upright.convert("RGB")))


def wide_grey(values: Array) -> Pixels:
    """Converts [H, W] of whole numbers or floats to 8-bit pixels."""
    bits = values.dtype.itemsize * 8
    kind = "float" if values.dtype.kind == "f" else f"{bits}-bit"
    low, high = grey_range(values)
    # float64 holds every value of 32 bits
    shares = (np.nan_to_num(values.astype("float64"), nan=low) - low) / (high - low)
    codes = np.rint(np.clip(shares, 0, 1) * 255).astype("uint8")
    note = f"{kind} grey: {low:g} is shown black, {high:g} white"
    brightest = values[np.isfinite(values)].max(initial=high)
    if brightest > high:
        note += f", and what is brighter, up to {brightest:g}, too"
    return Pixels(np.repeat(codes[..., None], 3, -1), note)


def grey_range(values: Array) -> tuple[float, float]:
    """Returns the values of black and white, by what the picture itself holds:

    a 16-bit type's own range; [0, 1] for fractions within it; the smaller of [0, 255] and
    [0, 65535] that holds every value and is filled to a quarter; for light with highlights (HDR)
    [0, what 99 of 100 pixels stay below, at least 1]; else from the least value to the largest.
    """
    if values.dtype.kind == "u" and values.dtype.itemsize == 2:
        return 0.0, float(LARGEST_16_BIT)
    finite = values[np.isfinite(values)].astype("float64")
    least = float(finite.min()) if finite.size else 0.0
    most = float(finite.max()) if finite.size else 0.0
    is_float = values.dtype.kind == "f"
    if least < 0:
        return least, max(most, least + LEAST_RANGE)
    if not most or (is_float and most <= 1):
        return 0.0, 1.0 if is_float else 255.0
    is_whole = not is_float or bool((finite == np.rint(finite)).all())
    body = float(np.percentile(finite[:: finite.size // SAMPLED + 1], BODY))
    # codes are whole numbers, of which one bright pixel says the range; of fractions, which a
    # resized picture of codes has too, few bright ones may be highlights
    filled = most if is_whole else body
    for high in (255.0, float(LARGEST_16_BIT)):
        # metres up to 2 would be nearly black as codes of 255
        if most <= high <= LEAST_FILLED * filled:
            return 0.0, high
    if is_float and most > HIGHLIGHT * body:
        # diffuse white is 1 in such pictures
        return 0.0, max(body, 1.0)
    # a constant picture outside the usual ranges has no range
    return least, max(most, least + LEAST_RANGE)


def over_paper(image: Image.Image) -> Pixels:
    """Returns a picture with alpha blended over white; an alpha that hides nothing is left out."""
    # La and RGBa hold colours already multiplied by alpha; Pillow takes two steps from there
    plain = image.convert({"La": "LA", "RGBa": "RGBA"}.get(image.mode, image.mode))
    layers = plain.convert("RGBA")
    # an alpha channel that is full throughout is no transparency: nothing is said
    if layers.getchannel("A").getextrema() == (255, 255):
        return Pixels(np.asarray(layers.convert("RGB")))
    paper = Image.new("RGBA", layers.size, (*PAPER, 255))
    blended = Image.alpha_composite(paper, layers).convert("RGB")
    return Pixels(np.asarray(blended), "what is transparent is shown white")


def from_lab(image: Image.Image) -> Any:
    """Converts CIE L*a*b* to RGB, which Pillow does only through profiles."""
    lab = ImageCms.createProfile("LAB")
    srgb = ImageCms.createProfile("sRGB")
    return ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
