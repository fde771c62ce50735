"""The label contract: unit, range, missing code and classes of every label, machine-readable, and
the check that holds examples to it.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from models.examples.example import parse_view, records
from models.examples.splits import SPLITS
from models.tasks import DOMAINS, Domain, View

# Features of any length beside the labels.
LISTS = {
    "points_in_view": {
        "unit": "number of another point of the building that the view sees (line of sight)",
        "dtype": "int64",
        "low": 0,
        "high": 999_999_999,
    }
}


def contract(size: int) -> dict:
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
    return value if np.isfinite(value) else None


def classes(domain: Domain) -> int | None:
    """how many classes a label names; None for quantities, and for segments, whose ids mean nothing
    beyond their view.
    """
    if domain.file == "npy":
        return domain.channels
    return int(domain.high) + 1 if domain.ids and domain.missing is not None else None


def check_contract(uri: str) -> list[str]:
    """anomalies of an Examples artifact, one line each; empty if every record keeps the contract
    and is the one that the manifest lists.
    """
    written = json.loads((Path(uri) / "contract.json").read_text())
    size, found = written["size"], []
    promised = json.loads(json.dumps(contract(size)))
    for part in ("labels", "lists"):
        there = written.get(part, {})
        changed = sorted(
            name
            for name in promised[part].keys() | there.keys()
            if promised[part].get(name) != there.get(name)
        )
        if changed:
            found.append(
                f"contract.json was written by other code: {part} {', '.join(changed)} "
                "differ; ingest again"
            )
    for split in SPLITS:
        count = 0
        for record, line in itertools.zip_longest(records(uri, split), manifest_lines(uri, split)):
            if record is None:
                found.append(f"{line['key']}: the manifest lists it in {split}, no record holds it")
                continue
            count += 1
            try:
                view = parse_view(record)
            except ValueError as error:
                found.append(f"{split} record {count}: {error}")
                continue
            found += [f"{view.key}: {text}" for text in anomalies(view, size)]
            if line is None or line["key"] != str(view.key):
                found.append(
                    f"{view.key}: the manifest has {line['key'] if line else 'nothing'} in "
                    f"its place, record {count} of {split}"
                )
            elif line["sha256"] != hashlib.sha256(record).hexdigest():
                found.append(
                    f"{view.key}: is not the record that the manifest lists (another SHA-256)"
                )
        if not count:
            found.append(f"split {split} is empty: no building of the data set belongs to it")
    return found


def manifest_lines(uri: str, split: str) -> Iterator[dict]:
    """what ingest said of every record of a split, in the records' order
    (`manifest/<split>-<shard>.jsonl`).
    """
    for path in sorted(Path(uri, "manifest").glob(f"{split}-*.jsonl")):
        with path.open() as file:
            yield from map(json.loads, file)


def anomalies(view: View, size: int) -> list[str]:
    """what a view's labels contradict: size, ranges, and, on a grid of some 64 x 64 pixels, each
    other.
    """
    found = [] if view.size == size else [f"image of {view.size} pixels, the contract says {size}"]
    labels, step = view.labels, max(1, view.size // 64)
    for folder, value in labels.items():
        domain = DOMAINS[folder]
        if value.min() < domain.low or value.max() > domain.high:
            found.append(
                f"{folder} from {value.min():g} to {value.max():g}, the contract says "
                f"{domain.low:g} to {domain.high:g}"
            )
    if "depth_zbuffer" in labels and "depth_euclidean" in labels:
        along, ray = (
            labels[folder][::step, ::step].astype(int)
            for folder in ("depth_zbuffer", "depth_euclidean")
        )
        both = (along < 64500) & (ray < 64500)
        nearer = ray[both] - along[both] < -64
        if both.any() and nearer.mean() > 0.05:
            found.append(
                f"depth_euclidean is nearer than depth_zbuffer on {nearer.mean():.0%} of the "
                "pixels; distances along the ray are never shorter"
            )
    if "normal" in labels:
        vectors = labels["normal"][::step, ::step].astype("float32").reshape(-1, 3)
        seen = (vectors != 128).any(1) & vectors.any(1)
        length = np.linalg.norm(vectors[seen] / 127.5 - 1, axis=1)
        if seen.any() and abs(np.median(length) - 1) > 0.1:
            found.append(
                f"normals have median length {np.median(length):.2f}; they are unit vectors"
            )
    if "class_scene" in labels and abs(labels["class_scene"].sum() - 1) > 0.02:
        found.append(
            f"class_scene sums to {labels['class_scene'].sum():.3f}; probabilities sum to 1"
        )
    return found
