"""What the labels of a split look like in numbers: a line a label, gathered while views are
written, exact sums only.
"""

from __future__ import annotations

import math

import numpy as np

from models.tasks import DOMAINS, View

CLASSES = {
    folder: domain.channels for folder, domain in DOMAINS.items() if domain.file == "npy"
} | {"segment_semantic": 18}


def empty() -> dict:
    return {"views": 0, "labels": {}, "field_of_view": [0, 0.0, 0.0]}


def add(totals: dict, view: View) -> None:
    """count a view. labels[folder]: values, missing, sum and sum of squares of the codes (channel
    means), min, max, and counts of classes.
    """
    import cv2

    totals["views"] += 1
    if view.camera is not None:
        n, total, squares = totals["field_of_view"]
        angle = view.camera.field_of_view
        totals["field_of_view"] = [n + 1, total + angle, squares + angle * angle]
    for folder, value in {"rgb": view.rgb, **view.labels}.items():
        domain = DOMAINS[folder]
        row = totals["labels"].setdefault(
            folder,
            {
                "views": 0,
                "values": 0,
                "missing": 0,
                "sum": 0.0,
                "squares": 0.0,
                "min": math.inf,
                "max": -math.inf,
            },
        )
        row["views"] += 1
        plane = value.reshape(len(value), -1)
        seen = None
        if domain.missing is not None and domain.channels == 1:
            seen = (plane != domain.missing).astype("uint8")
            row["missing"] += int(plane.size - seen.sum())
        count = plane.size if seen is None else int(seen.sum())
        if count:
            mean, std = (float(number[0, 0]) for number in cv2.meanStdDev(plane, mask=seen))
            low, high, _, _ = cv2.minMaxLoc(plane, mask=seen)
            row["sum"] += mean * count
            row["squares"] += (std * std + mean * mean) * count
            row["min"], row["max"] = min(row["min"], low), max(row["max"], high)
        row["values"] += count
        if folder in CLASSES:
            found = (
                np.bincount(value.ravel(), minlength=CLASSES[folder])
                if domain.ids
                else np.bincount([int(value.argmax())], minlength=CLASSES[folder])
            )
            row["classes"] = (np.array(row.get("classes", 0)) + found).tolist()


def merged(parts: list[dict]) -> dict:
    """the totals of several shards, in the order given."""
    whole = empty()
    for part in parts:
        whole["views"] += part["views"]
        whole["field_of_view"] = [
            a + b for a, b in zip(whole["field_of_view"], part["field_of_view"])
        ]
        for folder, row in part["labels"].items():
            into = whole["labels"].setdefault(folder, {"min": math.inf, "max": -math.inf})
            for name, number in row.items():
                if name in ("min", "max"):
                    into[name] = (min if name == "min" else max)(into[name], number)
                elif name == "classes":
                    into[name] = [a + b for a, b in zip(into.get(name, [0] * len(number)), number)]
                else:
                    into[name] = into.get(name, 0) + number
    return whole


def summary(totals: dict) -> dict:
    """what statistics.json says of a split: {"views", "field_of_view" (radians), "labels": {folder:
    {"views", "unit", "missing", "mean", "std", ...}}}.

    missing: share of pixels with the label's missing code; mean, std, min, max: of the other codes;
    classes: pixels, or views, a class.
    """
    n, total, squares = totals["field_of_view"]
    return {
        "views": totals["views"],
        "field_of_view": {"views": n, **spread(n, total, squares)},
        "labels": {
            folder: {
                "views": row["views"],
                "unit": DOMAINS[folder].unit,
                "missing": row["missing"] / max(1, row["missing"] + row["values"]),
                **spread(row["values"], row["sum"], row["squares"]),
                "min": row["min"] if row["values"] else None,
                "max": row["max"] if row["values"] else None,
                **({"classes": row["classes"]} if "classes" in row else {}),
            }
            for folder, row in sorted(totals["labels"].items())
        },
    }


def spread(count: int, total: float, squares: float) -> dict:
    if not count:
        return {"mean": None, "std": None}
    mean = total / count
    return {"mean": mean, "std": math.sqrt(max(0.0, squares / count - mean * mean))}
