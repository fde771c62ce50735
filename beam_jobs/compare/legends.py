"""Shows the labels of several views on one scale, with the legend that says what a colour means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from models.tasks import DOMAINS, TASKS
from models.tasks.arrays import Array, Bytes, Floats

Colour = tuple[int, int, int]
# Of segment and class ids: drawn once, so that a class has its colour in every sheet.
COLOURS = (np.random.default_rng(0).uniform(0.15, 0.95, (256, 3)) * 255).astype("uint8")
RAMPS = {
    "depth_zbuffer": "m along the axis",
    "depth_euclidean": "m along the ray",
    "edge_texture": "code",
    "edge_occlusion": "code",
    "keypoints2d": "code",
    "keypoints3d": "code",
    "reshading": "code",
}
PATCHES: dict[str, tuple[tuple[Colour, str], ...]] = {
    "normal": (
        ((128, 128, 0), "to the camera"),
        ((255, 128, 128), "right"),
        ((0, 128, 128), "left"),
        ((128, 0, 128), "up"),
        ((128, 255, 128), "down"),
        ((128, 128, 128), "no surface"),
    ),
    "principal_curvature": (
        ((254, 127, 0), "larger one, +"),
        ((0, 127, 0), "larger one, -"),
        ((127, 254, 0), "smaller one, +"),
        ((127, 127, 0), "flat"),
    ),
}
WORDS = {
    "segment_unsup2d": "a colour a segment",
    "segment_unsup25d": "a colour a segment",
}
SHOWN_PERCENTILES = (2, 98)  # few pixels beyond them would make all others alike
PAPER = (24, 24, 28)
INK = (230, 230, 230)
LEAST_TILE = 128  # pixels: smaller views are enlarged, so that a legend fits beside them


@dataclass(frozen=True)
class Layout:
    """The measures of a sheet, in pixels. side: of a view's tile; letters are in proportion."""

    side: int

    @property
    def letter(self) -> int:
        return max(12, self.side // 22)

    @property
    def caption_height(self) -> int:
        return self.letter * 5 // 3

    @property
    def title_width(self) -> int:
        return self.letter * 11

    @property
    def legend_width(self) -> int:
        return self.letter * 15

    def font(self) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
        """Returns Pillow's own font, so that none has to be installed."""
        return ImageFont.load_default(self.letter)


@dataclass(frozen=True)
class Shown:
    """One label of all views. tiles: [S, S, 3] uint8 each, None where a view lacks it. low, high:
    what black and white mean, in `unit`; patches: colours and their meaning; words: the legend
    where there is neither.
    """

    title: str
    tiles: tuple[Bytes | None, ...]
    unit: str = ""
    low: float = 0.0
    high: float = 0.0
    patches: tuple[tuple[Colour, str], ...] = ()
    words: str = ""


def shown(values: Sequence[Array | None], label: str, units: Sequence[float]) -> Shown:
    """Returns the label of every view on one scale, with its legend. values: [S, S] or [S, S, 3],
    None where a view has none. units: depth codes a metre, one number a view.
    """
    if label in RAMPS:
        return on_ramp(values, label, units)
    if label == "segment_semantic":
        tiles = [None if value is None else COLOURS[value] for value in values]
        return Shown(label, tuple(tiles), patches=classes_there(values))
    if label in WORDS:
        tiles = [None if value is None else COLOURS[value] for value in values]
        return Shown(label, tuple(tiles), words=WORDS[label])
    return Shown(label, tuple(values), patches=PATCHES.get(label, ()))


def on_ramp(values: Sequence[Array | None], label: str, units: Sequence[float]) -> Shown:
    """Returns the label in grey, black at the 2nd percentile of all views together and white at the
    98th; what is missing is black. values: [S, S] codes, None where a view has none.
    """
    missing = DOMAINS[label].missing
    steps = units if label.startswith("depth_") else [1.0] * len(values)
    measures = [
        None if value is None else np.where(value == missing, np.nan, value / step)
        for value, step in zip(values, steps)
    ]
    finite = [measure[np.isfinite(measure)] for measure in measures if measure is not None]
    numbers = np.concatenate(finite) if finite else np.zeros(0)
    low, high = np.percentile(numbers, SHOWN_PERCENTILES) if numbers.size else (0.0, 1.0)
    # labels of a single value have no range to divide by
    high = max(high, low + 1e-6)
    tiles = [None if measure is None else grey(measure, low, high) for measure in measures]
    return Shown(label, tuple(tiles), unit=RAMPS[label], low=float(low), high=float(high))


def grey(measure: Floats, low: float, high: float) -> Bytes:
    """Returns [S, S, 3] uint8 in which `low` is black, `high` white, NaN black."""
    share = np.clip((np.nan_to_num(measure, nan=low) - low) / (high - low), 0, 1)
    return np.repeat((share * 255).astype("uint8")[..., None], 3, -1)


def classes_there(values: Sequence[Array | None]) -> tuple[tuple[Colour, str], ...]:
    """Returns a patch for every class that any view shows, the most frequent first. values: [S, S]
    uint8 ids.
    """
    ids = [value.ravel() for value in values if value is not None]
    if not ids:
        return ()
    counts = np.bincount(np.concatenate(ids), minlength=256)
    names = ("uncertain", *TASKS["segment_semantic"].names)
    # stable: equally frequent classes stay in the order of their ids
    there = [int(i) for i in np.argsort(-counts, kind="stable") if counts[i]]
    return tuple((colour_of(i), names[i] if i < len(names) else f"class {i}") for i in there)


def colour_of(number: int) -> Colour:
    red, green, blue = COLOURS[number].tolist()
    return red, green, blue


def legend(row: Shown, layout: Layout) -> Bytes:
    """Returns uint8 [side, legend width, 3]: a ramp with its ends and unit, patches with names, or
    words.
    """
    image = Image.new("RGB", (layout.legend_width, layout.side), PAPER)
    draw = ImageDraw.Draw(image)
    if row.unit:
        draw_ramp(draw, row, layout)
    line = layout.letter * 3 // 2
    for number, (colour, name) in enumerate(row.patches[: layout.side // line]):
        top = number * line + layout.letter // 4
        draw.rectangle((12, top, 12 + layout.letter, top + layout.letter), colour)
        place = (24 + layout.letter, top + layout.letter // 2)
        draw.text(place, name, INK, layout.font(), "lm")
    if row.words:
        draw.text((12, layout.side // 2), row.words, INK, layout.font(), "lm")
    return np.asarray(image)


def draw_ramp(draw: ImageDraw.ImageDraw, row: Shown, layout: Layout) -> None:
    """Draws a grey ramp, white on top and black below, with the numbers at its ends and middle."""
    right = 12 + layout.letter
    top = layout.letter
    bottom = layout.side - 3 * layout.letter
    for y in range(top, bottom + 1):
        level = round(255 * (bottom - y) / (bottom - top))
        draw.line((12, y, right, y), (level, level, level))
    draw.rectangle((12, top, right, bottom), outline=INK)
    for share in (0.0, 0.5, 1.0):
        place = bottom - share * (bottom - top)
        number = row.low + share * (row.high - row.low)
        words = f"{number:.1f}" if row.high < 100 else f"{number:,.0f}"
        draw.text((right + 8, place), words, INK, layout.font(), "lm")
    draw.text((12, layout.side - layout.letter), row.unit, INK, layout.font(), "lm")
