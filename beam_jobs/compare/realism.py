"""A data set beside real views: what its labels look like in numbers, next to the released real
frames and to the published data set's own means.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

import numpy as np

from models.tasks import DOMAINS, Domain

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
UNITS = {
    "curved pixels": "share, |curvature| > 1/m",
    "segments 2D": "a view",
    "segments 2.5D": "a view",
    "2D keypoints": "mean code",
    "3D keypoints": "mean code",
    "texture edges": "mean code",
    "occlusion edges": "mean code",
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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="data set in the published layout")
    parser.add_argument(
        "--frames",
        type=Path,
        help="folder of real frames to compare with, instead of the stored means of four "
        "released ones",
    )
    parser.add_argument("--json", action="store_true")


def run(options: argparse.Namespace) -> int:
    found = rows(options.data, options.frames)
    print(json.dumps(found, indent=1) if options.json else table(found))
    return 0


def rows(root: Path, frames: Path | None = None, limit: int = SAMPLE) -> list[dict]:
    """[{"statistic", "unit", "this data", "5 %", "95 %", "real frames", "published"}] of at most
    `limit` evenly spread views; None: not there.

    frames: folder of real frames to measure instead of the stored means. Raises ValueError if there
    is no view.
    """
    here = measured(root, limit)
    real = (
        {name: float(np.mean(values)) for name, values in measured(frames, limit).items()}
        if frames
        else REAL
    )
    return [
        {
            "statistic": name,
            "unit": unit,
            "this data": float(np.mean(here[name])) if name in here else None,
            "5 %": float(np.quantile(here[name], 0.05)) if name in here else None,
            "95 %": float(np.quantile(here[name], 0.95)) if name in here else None,
            "real frames": real.get(name),
            "published": PUBLISHED.get(name),
        }
        for name, unit in UNITS.items()
    ]


def measured(root: Path, limit: int) -> dict[str, list[float]]:
    """{statistic: a number a view} of the views below `root`: a data set in the published layout,
    or loose frames.
    """
    views = sorted(
        path
        for path in root.rglob("point_*_view_*_domain_rgb.png")
        if not path.is_symlink() or path.exists()
    )
    if not views:
        raise ValueError(
            "expected views in the published layout (point_*_view_*_domain_rgb.png) below "
            f"{root}, found none"
        )
    found: dict[str, list[float]] = {}
    for i in np.unique(np.linspace(0, len(views) - 1, min(limit, len(views))).astype(int)):
        for name, number in of_view(views[i]).items():
            found.setdefault(name, []).append(number)
    cameras = Counter((path.parent, path.name.split("_view_")[0]) for path in views)
    return found | (
        {"cameras a point": [float(np.median(list(cameras.values())))]}
        if max(cameras.values()) > 1
        else {}
    )


def of_view(rgb: Path) -> dict[str, float]:
    """the numbers that the label files beside a view's picture allow."""
    label = lambda folder: read(rgb, DOMAINS[folder])
    numbers = {
        name: float(value.mean())
        for folder, name in MEANS.items()
        if (value := label(folder)) is not None
    }
    numbers |= {
        f"segments {kind}": float(len(np.unique(value)))
        for kind, folder in segments()
        if (value := label(folder)) is not None
    }
    if (curvature := label("principal_curvature")) is not None:
        seen = curvature[..., :2].any(-1)
        steep = np.abs(curvature[..., :2].astype(int) - 127).max(-1) > 0.03 * 127
        numbers["curved pixels"] = float(steep[seen].mean()) if seen.any() else 0.0
    if (depth := label("depth_zbuffer")) is not None:
        numbers["unseen"] = float((depth == DOMAINS["depth_zbuffer"].missing).mean())
    if (semantic := label("segment_semantic")) is not None:
        numbers["semantic classes"] = float((np.unique(semantic) > 1).sum())
    if (info := label("point_info")) is not None:
        numbers |= of_camera(info)
    return numbers


def segments() -> tuple[tuple[str, str], ...]:
    return (("2D", "segment_unsup2d"), ("2.5D", "segment_unsup25d"))


def of_camera(info: dict) -> dict[str, float]:
    """published JSON -> metres and degrees; what it lacks is left out."""
    numbers = {}
    if "camera_distance" in info:
        numbers["distance"] = float(info["camera_distance"])
    if "obliqueness_angle" in info:
        numbers["obliqueness"] = float(np.rad2deg(info["obliqueness_angle"]))
    if "camera_rotation_final" in info:
        numbers["pitch"] = float(np.rad2deg(info["camera_rotation_final"][0]) - 90)
    if "field_of_view_rads" in info:
        numbers["field of view"] = float(np.rad2deg(info["field_of_view_rads"]))
    return numbers


def read(rgb: Path, domain: Domain):
    """the label of `domain` beside a picture (`../folder/` in the published layout, the same folder
    for loose frames), or None if no valid one is there.
    """
    from models.examples.published import LabelError, read_label

    stem = rgb.name.removesuffix("_domain_rgb.png")
    for folder in (rgb.parent.parent / domain.folder, rgb.parent):
        for suffix in dict.fromkeys((domain.suffix, domain.folder, *domain.aliases)):
            path = folder / f"{stem}_domain_{suffix}.{domain.file}"
            if path.exists():
                try:
                    return read_label(path, domain)
                except LabelError:  # a colour-coded copy made for viewing is no label
                    return None
    return None


def table(rows: list[dict]) -> str:
    """the rows as text, one a line."""
    columns = ("this data", "5 %", "95 %", "real frames", "published")
    lines = [f"{'':17}" + "".join(f"{name:>13}" for name in columns) + "  unit"]
    for row in rows:
        lines.append(
            f"{row['statistic']:17}"
            + "".join(
                f"{'-' if row[name] is None else format(row[name], '.3g' if row[name] < 1e3 else '.0f'):>13}"
                for name in columns
            )
            + f"  {row['unit']}"
        )
    return "\n".join(lines)
