"""The label contract: unit, range, missing code and classes of every label, machine-readable, and the check that holds examples to it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from models.examples.example import parse_view, records
from models.examples.splits import SPLITS
from models.tasks import DOMAINS, TASKS, View


def contract(size: int) -> dict:
    """what every record promises; written beside the examples as contract.json."""
    labels = {
        folder: {
            "unit": domain.unit,
            "dtype": domain.dtype,
            "channels": domain.channels,
            "missing": domain.missing,
            "ids": domain.ids,
            "low": finite(domain.low),
            "high": finite(domain.high),
        }
        for folder, domain in DOMAINS.items()
        if domain.per_view
    }
    tasks = {
        name: {
            "labels": entry.labels,
            "unit": entry.unit,
            "low": entry.low,
            "high": entry.high,
            "kind": entry.output.kind,
            "shape": entry.output.shape(size),
            "mask": entry.mask,
            "flip": entry.flip,
            "images": entry.images,
        }
        for name, entry in TASKS.items()
    }
    return {"size": size, "labels": labels, "tasks": tasks}


def finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def check_contract(uri: str) -> list[str]:
    """anomalies of an Examples artifact, one line each; empty if every record keeps the contract."""
    size, found, keys = json.loads((Path(uri) / "contract.json").read_text())["size"], [], set()
    for split in SPLITS:
        count = 0
        for record in records(uri, split):
            count += 1
            try:
                view = parse_view(record)
            except ValueError as error:
                found.append(f"{split} record {count}: {error}")
                continue
            found += [f"{view.key}: {text}" for text in anomalies(view, size)]
            if view.key in keys:
                found.append(f"{view.key}: stands twice")
            keys.add(view.key)
        if not count:
            found.append(f"split {split} is empty: no building of the data set belongs to it")
    return found


def anomalies(view: View, size: int) -> list[str]:
    """what a view's labels contradict: size, ranges, and each other."""
    found = [] if view.size == size else [f"image of {view.size} pixels, the contract says {size}"]
    labels = view.labels
    for folder, value in labels.items():
        domain = DOMAINS[folder]
        if value.min() < domain.low or value.max() > domain.high:
            found.append(f"{folder} from {value.min():g} to {value.max():g}, the contract says {domain.low:g} to {domain.high:g}")
    if "depth_zbuffer" in labels and "depth_euclidean" in labels:
        both = (labels["depth_zbuffer"] < 64500) & (labels["depth_euclidean"] < 64500)
        nearer = labels["depth_euclidean"][both].astype(int) - labels["depth_zbuffer"][both] < -64
        if both.any() and nearer.mean() > 0.05:
            found.append(f"depth_euclidean is nearer than depth_zbuffer on {nearer.mean():.0%} of the pixels; distances along the ray are never shorter")
    if "normal" in labels:
        vectors = labels["normal"].astype("float32").reshape(-1, 3)
        seen = (vectors != 128).any(1) & vectors.any(1)
        length = np.linalg.norm(vectors[seen] / 127.5 - 1, axis=1)
        if seen.any() and abs(np.median(length) - 1) > 0.1:
            found.append(f"normals have median length {np.median(length):.2f}; they are unit vectors")
    if "class_scene" in labels and abs(labels["class_scene"].sum() - 1) > 0.02:
        found.append(f"class_scene sums to {labels['class_scene'].sum():.3f}; probabilities sum to 1")
    return found
