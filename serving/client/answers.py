"""Writes answers to disk: a figure a task, all figures on one sheet, and answers.json with classes,
numbers and ranges in words.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

# cv2 and Pillow, no TensorFlow: `ask` starts in half a second
import cv2
import numpy as np

from models.examples.published import encode_png
from models.provenance.atomic import atomic_file
from models.tasks import TASKS, by_kind
from models.tasks.arrays import Array, Bytes
from serving.bundle.class_names import channel_names
from serving.bundle.published_codes import per_metre
from serving.client.drawing import blank
from serving.client.figures import FACINGS, SIDE, figure, photo_of, segments_of
from serving.client.readings import SHOWN, alike, constant_words, likeliest, magnitude

SHEET_WIDTH = 1180  # pixels
SHEET_SCALE = 2
GAP = 12  # pixels
GREY = 128  # colour of the panel where there is no picture


def save_answers(
    answers: Mapping[str, Array], folder: Path, image: bytes | None = None
) -> list[Path]:
    """Writes <task>.png for what can be drawn, sheet.png with all of them, and answers.json;
    returns the paths in this order.

    answers: as `Client.ask` returns them, [S, S, C] or [K]. image: the encoded picture that the
    figures stand beside (grey without one). Files are written whole or not at all.
    """
    photo = blank(SIDE, SIDE, (GREY, GREY, GREY)) if image is None else photo_of(image)

    def drawing(name: str, more: str = "") -> Bytes | None:
        return figure(name, answers[name], photo, answers.get(f"{name}_metric"), more)

    figures = {name: drawing(name) for name in answers if name in TASKS}
    pictures = {name: picture for name, picture in figures.items() if picture is not None}
    saved = [written(folder / f"{name}.png", encode_png(one)) for name, one in pictures.items()]
    # one figure is its own sheet
    if len(pictures) > 1:
        for name, others in same_pictures(answers).items():
            for other in others:
                del pictures[other]
            titles = ", ".join(TASKS[other].title.lower() for other in others)
            # drawn again: its title now says whom it stands for
            again = drawing(name, f"; {titles} answers the same")
            pictures[name] = pictures[name] if again is None else again
        saved.append(written(folder / "sheet.png", encode_png(sheet(list(pictures.values())))))
    saved.append(written(folder / "answers.json", json.dumps(words(answers), indent=1).encode()))
    return saved


def written(path: Path, data: bytes) -> Path:
    with atomic_file(path, "wb") as file:
        file.write(data)
    return path


def same_pictures(answers: Mapping[str, Array]) -> dict[str, list[str]]:
    """Returns task -> other tasks that paint the same picture, which the sheet shows once. answers:
    [S, S, C] or [K].
    """
    same: dict[str, list[str]] = {}
    names: list[str] = []
    for name in answers:
        # with the first of each kind, so that likeness need not be transitive
        like = [other for other in names if alike(name, answers[name], other, answers[other])]
        if like:
            same.setdefault(like[0], []).append(name)
        else:
            names.append(name)
    return same


def words(answers: Mapping[str, Array]) -> dict[str, dict[str, Any]]:
    """Returns task -> its answer without pixels: likeliest classes, named numbers with their unit,
    the range of a map, the number of its segments. answers: [S, S, C] or [K] by task, and [K] in
    metres and radians by <task>_metric.
    """
    return {
        name: description(name, value, answers.get(f"{name}_metric"))
        for name, value in answers.items()
        if name in TASKS
    }


def description(name: str, value: Array, metric: Array | None = None) -> dict[str, Any]:
    """Returns one answer in words, with a `note` where it says no more than a constant would.
    value: [S, S, C] or [K]; metric: [K], the same numbers in metres and radians.
    """
    entry = TASKS[name]
    facts = FACTS[entry.output.kind](name, value, metric)
    note = constant_words(entry, value)
    return {"title": entry.title, **facts, **({"note": note} if note else {})}


def class_words(name: str, value: Array, metric: Array | None) -> dict[str, Any]:
    """Returns the likeliest classes of logits [K], with their probabilities."""
    classes = likeliest(name, value)
    return {"classes": [{"name": word, "probability": round(p, 6)} for word, p in classes]}


def vector_words(name: str, value: Array, metric: Array | None) -> dict[str, Any]:
    """Returns the named numbers of a vector [K], those of `metric` [K] if there is one, with their
    unit.
    """
    entry = TASKS[name]
    # metres and radians where the bundle knows them, else the whitened numbers of the network
    numbers = value if metric is None else metric
    values = {word: round(float(number), 4) for word, number in zip(entry.names, numbers)}
    in_units = metric is not None or not entry.whitened
    return {"unit": "as named" if in_units else entry.unit, "numbers": values}


def share_words(name: str, value: Array, metric: Array | None) -> dict[str, Any]:
    """Returns the classes of a map of logits [S, S, K] with their shares of the picture, largest
    first.
    """
    classes = TASKS[name].output.channels
    shares = np.bincount(value.argmax(-1).ravel(), minlength=classes) / value[..., 0].size
    order = [i for i in np.argsort(-shares) if shares[i] > 0]
    names = channel_names(name)
    return {"shares": {names[i]: round(float(shares[i]), 6) for i in order}}


def segment_words(name: str, value: Array, metric: Array | None) -> dict[str, Any]:
    """Returns how many segments the figure of an embedding [S, S, C] shows; the embedding's numbers
    mean nothing one by one.
    """
    count = len(np.unique(segments_of(value)))
    return {"unit": "count", "shape": list(value.shape), "segments": count}


def range_words(name: str, value: Array, metric: Array | None) -> dict[str, Any]:
    """Returns the range of a map [S, S, C] in the unit that its figure shows; for normals, whose x,
    y and z have no range in common, the share of the picture that faces each way.
    """
    entry = TASKS[name]
    unit = entry.unit
    if entry.make == "normal":
        return {"unit": "share of the picture", "shares": facings(value)}
    number = value
    if entry.make == "curvature":
        number = per_metre(value)
        unit = "1 / metre"
    elif entry.output.kind == "pixels" and entry.output.channels == 1:
        scaled = magnitude(entry, value)
        number = scaled.value
        # as entries of other tasks write the unit: one metre
        unit = {"metres": "metre"}.get(scaled.unit, scaled.unit)
    low, middle, high = np.percentile(number, [SHOWN[0], 50, SHOWN[1]])
    return {
        "unit": unit,
        "shape": list(value.shape),
        "low": significant(low),
        "middle": significant(middle),
        "high": significant(high),
    }


def facings(normals: Array) -> dict[str, float]:
    """Returns the words of `FACINGS` -> share of pixels [S, S, 3] whose normal is nearest to that
    direction, largest first.
    """
    ways = np.array([colour for colour, _ in FACINGS]) / 127.5 - 1
    nearest = (normals.reshape(-1, 3) @ ways.T).argmax(1)
    shares = np.bincount(nearest, minlength=len(ways)) / len(nearest)
    order = [i for i in np.argsort(-shares) if shares[i] > 0]
    return {FACINGS[i][1]: round(float(shares[i]), 6) for i in order}


FACTS: dict[str, Callable[[str, Array, Array | None], dict[str, Any]]] = by_kind(
    "words of an answer",
    {
        "pixels": range_words,
        "pixel_classes": share_words,
        "embedding": segment_words,
        "classes": class_words,
        "vector": vector_words,
    },
)


def significant(number: float) -> float:
    """Returns a number rounded to five significant digits: magnitudes of textures are
    thousandths.
    """
    return float(f"{float(number):.5g}")


def sheet(figures: list[Bytes]) -> Bytes:
    """Returns uint8 [H, W, 3], all figures [h, w, 3] at half their size, in rows filled from left
    to right.
    """
    rows: list[list[Bytes]] = [[]]
    for panel in map(halved, figures):
        if rows[-1] and row_width([*rows[-1], panel]) > SHEET_WIDTH:
            rows.append([])
        rows[-1].append(panel)
    width = max(map(row_width, rows))
    return np.concatenate([row_picture(row, width) for row in rows])


# half the size by area: thin lines of legends would be lost by picking pixels
def halved(panel: Bytes) -> Bytes:
    """Returns a panel [h, w, 3] at half its size, uint8 [h / 2, w / 2, 3]."""
    height, width = panel.shape[:2]
    size = (width // SHEET_SCALE, height // SHEET_SCALE)
    return cv2.resize(panel, size, interpolation=cv2.INTER_AREA).astype("uint8")


def row_width(row: list[Bytes]) -> int:
    """Returns the width in pixels of figures [h, w, 3] in a row, with the gaps between them."""
    return sum(panel.shape[1] + GAP for panel in row)


def row_picture(row: list[Bytes], width: int) -> Bytes:
    """Returns uint8 [H, width, 3], figures [h, w, 3] side by side on paper."""
    page = blank(max(panel.shape[0] for panel in row) + GAP, width)
    left = GAP // 2
    for panel in row:
        page[GAP // 2 : GAP // 2 + panel.shape[0], left : left + panel.shape[1]] = panel
        left += panel.shape[1] + GAP
    return page
