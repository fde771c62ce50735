"""Draws an answer as a figure that a person can read: the picture, the map over or beside it in
colours with a scale, classes as bars with names, rooms and vanishing points as lines.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image

from models.tasks import TASKS, Task, by_kind
from models.tasks.arrays import Array, Bytes, Floats, Integers
from serving.bundle.class_names import channel_names
from serving.bundle.forms import code_of
from serving.bundle.published_codes import FARTHEST_SURFACE, per_metre
from serving.client.drawing import (
    Colour,
    banded,
    beside,
    blank,
    colour_bar,
    coloured,
    enlarged,
    headed,
    key,
    lines_of_text,
    overlay,
    palette,
    text,
    titled,
)
from serving.client.pixels import rgb8
from serving.client.readings import (
    SHOWN,
    constant_words,
    likeliest,
    magnitude,
)
from serving.client.scene_lines import (
    AXES,
    FIELD_OF_VIEW,
    ROOM_WORDS,
    VANISHING_WORDS,
    room_lines,
    vanishing_lines,
)

SIDE = 320  # pixels of a panel
GLIMPSE = 128  # pixels of a side that tell whether a picture is one colour
# Squared distance below which two pixels belong together with more than even odds
# (the pair metric of models/networks/losses/losses.py).
SAME_SEGMENT = math.log(3)
SEGMENTS = 24
LEAST_BEND = 0.5  # 1/metre that the scale of curvature spans at least
BAR_COLOUR: Colour = (70, 110, 180)
BEYOND = 120  # grey of what lies too far to be a surface
FACINGS: list[tuple[Colour, str]] = [
    ((255, 128, 128), "faces right"),
    ((0, 128, 128), "faces left"),
    ((128, 255, 128), "faces down"),
    ((128, 0, 128), "faces up"),
    ((128, 128, 0), "faces the camera"),
]


def photo_of(data: bytes) -> Bytes:
    """Returns uint8 [SIDE, SIDE, 3]: the square that the networks look at, upright."""
    with Image.open(io.BytesIO(data)) as image:
        return enlarged(middle_of(rgb8(image).value), SIDE)


def glimpse_of(data: bytes) -> Bytes:
    """Returns uint8 [S, S, 3]: the square that the networks look at, coarse, in a part of the time
    of `photo_of`.
    """
    with Image.open(io.BytesIO(data)) as image:
        # for a JPEG an eighth to a half as many pixels are decoded
        image.draft("RGB", (GLIMPSE, GLIMPSE))
        square = middle_of(rgb8(image).value)
    step = max(len(square) // GLIMPSE, 1)
    return square[::step, ::step]


def middle_of(pixels: Bytes) -> Bytes:
    """Returns the middle square of [H, W, 3], uint8 [S, S, 3], as the decoder in the graph cuts it,
    so that what is drawn over the picture lies where the network saw it.
    """
    height, width = pixels.shape[:2]
    side = min(height, width)
    top = (height - side) // 2
    left = (width - side) // 2
    return np.ascontiguousarray(pixels[top : top + side, left : left + side])


def figure(
    name: str, value: Array, photo: Bytes, metric: Array | None = None, more: str = ""
) -> Bytes | None:
    """Returns uint8 [H, W, 3], the figure of the answer `value` to task `name` about `photo` (as
    `photo_of` returns it).

    metric: a vector's numbers in metres and radians, where they are served. more: words after the
    title. None for vectors that are not drawn: they are numbers.
    """
    panels = headed_panels(name, value, photo, metric)
    if not panels:
        return None
    answer = [headed(panel, words) for words, panel in panels]
    return titled(beside([headed(photo, "input"), *answer]), TASKS[name].title + more)


def headed_panels(
    name: str, value: Array, photo: Bytes, metric: Array | None = None
) -> list[tuple[str, Bytes]]:
    """Returns (words above it, panel) of the answer to task `name`, as `figure` puts them beside
    the photo; keys and scales have no words. [] for what is not drawn.
    """
    entry = TASKS[name]
    panels = answer_panels(entry, value, photo, metric)
    words = constant_words(entry, value)
    # classes say it with words below the bars
    if panels and words and entry.output.kind != "classes":
        panels[0] = banded(panels[0], words)
    # as many headings as panels
    return list(zip(headings(entry, value) + [""] * len(panels), panels))


def headings(entry: Task, value: Array) -> list[str]:
    """Returns the words above the panels of an answer, [S, S, C] or [K], with the unit of its
    scale.
    """
    if entry.make == "curvature":
        return ["answer: the stronger, per metre; red convex", "answer: the weaker; blue hollow"]
    if entry.output.kind == "pixels" and entry.output.channels == 1:
        return [f"answer: {magnitude(entry, value).unit}"]
    return ["answer"]


def answer_panels(
    entry: Task, value: Array, photo: Bytes, metric: Array | None = None
) -> list[Bytes]:
    """Returns what stands to the right of the picture, the answer first; [] for what is not
    drawn.
    """
    return PANELS[entry.output.kind](entry, value, photo, metric)


def pixel_panels(entry: Task, value: Array, photo: Bytes, metric: Array | None) -> list[Bytes]:
    """Returns panels, uint8 [SIDE, w, 3], of a map [S, S, C]."""
    if entry.make == "curvature":
        return curvature_panels(value)
    if entry.output.channels == 3:
        return colour_panels(entry, value)
    return magnitude_panels(entry, value)


def magnitude_panels(entry: Task, value: Floats, like: Floats | None = None) -> list[Bytes]:
    """Returns panels, uint8 [SIDE, w, 3], of a map [S, S, 1], with its scale, which is that of the
    map `like` if there is one. A map that is nearly constant is not stretched.
    """
    amount = magnitude(entry, value)
    decides = value if like is None else like
    ends = magnitude(entry, decides)
    low, high = ends.low, ends.high
    scale = {"depth": "depth", "reshading": "grey"}.get(entry.make, "heat")
    # shades keep their range: stretched, a room in the dark would look lit
    if ends.full and (scale == "grey" or constant_words(entry, decides)):
        low, high = ends.full
    # a range around what is constant, so that one colour is seen and the scale says which
    elif constant_words(entry, decides):
        low, high = low / 2, high * 1.5
    colours = coloured(amount.value, low, high, scale)
    if entry.make == "depth":
        # windows and the like have no place on the scale
        far = amount.value >= FARTHEST_SURFACE
        colours = np.where(far[..., None], np.uint8(BEYOND), colours)
    return [enlarged(colours, SIDE), colour_bar(low, high, scale, SIDE)]


def curvature_panels(value: Floats, like: Floats | None = None) -> list[Bytes]:
    """Returns panels, uint8 [SIDE, w, 3], of the stronger and the weaker curvature of a map [S, S,
    2] on one scale, that of `like` if there is one.
    """
    bends = per_metre(value)
    strongest = np.abs(bends if like is None else per_metre(like))
    # symmetric, so that white is flat
    high = max(float(np.percentile(strongest, SHOWN[1])), LEAST_BEND)
    maps = [enlarged(coloured(bends[..., i], -high, high, "signed"), SIDE) for i in range(2)]
    return [*maps, colour_bar(-high, high, "signed", SIDE)]


def colour_panels(entry: Task, value: Floats) -> list[Bytes]:
    """Returns panels, uint8 [SIDE, w, 3], of normals [S, S, 3] with a legend, or of colours as they
    are.
    """
    if entry.make != "normal":
        return [enlarged(rgb(value), SIDE)]
    # networks answer normals of about unit length: colours stand for directions alone
    length = np.linalg.norm(value, axis=-1, keepdims=True)
    return [enlarged(rgb(value / np.maximum(length, 1e-6)), SIDE), key(FACINGS, SIDE, 150)]


def rgb(value: Floats) -> Bytes:
    """Converts [-1, 1] to colours."""
    return np.rint(np.clip((value + 1) / 2, 0, 1) * 255).astype("uint8")


def class_map_panels(entry: Task, value: Array, photo: Bytes, metric: Array | None) -> list[Bytes]:
    """Returns classes over the photo, and a key with each class's share of the picture, largest
    first; [] for the 313 colour bins, which nobody could tell apart.
    """
    if code_of(entry) is None:
        return []
    ids = value.argmax(-1)
    names = channel_names(entry.name)
    colours = palette(len(names))
    shares = np.bincount(ids.ravel(), minlength=len(names)) / ids.size
    order = [int(i) for i in np.argsort(-shares) if shares[i] > 0]
    overlay = colours_over(photo, ids, colours)
    entries = [(patch(colours[i]), f"{names[i]}  {shares[i]:.0%}") for i in order]
    return [overlay, key(entries, SIDE)]


def colours_over(photo: Bytes, ids: Integers, colours: Bytes) -> Bytes:
    """Returns uint8 [SIDE, SIDE, 3], the photo of that shape under a map of ids [s, s] of any side.
    colours: uint8 [ids, 3].
    """
    # nearest: a mean of two ids would be a third
    large = cv2.resize(ids.astype("int32"), (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)
    return overlay(photo, large, colours)


def patch(colour: Bytes) -> Colour:
    """Returns a colour, uint8 [3], as numbers."""
    red, green, blue = (int(value) for value in colour)
    return red, green, blue


def segment_panels(entry: Task, value: Array, photo: Bytes, metric: Array | None) -> list[Bytes]:
    """Returns panels, uint8 [SIDE, w, 3]: segments of an embedding [S, S, C] over the photo, and
    how many there are.
    """
    ids = segments_of(value)
    # without the grey that classes without a name have
    overlay = colours_over(photo, ids, palette(SEGMENTS + 1)[1:])
    count = len(np.unique(ids))
    words = "one segment: not parted" if count == 1 else f"{count} segments"
    return [overlay, lines_of_text([words], SIDE, 150)]


def segments_of(embedding: Floats) -> Integers:
    """Converts embeddings [S, S, c] to segment ids [S, S]: pixels within even odds of a centre are
    one segment; the centre that gathers most comes first.

    Each pixel stands for the mean of its neighbourhood, an eleventh of the side wide, so that
    single pixels do not fall to far-off segments.
    """
    side = embedding.shape[0]
    # odd: a window has a middle
    width = max(side // 11, 1) | 1
    channels = [np.asarray(layer, "float32") for layer in np.moveaxis(embedding, -1, 0)]
    smooth = np.stack([cv2.blur(layer, (width, width)) for layer in channels], -1)
    points = smooth.reshape(side * side, -1)
    # 256 candidates spread over the picture: all pairs of pixels would be 65,000 squared
    some = np.unique(np.linspace(0, len(points) - 1, min(len(points), 256)).astype(int))
    distance = ((points[:, None] - points[some]) ** 2).sum(-1)
    centres = segment_centres(distance)
    return distance[:, centres].argmin(1).reshape(side, side)


def segment_centres(distance: Floats) -> list[int]:
    """Returns the centres of segments as columns of `distance` [pixel, candidate], squared. They
    are chosen greedily: each takes the most free pixels, until a hundredth is left.
    """
    free = np.ones(len(distance), bool)
    centres: list[int] = []
    # a hundredth is left: single pixels would each become a segment
    while free.mean() > 0.01 and len(centres) < SEGMENTS:
        best = int(((distance < SAME_SEGMENT) & free[:, None]).sum(0).argmax())
        gathered = (distance[:, best] < SAME_SEGMENT) & free
        # a pixel that is far from every candidate belongs to none
        if not gathered.any():
            break
        centres.append(best)
        free &= ~gathered
    return centres


def bar_panels(entry: Task, value: Array, photo: Bytes, metric: Array | None) -> list[Bytes]:
    """Returns a panel, uint8 [SIDE, SIDE, 3]: the likeliest classes of logits [K], each with its
    name, probability and a bar.
    """
    rows = []
    for word, share in likeliest(entry.name, value):
        bar = blank(14, SIDE)
        # two pixels at least: a bar that says nothing is still seen to be one
        bar[:, : max(2, int(share * (SIDE - 8)))] = BAR_COLOUR
        rows += [text(f"{word}  {share:.1%}", SIDE, 26), bar]
    words = constant_words(entry, value)
    if words:
        rows.append(text(words, SIDE, 40))
    page = np.concatenate(rows)[:SIDE]
    return [np.concatenate([page, blank(SIDE - len(page), SIDE)])]


def vector_panels(entry: Task, value: Array, photo: Bytes, metric: Array | None) -> list[Bytes]:
    """Returns lines over the photo, with what their colours mean and the numbers; [] for vectors
    that are not drawn.
    """
    numbers = np.asarray(value if metric is None else metric, "float64")
    # whitened numbers have no metres, and cannot be drawn as a room
    if entry.make == "room_layout" and metric is not None:
        panel = room_lines(numbers, photo)
        axes = ROOM_WORDS
    elif entry.make == "vanishing_points":
        panel = vanishing_lines(numbers, photo)
        axes = VANISHING_WORDS
    else:
        return []
    legend = key(list(zip(AXES, axes)), 84)
    words = [f"{name}  {number:.2f}" for name, number in zip(entry.names, numbers)]
    words = [f"drawn for a view of {FIELD_OF_VIEW} degrees", *words]
    return [panel, np.concatenate([legend, lines_of_text(words, SIDE - 84)])]


Panels = Callable[[Task, Array, Bytes, Array | None], list[Bytes]]
PANELS: dict[str, Panels] = by_kind(
    "figure of an answer",
    {
        "pixels": pixel_panels,
        "pixel_classes": class_map_panels,
        "embedding": segment_panels,
        "classes": bar_panels,
        "vector": vector_panels,
    },
)
