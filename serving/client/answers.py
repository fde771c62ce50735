"""Answers on disk: a figure a task, all figures on one sheet, and answers.json with classes,
numbers and ranges in words.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np

from models.tasks import TASKS
from serving.bundle.class_names import SEMANTIC, VECTORS
from serving.client.drawing import PAPER
from serving.client.figures import figure, likeliest, metres_of, photo_of

SHEET_WIDTH, SHEET_SCALE, GAP = 1180, 2, 12  # pixels


def save_answers(
    answers: dict[str, np.ndarray], folder: Path, image: bytes | None = None
) -> list[Path]:
    """<task>.png for maps and classes, sheet.png with all of them, answers.json; the paths, in this
    order.

    answers: of `Client.ask`. image: the encoded photo that the figures stand beside (grey without
    one). Files are written whole or not at all.
    """
    from models.examples.published import encode_png

    folder.mkdir(parents=True, exist_ok=True)
    photo = photo_of(image) if image is not None else np.full((320, 320, 3), 128, "uint8")
    figures = {name: figure(name, value, photo) for name, value in answers.items() if name in TASKS}
    figures = {name: made for name, made in figures.items() if made is not None}
    saved = [written(folder / f"{name}.png", encode_png(made)) for name, made in figures.items()]
    if len(figures) > 1:
        saved.append(written(folder / "sheet.png", encode_png(sheet(list(figures.values())))))
    saved.append(written(folder / "answers.json", json.dumps(words(answers), indent=1).encode()))
    return saved


def written(path: Path, data: bytes) -> Path:
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.write_bytes(data)
    os.replace(scratch, path)
    return path


def words(answers: dict[str, np.ndarray]) -> dict:
    """task -> what it says, without pixels: likeliest classes, named numbers with their unit, the
    range of a map.
    """
    return {
        name: said(name, value, answers.get(f"{name}_metric"))
        for name, value in answers.items()
        if name in TASKS
    }


def said(name: str, value: np.ndarray, metric: np.ndarray | None) -> dict:
    entry = TASKS[name]
    if entry.output.kind == "classes":
        return {
            "title": entry.title,
            "classes": [
                {"name": word, "probability": round(share, 4)}
                for word, share in likeliest(name, value)
            ],
        }
    if entry.output.kind == "vector":
        unit = "as named" if metric is not None or not entry.whitened else entry.unit
        numbers = value if metric is None else metric
        return {
            "title": entry.title,
            "unit": unit,
            "numbers": {
                word: round(float(number), 4) for word, number in zip(VECTORS[name], numbers)
            },
        }
    if entry.output.kind == "pixel_classes":
        shares = (
            np.bincount(value.argmax(-1).ravel(), minlength=entry.output.channels)
            / value[..., 0].size
        )
        return {
            "title": entry.title,
            "shares": {
                SEMANTIC[i]: round(float(shares[i]), 4)
                for i in np.argsort(-shares)
                if shares[i] > 0
            },
        }
    shown, unit = (metres_of(value), "metre") if entry.make == "depth" else (value, entry.unit)
    low, middle, high = np.percentile(shown, [2, 50, 98])
    return {
        "title": entry.title,
        "unit": unit,
        "shape": list(value.shape),
        "low": round(float(low), 4),
        "middle": round(float(middle), 4),
        "high": round(float(high), 4),
    }


def sheet(figures: list[np.ndarray]) -> np.ndarray:
    """all figures at half their size, in rows filled from left to right."""
    import cv2

    small = [
        cv2.resize(
            made,
            (made.shape[1] // SHEET_SCALE, made.shape[0] // SHEET_SCALE),
            interpolation=cv2.INTER_AREA,
        )
        for made in figures
    ]
    rows: list[list[np.ndarray]] = [[]]
    for made in small:
        if (
            rows[-1]
            and sum(other.shape[1] + GAP for other in rows[-1]) + made.shape[1] > SHEET_WIDTH
        ):
            rows.append([])
        rows[-1].append(made)
    width = max(sum(made.shape[1] + GAP for made in row) for row in rows)
    page = np.full(
        (sum(max(made.shape[0] for made in row) + GAP for row in rows), width, 3), PAPER, "uint8"
    )
    top = GAP // 2
    for row in rows:
        left = GAP // 2
        for made in row:
            page[top : top + made.shape[0], left : left + made.shape[1]] = made
            left += made.shape[1] + GAP
        top += max(made.shape[0] for made in row) + GAP
    return page
