"""Makes an answer as the page shows it: a figure with its legend, numbers with their unit, how sure
it is, and a warning where it says hardly more than a constant would.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np

from models.examples.published import encode_png
from models.tasks import TASKS, Task
from models.tasks.arrays import Array, Bytes
from serving.client.answers import description, same_pictures, sheet
from serving.client.figures import figure, headed_panels, photo_of, segments_of
from serving.client.readings import likeliest, one_colour_words
from serving.console.lineage import Lineage

NEARLY_ALL = 0.98  # share of a picture from which one class counts as being everywhere
Shown = dict[str, Any]


def shown_answers(answers: Mapping[str, Array], image: bytes, lineage: Lineage) -> Shown:
    """Returns {"answers": one entry a task, in the dictionary's order, "photo": the part of it that
    the networks saw, "sheet": all figures}.

    answers: as `Client.ask` returns them, [S, S, C] or [K]; image: the encoded first photo.
    Pictures are data addresses of PNGs.
    """
    photo = photo_of(image)
    names = [name for name in TASKS if name in answers]
    same = {other: name for name, others in same_pictures(answers).items() for other in others}
    figures = {
        name: figure(name, answers[name], photo, answers.get(f"{name}_metric")) for name in names
    }
    empty = one_colour_words(photo)
    pictures = [picture for name, picture in figures.items() if picture is not None]
    return {
        "answers": [
            entry_of(name, answers, figures[name], lineage, empty)
            | {"panels": panels_of(name, answers, photo)}
            | ({"same": TASKS[same[name]].title} if name in same else {})
            for name in names
        ],
        "photo": address_of_picture(photo),
        "sheet": address_of_picture(sheet(pictures)) if pictures else "",
    }


def entry_of(
    name: str, answers: Mapping[str, Array], picture: Bytes | None, lineage: Lineage, empty: str
) -> Shown:
    """Returns the entry of one task for the page. picture: its figure, uint8 [H, W, 3]; empty: what
    is said of a photo that shows nothing, or "".
    """
    value = answers[name]
    entry = TASKS[name]
    reading = description(name, value, answers.get(f"{name}_metric"))
    # one warning about constant answers: the description's own says it better
    doubts = [empty, reading.get("note") or constant_doubt(entry, value), lineage.doubt(name)]
    return {
        "task": name,
        "title": entry.title,
        "views": entry.images,
        "figure": "" if picture is None else address_of_picture(picture),
        "rows": rows_of(reading),
        "unit": unit_of(entry, reading),
        "warnings": [words for words in doubts if words],
        "confidence": f"{probability_words(entry, value)}{lineage.quality_clause(name)}",
        "origin": lineage.origin(name),
        "said": reading,
    }


def panels_of(name: str, answers: Mapping[str, Array], photo: Bytes) -> list[Shown]:
    """Returns the parts of the figure one by one, {"words", "picture"}: a page puts them side by
    side or below each other, as its width allows, and their words stand outside the pictures.
    photo: uint8 [SIDE, SIDE, 3].
    """
    panels = headed_panels(name, answers[name], photo, answers.get(f"{name}_metric"))
    return [{"words": words, "picture": address_of_picture(panel)} for words, panel in panels]


def unit_of(entry: Task, reading: Shown) -> str:
    """Returns the unit of the numbers in the table, and what they are about where the figure shows
    two maps.
    """
    unit: str = reading.get("unit", "")
    return f"{unit}, both curvatures together" if entry.make == "curvature" else unit


def address_of_picture(picture: Bytes) -> str:
    """Returns the data address of a picture, uint8 [H, W, 3], as PNG."""
    return f"data:image/png;base64,{base64.b64encode(encode_png(picture)).decode()}"


def rows_of(reading: Shown) -> list[tuple[str, str]]:
    """Returns (what, how much) of a description, for a table."""
    if "classes" in reading:
        return [(row["name"], f"{row['probability']:.1%}") for row in reading["classes"]]
    if "shares" in reading:
        return [(name, f"{share:.1%}") for name, share in reading["shares"].items()]
    if "numbers" in reading:
        return [(name, f"{number:g}") for name, number in reading["numbers"].items()]
    if "segments" in reading:
        return [("segments", f"{reading['segments']}")]
    words = {"low": "2 % lie below", "middle": "half lies below", "high": "98 % lie below"}
    return [(word, f"{reading[key]:g}") for key, word in words.items()]


def constant_doubt(entry: Task, value: Array) -> str:
    """Returns words of doubt where a map [S, S, C] of classes or segments is the same all over the
    picture, else "". Regressions and classes say so of themselves, in the note of their
    description.
    """
    if entry.output.kind == "pixel_classes":
        ids = value.argmax(-1)
        share = np.bincount(ids.ravel()).max() / ids.size
        return "one class nearly everywhere" if share >= NEARLY_ALL else ""
    if entry.output.kind == "embedding" and len(np.unique(segments_of(value))) == 1:
        return "one segment: the picture is not parted"
    return ""


def probability_words(entry: Task, value: Array) -> str:
    """Returns words that give the own probability of an answer, [S, S, C] or [K], where it has one,
    else "".
    """
    if entry.output.kind == "classes":
        word, share = likeliest(entry.name, value, 1)[0]
        return f"{share:.0%} for {word}"
    if entry.output.kind == "pixel_classes":
        return f"{mean_share(value):.0%} for the likeliest class, mean of all pixels"
    return "this kind of answer carries no probability"


def mean_share(logits: Array) -> float:
    """Returns the mean over pixels of the likeliest class's probability, from logits [S, S,
    classes].
    """
    # minus the largest of each pixel: its own exponential is then 1, hence the share 1 / sum
    lead = np.exp(logits - logits.max(-1, keepdims=True))
    return float((1 / lead.sum(-1)).mean())
