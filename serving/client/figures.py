"""An answer as a figure that a person can read: the photo, the map over or beside it in colours
with a scale, classes as bars with names.
"""

from __future__ import annotations

import io
import math

import numpy as np

from models.tasks import TASKS, Task
from models.tasks.targets import CURVATURE_MEAN, CURVATURE_STD, SURFACE_LIMIT
from serving.bundle.class_names import SEMANTIC, class_names
from serving.client.drawing import (
    PAPER,
    beside,
    colour_bar,
    coloured,
    enlarged,
    key,
    overlay,
    palette,
    text,
    titled,
)

SIDE = 320  # pixels of a panel
SAME_SEGMENT = math.log(
    3
)  # squared distance below which two pixels belong together with more than even odds (losses.pair_metric)
SEGMENTS = 24
SHOWN = (2, 98)  # percentiles of a map that its colours span


def photo_of(data: bytes) -> np.ndarray:
    """uint8 [SIDE, SIDE, 3]: the square that the networks look at."""
    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        pixels = np.asarray(image.convert("RGB"))
    side = min(pixels.shape[:2])
    top, left = (pixels.shape[0] - side) // 2, (pixels.shape[1] - side) // 2
    return enlarged(np.ascontiguousarray(pixels[top : top + side, left : left + side]), SIDE)


def figure(name: str, value: np.ndarray, photo: np.ndarray) -> np.ndarray | None:
    """uint8 [H, W, 3] of the answer `value` to task `name` about `photo` (of `photo_of`); None for
    vectors, which are numbers.
    """
    entry = TASKS[name]
    if entry.output.kind == "vector":
        return None
    if entry.output.kind == "classes":
        return titled(beside([photo, bars(name, value)]), entry.title)
    return titled(beside([photo, *panels(entry, value, photo)]), heading(entry))


def heading(entry: Task) -> str:
    """the title; what the panels are where there are two, what the numbers of the scale mean where
    they have no unit.
    """
    if entry.make == "curvature":
        return f"{entry.title}: the stronger, then the weaker; red is convex, blue hollow"
    scaled = entry.output.kind == "pixels" and entry.output.channels == 1 and entry.make != "depth"
    return f"{entry.title}: {entry.unit}" if scaled else entry.title


def panels(entry: Task, value: np.ndarray, photo: np.ndarray) -> list[np.ndarray]:
    """what stands to the right of the photo."""
    if entry.output.kind == "embedding":
        ids = segments_of(value)
        shown = overlay(
            photo, enlarged(ids.astype("uint8"), SIDE, False), palette(SEGMENTS + 1)[1:]
        )
        return [shown, text(f"{len(np.unique(ids))} segments", 110, SIDE)]
    if entry.output.kind == "pixel_classes":
        return semantic(value, photo) if entry.output.channels == len(SEMANTIC) else []
    if entry.make == "depth":
        metres = metres_of(value[..., 0])
        seen = (
            metres < SURFACE_LIMIT / 512
        )  # beyond: windows and the like, left grey so that they do not stretch the scale
        low, high = spread(metres[seen] if seen.any() else metres)
        shown = np.where(seen[..., None], coloured(metres, low, high, "depth"), np.uint8(120))
        return [enlarged(shown, SIDE), colour_bar(low, high, "depth", "metres", SIDE)]
    if entry.make == "curvature":
        bends = per_metre(value)
        high = max(float(np.percentile(np.abs(bends), SHOWN[1])), 0.5)
        shown = [enlarged(coloured(bends[..., i], -high, high, "signed"), SIDE) for i in range(2)]
        return [*shown, colour_bar(-high, high, "signed", "1 / metre", SIDE)]
    if entry.name == "normal":
        unit = value / np.maximum(np.linalg.norm(value, axis=-1, keepdims=True), 1e-6)
        facing = [((255, 128, 128), "faces right"), ((0, 128, 128), "faces left"), ((128, 255, 128), "faces down"), ((128, 0, 128), "faces up"),
                  ((128, 128, 0), "faces the camera")]  # fmt: skip
        return [enlarged(rgb(unit), SIDE), key(facing, SIDE, 150)]
    if entry.output.channels == 3:
        return [enlarged(rgb(value), SIDE)]
    scale = "grey" if entry.name == "reshading" else "heat"
    low, high = (-1.0, 1.0) if entry.name == "reshading" else spread(value[..., 0])
    return [
        enlarged(coloured(value[..., 0], low, high, scale), SIDE),
        colour_bar(low, high, scale, "", SIDE),
    ]


def rgb(value: np.ndarray) -> np.ndarray:
    """[-1, 1] to colours."""
    return np.rint(np.clip((value + 1) / 2, 0, 1) * 255).astype("uint8")


def spread(value: np.ndarray) -> tuple[float, float]:
    """a range that leaves out two per cent at either end: one wrong pixel does not grey the rest."""
    low, high = (float(number) for number in np.percentile(value, SHOWN))
    return (low, high) if high - low > 1e-3 else (low - 0.5e-3, high + 0.5e-3)


def metres_of(value: np.ndarray) -> np.ndarray:
    """depth answers log(1 + code)/log 65536 to metres (code in 1/512 m)."""
    return np.expm1(np.clip(value, 0, 1) * math.log(65536)) / 512


def per_metre(value: np.ndarray) -> np.ndarray:
    """whitened curvature codes to 1/m (DOMAINS: (code - 127) / 127 / 0.03)."""
    return (value * CURVATURE_STD + CURVATURE_MEAN - 127) / 127 / 0.03


def semantic(value: np.ndarray, photo: np.ndarray) -> list[np.ndarray]:
    """classes over the photo, and a key with each class's share of the picture, largest first."""
    ids, colours = value.argmax(-1), palette(len(SEMANTIC))
    shares = np.bincount(ids.ravel(), minlength=len(SEMANTIC)) / ids.size
    order = [i for i in np.argsort(-shares) if shares[i] > 0]
    shown = overlay(photo, enlarged(ids.astype("uint8"), SIDE, False), colours)
    return [shown, key([(colours[i], f"{SEMANTIC[i]}  {shares[i]:.0%}") for i in order], SIDE)]


def segments_of(embedding: np.ndarray) -> np.ndarray:
    """[S, S, c] -> ids [S, S]: pixels within even odds of a centre are one segment; the centre that
    gathers most comes first.

    Each pixel stands for the mean of its neighbourhood, an eleventh of the side wide, so that
    single pixels do not fall to far-off segments.
    """
    import cv2

    side = embedding.shape[0]
    width = max(side // 11, 1) | 1
    points = np.stack(
        [
            cv2.blur(embedding[..., i].astype("float32"), (width, width))
            for i in range(embedding.shape[-1])
        ],
        -1,
    ).reshape(side * side, -1)
    picked = np.unique(np.linspace(0, len(points) - 1, min(len(points), 256)).astype(int))
    near = ((points[:, None] - points[picked]) ** 2).sum(-1)
    free, centres = np.ones(len(points), bool), []
    while free.mean() > 0.01 and len(centres) < SEGMENTS:
        best = int(((near < SAME_SEGMENT) & free[:, None]).sum(0).argmax())
        gathered = (near[:, best] < SAME_SEGMENT) & free
        if not gathered.any():
            break
        centres.append(best)
        free &= ~gathered
    return near[:, centres].argmin(1).reshape(side, side)


def bars(name: str, logits: np.ndarray, most: int = 5) -> np.ndarray:
    """the likeliest classes, each with its name, probability and a bar."""
    rows = []
    for word, share in likeliest(name, logits, most):
        bar = np.full((14, SIDE, 3), PAPER, "uint8")
        bar[:, : max(2, int(share * (SIDE - 8)))] = (70, 110, 180)
        rows += [text(f"{word}  {share:.1%}", SIDE, 26), bar]
    page = np.concatenate(rows)[:SIDE]
    return np.concatenate([page, np.full((SIDE - len(page), SIDE, 3), PAPER, "uint8")])


def likeliest(name: str, logits: np.ndarray, most: int = 5) -> list[tuple[str, float]]:
    """(name, probability) of the likeliest classes, first first."""
    shares = np.exp(logits - logits.max())
    shares = shares / shares.sum()
    names = class_names(name) or [f"class {i}" for i in range(len(shares))]
    return [(names[i], float(shares[i])) for i in np.argsort(-shares)[:most]]
