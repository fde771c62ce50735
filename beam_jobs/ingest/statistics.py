"""Describes the labels of a split in numbers, a line for each label, gathered while views are
written, from exact sums only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from models.examples.contract import pixels_of, seen_pixels
from models.tasks import DOMAINS, View
from models.tasks.arrays import Array

CLASSES = {
    folder: domain.channels for folder, domain in DOMAINS.items() if domain.file == "npy"
} | {"segment_semantic": 18}
# Of one shard, or of a split: {"views", "labels", "field_of_view"}, plain numbers for JSON.
Totals = dict[str, Any]


def empty() -> Totals:
    """Returns the totals of no view. field_of_view: views with a camera, sum and sum of squares of
    radians. labels: by folder, as `add` counts them.
    """
    return {"views": 0, "labels": {}, "field_of_view": [0, 0.0, 0.0]}


def empty_label() -> Totals:
    """Returns the counts of a label that no view has yet."""
    return {
        "views": 0,
        "values": 0,
        "missing": 0,
        "sum": 0.0,
        "squares": 0.0,
        "min": math.inf,
        "max": -math.inf,
    }


def add(totals: Totals, view: View) -> None:
    """Adds a view to the totals. labels[folder]: values, missing, sum and sum of squares of the
    codes (all channels together), min, max, and counts of classes.
    """
    totals["views"] += 1
    if view.camera is not None:
        count, total, squares = totals["field_of_view"]
        angle = view.camera.field_of_view
        totals["field_of_view"] = [count + 1, total + angle, squares + angle * angle]
    for folder, value in {"rgb": view.rgb, **view.labels}.items():
        row = totals["labels"].setdefault(folder, empty_label())
        add_codes(row, value, folder)
        if folder in CLASSES:
            counts = class_counts(value, folder)
            row["classes"] = (np.array(row.get("classes", 0)) + counts).tolist()


def add_codes(row: Totals, value: Array, folder: str) -> None:
    """Adds the codes of one label of a view, [S, S], [S, S, 3] or [n], to its row; those that say
    "missing" are counted apart.
    """
    import cv2

    plane = value.reshape(len(value), -1)
    mask = seen_codes(value, folder)
    count = plane.size
    if mask is not None:
        count = cv2.countNonZero(mask)
        row["missing"] += plane.size - count
    row["views"] += 1
    row["values"] += count
    if count:
        # Norms of codes, which are never negative, are sums of them and of their squares, in a
        # tenth of the time of `cv2.meanStdDev`; the arithmetic is its own to the last bit. OpenCV
        # takes the root of a sum of squares and squares it again: hence `round`.
        part = 1 / count
        mean = cv2.norm(plane, cv2.NORM_L1, mask=mask) * part
        variance = round(cv2.norm(plane, cv2.NORM_L2SQR, mask=mask)) * part - mean * mean
        std = math.sqrt(max(0.0, variance))
        low, high, _, _ = cv2.minMaxLoc(plane, mask=mask)
        row["sum"] += mean * count
        # the mean square is the variance plus the square of the mean
        row["squares"] += (std * std + mean * mean) * count
        row["min"] = min(row["min"], low)
        row["max"] = max(row["max"], high)


def seen_codes(value: Array, folder: str) -> Array | None:
    """Returns [n, n * channels] uint8, 1 where a label has a value; None for labels that have one
    everywhere by their encoding. In a colour label a pixel is missing only if all its channels
    together say so.
    """
    import cv2

    domain = DOMAINS[folder]
    if domain.channels == 1:
        return None if domain.missing is None else (value != domain.missing).view("uint8")
    if folder == "normal":
        mask = seen_pixels(folder, value)
    elif domain.missing is not None:
        mask = ~pixels_of(domain.missing, value)
    else:
        return None
    return cv2.merge([mask.view("uint8")] * domain.channels).reshape(len(value), -1)


def class_counts(value: Array, folder: str) -> Array:
    """Returns [classes]: the pixels of each class id, or 1 at the likeliest class of the view."""
    ids = value.ravel() if DOMAINS[folder].ids else [int(value.argmax())]
    return np.bincount(ids, minlength=CLASSES[folder])


def merged(parts: Iterable[Totals]) -> Totals:
    """Returns the totals of several shards, added up in the order given."""
    whole = empty()
    for part in parts:
        whole["views"] += part["views"]
        whole["field_of_view"] = summed(whole["field_of_view"], part["field_of_view"])
        for folder, row in part["labels"].items():
            add_label(whole["labels"].setdefault(folder, empty_label()), row)
    return whole


def add_label(into: Totals, row: Totals) -> None:
    """Adds the totals that another shard has of a label."""
    for name, number in row.items():
        if name == "min":
            into[name] = min(into[name], number)
        elif name == "max":
            into[name] = max(into[name], number)
        elif name == "classes":
            into[name] = summed(into.get(name, [0] * len(number)), number)
        else:
            into[name] += number


def summed(one: list[float], other: list[float]) -> list[float]:
    return [a + b for a, b in zip(one, other)]


def summary(totals: Totals) -> Totals:
    """Returns what statistics.json says of a split: {"views", "field_of_view" (radians), "labels":
    {folder: {"views", "unit", "missing", "mean", "std", ...}}}.

    missing: share of values with the label's missing code; mean, std, min, max: of the other codes;
    classes: pixels, or views, of each class.
    """
    count, total, squares = totals["field_of_view"]
    labels = sorted(totals["labels"].items())
    return {
        "views": totals["views"],
        "field_of_view": {"views": count, **spread(count, total, squares)},
        "labels": {folder: label_summary(row, folder) for folder, row in labels},
    }


def label_summary(row: Totals, folder: str) -> Totals:
    """Returns a label's line in statistics.json."""
    facts = {
        "views": row["views"],
        "unit": DOMAINS[folder].unit,
        "missing": row["missing"] / max(1, row["missing"] + row["values"]),
        **spread(row["values"], row["sum"], row["squares"]),
        # without values both are still infinite, which JSON cannot hold
        "min": row["min"] if row["values"] else None,
        "max": row["max"] if row["values"] else None,
    }
    return facts | ({"classes": row["classes"]} if "classes" in row else {})


def spread(count: int, total: float, squares: float) -> dict[str, float | None]:
    """Returns the mean and standard deviation from sums; None for both if the count is 0."""
    if not count:
        return {"mean": None, "std": None}
    mean = total / count
    # rounding may take the difference below 0
    return {"mean": mean, "std": math.sqrt(max(0.0, squares / count - mean * mean))}
