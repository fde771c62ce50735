"""Draws a contact sheet of a data set in the published layout: views side by side, pictures above
labels, each row with its name, its legend and one scale for all views.

python -m beam_jobs sheet --data data --out sheet.png --labels rgb normal depth_zbuffer
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from beam_jobs.compare.frames import Frame, frames, spread
from beam_jobs.compare.legends import INK, LEAST_TILE, PAPER, Layout, Shown, legend, shown
from beam_jobs.ingest.known_bad import read_facts
from models.arguments.numbers import count
from models.arguments.places import named_path
from models.examples.published import encode_png
from models.provenance.atomic import atomic_file
from models.tasks import DOMAINS
from models.tasks.arrays import Bytes

PICTURES = tuple(
    name for name, domain in DOMAINS.items() if domain.per_view and domain.file == "png"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `sheet` to its parser."""
    parser.add_argument("--data", type=named_path, required=True, help="folder of the data set")
    parser.add_argument("--out", type=named_path, required=True, help="PNG to write")
    parser.add_argument(
        "--labels",
        nargs="+",
        default=["rgb"],
        help="folders to show, one row each for every row of views (default: rgb)",
    )
    parser.add_argument(
        "--views",
        type=count,
        default=24,
        help="views to show, spread evenly over all (default: 24)",
    )
    parser.add_argument("--columns", type=count, default=6, help="views side by side (default: 6)")


def run(options: argparse.Namespace) -> int:
    """Writes the contact sheet as a PNG file and returns the exit code."""
    image = sheet(options.data, options.labels, options.views, options.columns)
    if not options.out.parent.is_dir():
        raise OSError(f"{options.out} cannot be written; name a .png in a folder that exists")
    with atomic_file(options.out, "wb") as file:
        file.write(encode_png(image))
    print(f"{options.out}: {image.shape[1]} x {image.shape[0]} pixels", file=sys.stderr)
    return 0


def sheet(data: Path, labels: Sequence[str], views: int, columns: int) -> Bytes:
    """Returns the contact sheet as uint8 [height, width, 3]. Raises ValueError for a label that has
    no picture for each view, or a folder without views.
    """
    unknown = [label for label in labels if label not in PICTURES]
    if unknown:
        raise ValueError(
            f"no pictures of {', '.join(unknown)}; the data set has {', '.join(sorted(PICTURES))}"
        )
    try:
        sample = spread(frames(data), views)
    except ValueError as error:
        raise ValueError(
            f"{error}; without data of your own, `python -m beam_jobs annotate --out DIR` makes a "
            "data set in another folder"
        ) from error
    columns = min(columns, len(sample))
    facts = read_facts(str(data))
    units = [facts.depth_units(frame.building, frame.component) for frame in sample]
    rows = [shown([frame.map(label) for frame in sample], label, units) for label in labels]
    layout = Layout(tile_side(rows))
    bands = []
    for start in range(0, len(sample), columns):
        several = slice(start, start + columns)
        bands.append(captions(sample[several], columns, layout))
        bands += [band(row, row.tiles[several], columns, layout) for row in rows]
    return np.concatenate(bands)


def tile_side(rows: Iterable[Shown]) -> int:
    """Returns the side of a tile in pixels: that of the largest view, times the least whole number
    that makes it `LEAST_TILE` at least.
    """
    sides = [len(tile) for row in rows for tile in row.tiles if tile is not None]
    largest = max(sides, default=LEAST_TILE)
    # a whole number, rounded up: pixels stay squares of equal size
    return largest * -(-LEAST_TILE // largest)


def captions(row: Sequence[Frame], columns: int, layout: Layout) -> Bytes:
    """Returns uint8 [h, w, 3], the picture of a line of text that says which view stands below, and
    in which building; of two lines where the two do not fit into one.
    """

    def length(text: str) -> float:
        return ImageDraw.Draw(Image.new("RGB", (1, 1))).textlength(text, layout.font())

    room = layout.side - 8
    titles = [(frame.building, frame.name.replace("_", " ")) for frame in row]
    if all(length(" ".join(names)) <= room for names in titles):
        texts = [[" ".join(names)] for names in titles]
    else:
        texts = [[shortened(name, length, room) for name in names] for names in titles]
    width = layout.title_width + columns * layout.side + layout.legend_width
    height = layout.caption_height
    image = Image.new("RGB", (width, height * len(texts[0])), PAPER)
    draw = ImageDraw.Draw(image)
    for number, lines in enumerate(texts):
        for line, words in enumerate(lines):
            place = (layout.title_width + number * layout.side + 4, line * height + height // 2)
            draw.text(place, words, INK, layout.font(), "lm")
    return np.asarray(image)


def shortened(words: str, length: Callable[[str], float], room: float) -> str:
    """Returns words with as much of their middle left out as does not fit: names differ in their
    beginning or their end. length: of a text, in pixels.
    """
    letters, text = len(words), words
    while length(text) > room and letters:
        letters -= 1
        # three points: Pillow's own font may lack the sign for them
        text = f"{words[: letters // 2]}...{words[len(words) - (letters - letters // 2) :]}"
    return text


def band(row: Shown, tiles: Sequence[Bytes | None], columns: int, layout: Layout) -> Bytes:
    """Returns uint8 [side, w, 3], the picture of one label of up to `columns` views: the label's
    name, the views, the legend.
    """
    side = layout.side
    title = Image.new("RGB", (layout.title_width, side), PAPER)
    ImageDraw.Draw(title).text((10, side // 2), row.title, INK, layout.font(), "lm")
    parts = [np.asarray(title), *(placed(tile, layout) for tile in tiles)]
    parts += [np.full((side, side, 3), PAPER, "uint8")] * (columns - len(tiles))
    return np.concatenate([*parts, legend(row, layout)], 1)


def placed(tile: Bytes | None, layout: Layout) -> Bytes:
    """Returns a view's tile, uint8 [side, side, 3], at the size of the sheet's tiles, or words
    where the view has no such label.
    """
    side = layout.side
    if tile is None:
        empty = Image.new("RGB", (side, side), PAPER)
        centre = (side // 2, side // 2)
        ImageDraw.Draw(empty).text(centre, "not there", INK, layout.font(), "mm")
        return np.asarray(empty)
    if len(tile) == side:
        return tile
    # nearest: colours between two colours would be in no legend
    return np.asarray(Image.fromarray(tile).resize((side, side), Image.Resampling.NEAREST))
