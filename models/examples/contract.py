"""The label contract: unit, range, missing code and classes of every label, machine-readable, and
what a view can contradict in it. `check.py` holds examples to it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from models.tasks import DOMAINS, Domain, View
from models.tasks.arrays import Array
from models.tasks.targets import SURFACE_LIMIT

GRID = 64  # pixels a side at which labels are held against each other
DEPTH_TOLERANCE = 64  # 1/512 metre
WRONG_SHARE = 0.05  # of the pixels, from which on two depths contradict each other
LENGTH_TOLERANCE = 0.1  # of a normal
SUM_TOLERANCE = 0.02  # of probabilities
# Metres. Rooms end well before; HM3D's, read at 1/512 m instead of 1/8192 m, lie beyond.
DEEPEST_ROOM = 20
# Features of any length beside the labels.
LISTS = {
    "points_in_view": {
        "unit": "number of another point of the building that the view sees (line of sight)",
        "dtype": "int64",
        "low": 0,
        "high": 999_999_999,
    }
}


def contract(size: int) -> dict[str, Any]:
    """what every record promises; written beside the examples as contract.json."""
    labels = {
        folder: {
            "unit": domain.unit,
            "dtype": domain.dtype,
            "channels": domain.channels,
            "missing": domain.missing,
            "ids": domain.ids,
            "classes": classes(domain),
            "low": finite(domain.low),
            "high": finite(domain.high),
        }
        for folder, domain in DOMAINS.items()
        if domain.per_view
    }
    # Nothing about tasks: what a record holds is the same however many tasks read it.
    return {"size": size, "labels": labels, "lists": LISTS}


def finite(value: float) -> float | None:
    """a bound as JSON can hold it: None where there is none."""
    return value if np.isfinite(value) else None


def classes(domain: Domain) -> int | None:
    """how many classes a label names; None for quantities, and for segments, whose ids mean nothing
    beyond their view.
    """
    if domain.file == "npy":
        return domain.channels
    return int(domain.high) + 1 if domain.ids and domain.missing is not None else None


def changes_of_contract(written: dict[str, Any]) -> list[str]:
    """what an artifact's contract.json promises otherwise than the code of today."""
    # by way of JSON, as the file was written: tuples are lists there
    promised = json.loads(json.dumps(contract(written["size"])))
    lines = []
    for part in ("labels", "lists"):
        there = written.get(part, {})
        names = promised[part].keys() | there.keys()
        changed = sorted(name for name in names if promised[part].get(name) != there.get(name))
        if changed:
            lines.append(
                f"contract.json was written by other code: {part} {', '.join(changed)} "
                "differ; ingest again"
            )
    return lines


def anomalies(view: View, size: int) -> list[str]:
    """what a view's labels contradict: size, ranges, and each other."""
    lines = []
    if view.size != size:
        lines.append(f"image of {view.size} pixels, the contract says {size}")
    for folder, value in view.labels.items():
        domain = DOMAINS[folder]
        if value.min() < domain.low or value.max() > domain.high:
            lines.append(
                f"{folder} from {value.min():g} to {value.max():g}, the contract says "
                f"{domain.low:g} to {domain.high:g}"
            )
    # A grid of some 64 x 64 pixels tells a wrong file from a right one, at a fraction of the cost.
    step = max(1, view.size // GRID)
    thinned = {
        folder: value[::step, ::step] for folder, value in view.labels.items() if value.ndim > 1
    }
    checks = (
        scale_anomaly(thinned),
        depth_anomaly(thinned),
        normal_anomaly(thinned),
        scene_anomaly(view.labels),
    )
    return lines + [line for line in checks if line]


def scale_anomaly(labels: Mapping[str, Array]) -> str:
    """depth in 1/512 m ends at the walls of a room; "" if it does."""
    for folder in ("depth_zbuffer", "depth_euclidean"):
        codes = labels.get(folder, np.zeros(0))
        seen = codes[codes < SURFACE_LIMIT]
        metres = float(np.median(seen)) / 512 if seen.size else 0.0
        if metres > DEEPEST_ROOM:
            return (
                f"{folder} has a median of {metres:.0f} m; over {DEEPEST_ROOM} m is no room, but "
                "another scale: say depth_units_per_metre in dataset.json (hm3d: 8192)"
            )
    return ""


def depth_anomaly(labels: Mapping[str, Array]) -> str:
    """a distance along the ray is never shorter than along the axis; "" if they agree."""
    if "depth_zbuffer" not in labels or "depth_euclidean" not in labels:
        return ""
    along = labels["depth_zbuffer"].astype(int)
    ray = labels["depth_euclidean"].astype(int)
    both = (along < SURFACE_LIMIT) & (ray < SURFACE_LIMIT)
    nearer = ray[both] - along[both] < -DEPTH_TOLERANCE
    if not both.any() or nearer.mean() <= WRONG_SHARE:
        return ""
    return (
        f"depth_euclidean is nearer than depth_zbuffer on {nearer.mean():.0%} of the "
        "pixels; distances along the ray are never shorter"
    )


def normal_anomaly(labels: Mapping[str, Array]) -> str:
    """normals are unit vectors in codes of their own; "" if they are."""
    if "normal" not in labels:
        return ""
    codes = labels["normal"].astype("float32").reshape(-1, 3)
    seen = (codes != 128).any(1) & codes.any(1)
    length = np.linalg.norm(codes[seen] / 127.5 - 1, axis=1)
    if not seen.any() or abs(np.median(length) - 1) <= LENGTH_TOLERANCE:
        return ""
    return f"normals have median length {np.median(length):.2f}; they are unit vectors"


def scene_anomaly(labels: Mapping[str, Array]) -> str:
    """probabilities sum to 1; "" if they do."""
    if "class_scene" not in labels:
        return ""
    total = labels["class_scene"].sum()
    if abs(total - 1) <= SUM_TOLERANCE:
        return ""
    return f"class_scene sums to {total:.3f}; probabilities sum to 1"
