"""Pieces of a figure: colour scales, text, panels. uint8 [H, W, 3] arrays throughout."""

from __future__ import annotations

import functools
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from models.tasks.arrays import Bools, Bytes, Floats, Integers

Colour = tuple[int, int, int]
INK: Colour = (32, 32, 36)
PAPER: Colour = (250, 250, 248)
MARKS = 5  # on a colour scale
LINE = 22  # pixels a line of a legend


# loading a font reads a file, and a figure draws dozens of words
@functools.cache
def font(size: int) -> Any:
    return ImageFont.load_default(size=size)


def blank(height: int, width: int, colour: Colour = PAPER) -> Bytes:
    """Returns uint8 [height, width, 3] of one colour."""
    return np.full((height, width, 3), colour, "uint8")


def text(
    words: str, width: int, height: int, *, size: int = 15, ink: Colour = INK, paper: Colour = PAPER
) -> Bytes:
    """Returns uint8 [height, width, 3], one line of words on paper, in smaller letters where it
    would not fit, then cut at `width`.
    """
    page = Image.new("RGB", (width, height), paper)
    draw = ImageDraw.Draw(page)
    # 9 pixels are the smallest that one can read; what still does not fit is cut
    while size > 9 and draw.textlength(words, font(size)) > width - 8:
        size -= 1
    draw.text((4, height / 2), words, ink, font(size), anchor="lm")
    # a view of Pillow's memory cannot be written to
    return np.asarray(page).copy()


def lines_of_text(lines: list[str], height: int, width: int = 190, size: int = 13) -> Bytes:
    """Returns uint8 [height, width, 3], a panel with as many lines as fit, from the top."""
    page = blank(height, width)
    for i, words in enumerate(lines[: height // LINE]):
        page[LINE * i : LINE * (i + 1)] = text(words, width, LINE, size=size)
    return page


def coloured(value: Floats, low: float, high: float, scale: str) -> Bytes:
    """Converts [H, W] float to colours. scale: "depth" (near bright), "heat" (dark to bright),
    "signed" (blue, white, red), "grey".
    """
    # a map that is constant has no range
    shares = np.clip((value - low) / max(high - low, 1e-9), 0, 1)
    # NaN has no colour: it becomes the lowest
    codes = np.nan_to_num(shares * 255).astype("uint8")
    if scale == "grey":
        return np.repeat(codes[..., None], 3, -1)
    if scale == "signed":
        return signed_colours()[codes]
    if scale == "depth":
        # near is bright: TURBO runs from blue to red, and 0 is near
        mapped = cv2.applyColorMap(255 - codes, cv2.COLORMAP_TURBO)
    else:
        mapped = cv2.applyColorMap(codes, cv2.COLORMAP_INFERNO)
    # OpenCV's colours are blue, green, red
    return np.ascontiguousarray(mapped[..., ::-1]).astype("uint8")


@functools.cache
def signed_colours() -> Bytes:
    """Returns [256, 3]: blue over white in the middle to red."""
    t = np.linspace(-1, 1, 256)[:, None]
    ends = np.where(t < 0, np.array([[33, 82, 170]]), np.array([[178, 36, 44]]))
    # bent a little: weak curvature is still seen beside white
    return (247 + (ends - 247) * np.abs(t) ** 0.8).astype("uint8")


def enlarged(picture: Bytes, side: int, smooth: bool = True) -> Bytes:
    """Returns a picture [h, w] or [h, w, 3] at side x side pixels, uint8. smooth: cubic where it is
    larger than before, else by the nearest pixel; where it is smaller every pixel counts.
    """
    if side <= picture.shape[0]:
        # smaller: every pixel counts; larger: classes must not be mixed
        way = cv2.INTER_AREA
    else:
        way = cv2.INTER_CUBIC if smooth else cv2.INTER_NEAREST
    return cv2.resize(picture, (side, side), interpolation=way).astype("uint8")


def colour_bar(low: float, high: float, scale: str, height: int, width: int = 88) -> Bytes:
    """Returns uint8 [height, width, 3], a vertical scale with five marks; low at the bottom
    ("depth": the near end is at the top).
    """
    top, bottom = (low, high) if scale == "depth" else (high, low)
    ramp = np.linspace(top, bottom, height - 16)
    colours = coloured(ramp[:, None].repeat(18, 1), low, high, scale)
    page = Image.fromarray(blank(height, width))
    page.paste(Image.fromarray(colours), (6, 8))
    draw = ImageDraw.Draw(page)
    for share in np.linspace(0, 1, MARKS):
        y = 8 + share * (height - 17)
        number = spelled(float(top + share * (bottom - top)), high - low)
        draw.line((24, y, 29, y), INK)
        draw.text((32, y), number, INK, font(12), anchor="lm")
    return np.asarray(page)


def spelled(number: float, span: float) -> str:
    """Returns a number with as many decimals as tell marks of a scale of this span apart."""
    # one decimal more than the distance of two marks needs
    decimals = int(np.clip(np.ceil(1 - np.log10(max(span, 1e-9) / MARKS)), 0, 6))
    words = f"{number:.{decimals}f}"
    # "-0.00" is nothing
    return words.removeprefix("-") if float(words) == 0 else words


def key(entries: list[tuple[Colour, str]], height: int, width: int = 190) -> Bytes:
    """Returns uint8 [height, width, 3], a legend: a patch of colour and a word a line, as many as
    fit.
    """
    page = Image.fromarray(blank(height, width))
    draw = ImageDraw.Draw(page)
    for i, (colour, word) in enumerate(entries[: (height - 8) // LINE]):
        top = 8 + LINE * i
        draw.rectangle((8, top, 24, top + 16), tuple(int(c) for c in colour), INK)
        draw.text((32, top + 8), word, INK, font(13), anchor="lm")
    return np.asarray(page)


def beside(panels: list[Bytes], gap: int = 6) -> Bytes:
    """Returns uint8 [H, W, 3], panels [h, w, 3] in a row; a lower one stands at the top."""
    height = max(panel.shape[0] for panel in panels)
    row = []
    for panel in panels:
        below = blank(height - panel.shape[0], panel.shape[1])
        row += [np.concatenate([panel, below]), blank(height, gap)]
    return np.concatenate(row[:-1], axis=1)


def titled(panel: Bytes, words: str, size: int = 15) -> Bytes:
    """Returns a panel [h, w, 3] with a line of words above it, uint8 [h + size + 13, w, 3]."""
    return np.concatenate([text(words, panel.shape[1], size + 13, size=size), panel])


def headed(panel: Bytes, words: str) -> Bytes:
    """Returns a panel [h, w, 3] with a small line of words above it, uint8 [h + 20, w, 3]."""
    return np.concatenate([text(words, panel.shape[1], 20, size=12), panel])


def banded(panel: Bytes, words: str) -> Bytes:
    """Returns a panel, uint8 [h, w, 3], with words on a band of paper across its foot."""
    panel = panel.copy()
    panel[-24:] = text(words, panel.shape[1], 24, size=13)
    return panel


def overlay(photo: Bytes, ids: Integers, colours: Bytes, strength: float = 0.5) -> Bytes:
    """Returns the photo [H, W, 3] under the colours of ids [H, W], with dark lines where two ids
    meet.
    """
    # colours repeat beyond the palette: neighbouring segments still differ by the lines between
    # (wide integers: NumPy 2 takes no 256 beside uint8)
    mixed = photo * (1 - strength) + colours[ids.astype("int64") % len(colours)] * strength
    mixed[borders(ids)] *= 0.35
    return mixed.astype("uint8")


def borders(ids: Integers) -> Bools:
    """Returns [H, W], whether a pixel differs from the one to the left or above."""
    edge = np.zeros(ids.shape, bool)
    edge[:, 1:] |= ids[:, 1:] != ids[:, :-1]
    edge[1:] |= ids[1:] != ids[:-1]
    return edge


def palette(count: int) -> Bytes:
    """Returns uint8 [count, 3]: hues by the golden angle, so that neighbours differ; the first is
    grey.
    """
    steps = np.arange(count)
    # OpenCV's hues end at 180
    hue = (steps * 0.618034 * 180 % 180).astype("uint8")
    saturation = np.full(count, 190, "uint8")
    # every third hue is darker: hues alone run out of differences
    value = np.where(steps % 3 == 1, 190, 245).astype("uint8")
    hsv = np.stack([hue, saturation, value], -1)[None]
    colours = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0]
    colours[0] = (150, 150, 150)
    return colours.astype("uint8")
