"""Compares a data set with real views: what its labels look like in numbers, beside the released
real frames and the published data set's own means.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from beam_jobs.compare.frames import Frame, picture_folders, sample
from models.arguments.places import named_path
from models.tasks import DOMAINS
from models.tasks.arrays import Bytes

Row = dict[str, Any]

SAMPLE = 60  # views: enough for means, seconds to read
# data/README of the published data set: means over 4.5 million images, median cameras a point.
PUBLISHED = {
    "distance": 5.3,
    "obliqueness": 52.9,
    "pitch": 0.24,
    "field of view": 61.2,
    "cameras a point": 5.0,
}
# `python -m beam_jobs statistics` on the released frames taskonomy 202/5, replica 47/25, hm3d 0/3
# and 12/1: labels only, so few cameras tell nothing. Segments are counted in labels of 512 pixels.
# The 2.5D label's own function finds 46, 68, 70 and 122 of them on the four frames brought to 256
# pixels.
REAL = {
    "side": 512.0,
    "curved pixels": 0.482,
    "segments 2D": 50.0,
    "segments 2.5D": 43.7,
    "2D keypoints": 81.0,
    "3D keypoints": 2730.0,
    "texture edges": 1040.0,
    "occlusion edges": 93.1,
    "reshading": 130.0,
    "unseen": 0.0202,
}
# These labels come from filters of fixed sizes in pixels: compare them at equal image sizes only.
BY_SIDE = "depends on the side"
UNITS = {
    "side": "pixels of a picture",
    "curved pixels": "share, |curvature| > 1/m",
    "segments 2D": f"a view; {BY_SIDE}",
    "segments 2.5D": f"a view; {BY_SIDE}",
    "2D keypoints": f"mean code; {BY_SIDE}",
    "3D keypoints": f"mean code; {BY_SIDE}",
    "texture edges": "mean code, as of 512 pixels",
    "occlusion edges": f"mean code; {BY_SIDE}",
    "reshading": "mean code",
    "unseen": "share of pixels",
    "semantic classes": "a view, background not counted",
    "distance": "m, camera to point",
    "obliqueness": "degrees",
    "pitch": "degrees",
    "field of view": "degrees",
    "cameras a point": "median",
}
MEANS = {
    "keypoints2d": "2D keypoints",
    "keypoints3d": "3D keypoints",
    "edge_texture": "texture edges",
    "edge_occlusion": "occlusion edges",
    "reshading": "reshading",
}
SEGMENTS = {"segment_unsup2d": "segments 2D", "segment_unsup25d": "segments 2.5D"}
COLUMNS = ("this data", "5 %", "95 %", "real frames", "published")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `statistics` to its parser."""
    parser.add_argument(
        "--data", type=named_path, required=True, help="data set in the published layout"
    )
    parser.add_argument(
        "--frames",
        type=named_path,
        help="folder of real frames to compare with, instead of the stored means of four "
        "released ones",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """Prints the statistics as a table or as JSON and returns the exit code."""
    statistics = rows(options.data, options.frames)
    print(json.dumps(statistics, indent=1) if options.json else table(statistics))
    return 0


def rows(root: Path, real_frames: Path | None = None, limit: int = SAMPLE) -> list[Row]:
    """Returns [{"statistic", "unit", "this data", "5 %", "95 %", "real frames", "published"}] of at
    most `limit` evenly spread views; None where there is no number.

    real_frames: a folder of real frames to measure, in place of the stored means. Raises ValueError
    if there is no view.
    """
    here = measured(root, limit)
    real = REAL
    if real_frames:
        there = measured(real_frames, limit)
        real = {name: float(np.mean(values)) for name, values in there.items()}
    return [
        {
            "statistic": name,
            "unit": unit,
            **spread_of(here.get(name)),
            "real frames": real.get(name),
            "published": PUBLISHED.get(name),
        }
        for name, unit in UNITS.items()
    ]


def spread_of(values: list[float] | None) -> dict[str, float | None]:
    """Returns the mean, and the bounds between which nine tenths of the values lie; None each
    without values.
    """
    if values is None:
        return {"this data": None, "5 %": None, "95 %": None}
    low, high = np.quantile(values, [0.05, 0.95])
    return {"this data": float(np.mean(values)), "5 %": float(low), "95 %": float(high)}


def measured(root: Path, limit: int) -> dict[str, list[float]]:
    """Returns {statistic: a number a view} of the views below `root`: a data set in the published
    layout, or loose frames.
    """
    # folder -> its pictures; how many cameras a point has -> points: no list of all views
    counts: dict[Path, int] = {}
    cameras: Counter[int] = Counter()
    for folder, names in picture_folders(root):
        counts[folder] = len(names)
        # all views of a point stand in one folder, and have the same name up to "_view_"
        cameras.update(Counter(name.split("_view_")[0] for name in names).values())
    numbers: dict[str, list[float]] = {}
    for view in sample(root, counts, limit):
        for name, number in of_view(view).items():
            numbers.setdefault(name, []).append(number)
    # loose frames are of one point each, and tell nothing about cameras a point
    if max(cameras) > 1:
        points = np.repeat(list(cameras), list(cameras.values()))
        numbers["cameras a point"] = [float(np.median(points))]
    return numbers


def of_view(view: Frame) -> dict[str, float]:
    """Returns the numbers that the label files beside a view's picture allow."""
    numbers = {}
    if (picture := view.map("rgb")) is not None:
        numbers["side"] = float(min(picture.shape[:2]))
    for folder, name in MEANS.items():
        if (value := view.map(folder)) is not None:
            numbers[name] = float(value.mean())
    for folder, name in SEGMENTS.items():
        if (value := view.map(folder)) is not None:
            numbers[name] = float(len(np.unique(value)))
    if (curvature := view.map("principal_curvature")) is not None:
        numbers["curved pixels"] = curved_share(curvature)
    if (depth := view.map("depth_zbuffer")) is not None:
        numbers["unseen"] = float((depth == DOMAINS["depth_zbuffer"].missing).mean())
    if (semantic := view.map("segment_semantic")) is not None:
        numbers["semantic classes"] = float((np.unique(semantic) > 1).sum())
    return numbers | of_camera(view.info())


def curved_share(codes: Bytes) -> float:
    """Returns the share of the seen pixels that are curved by more than 1/m. codes: [S, S, 3] as
    published.
    """
    surface = codes[..., :2].any(-1)
    # 1/m is 0.03 of the 127 codes
    steep = np.abs(codes[..., :2].astype(int) - 127).max(-1) > 0.03 * 127
    return float(steep[surface].mean()) if surface.any() else 0.0


def of_camera(info: Mapping[str, Any]) -> dict[str, float]:
    """Returns metres and degrees from a published point_info; what it lacks, or has no number for,
    is left out.
    """
    rotation = info.get("camera_rotation_final") or [None]
    metres = number_in(info.get("camera_distance"))
    radians = {
        "obliqueness": number_in(info.get("obliqueness_angle")),
        "pitch": number_in(rotation[0]),
        "field of view": number_in(info.get("field_of_view_rads")),
    }
    numbers = {} if metres is None else {"distance": metres}
    numbers |= {
        name: float(np.rad2deg(angle)) for name, angle in radians.items() if angle is not None
    }
    if "pitch" in numbers:
        # the first angle of a level camera is 90 degrees
        numbers["pitch"] -= 90
    return numbers


def number_in(value: object) -> float | None:
    """Returns the finite number that a JSON value is, or holds as text (cameras are read so too);
    else None.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def table(rows: list[Row]) -> str:
    """Returns the rows as text, one a line."""
    lines = [f"{'':17}" + "".join(f"{name:>13}" for name in COLUMNS) + "  unit"]
    for row in rows:
        cells = "".join(f"{number_text(row[name]):>13}" for name in COLUMNS)
        lines.append(f"{row['statistic']:17}{cells}  {row['unit']}")
    return "\n".join(lines)


def number_text(number: float | None) -> str:
    """Returns the number with three digits and no exponent, "-" for None."""
    if number is None:
        return "-"
    return f"{number:.3g}" if number < 1000 else f"{number:.0f}"
