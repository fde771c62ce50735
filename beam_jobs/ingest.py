"""Ingest: a folder in the published layout becomes sharded examples, a manifest, a label contract, and a quarantine of what was refused.

Every view is read once, all its labels together, resized and re-encoded once. Nothing is dropped silently: read = written + quarantined,
checked at the end. Shards are written to a temporary name and renamed, and their order is fixed, so that a restarted run ends in the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from models.examples.contract import contract
from models.examples.example import encode_view
from models.examples.published import LabelError, parse_name, read_label
from models.examples.resize import resized
from models.examples.splits import SPLITS, hashed_splits, read_splits
from models.tasks import DOMAINS, Camera, View, ViewKey, label_domains

# Known defects of the published set (Omnidata splits.py; StanfordVL/taskonomy issue 72; spec section 6.4).
BAD_BUILDINGS = {
    "mosquito": "no complete release",
    "tansboro": "no complete release",
    "tomkins": "no rgb",
    "darnestown": "no rgb",
    "brinnon": "no rgb",
    "rough": "wrong viewpoints",
    "woodbine": "missing and corrupt files",
}
BAD_VIEWS = {ViewKey("newfields", 1070, 8): "rgb fails its checksum", ViewKey("muleshoe", 399, 5): "corrupt", ViewKey("woodbine", 1096, 6): "corrupt"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", required=True, help="folder in the published layout")
    parser.add_argument("--out", required=True, help="folder for the examples")
    parser.add_argument("--size", type=int, default=64, help="side of the training images")
    parser.add_argument("--shards", type=int, default=4, help="files a split")
    parser.add_argument("--beam", action="append", default=[], help="an option for Beam, e.g. --beam=--direct_num_workers=2")


def run(options: argparse.Namespace) -> int:
    counts = ingest(options.data, options.out, size=options.size, shards=options.shards, beam_args=options.beam)
    print(json.dumps(counts))
    return 0


def ingest(root: str, uri: str, *, size: int, shards: int, splits: dict[str, str] | None = None, beam_args: Iterable[str] = (), pipeline=None) -> dict:
    """write the Examples artifact of docs/ARCHITECTURE.md below `uri`; {"read", "written", "quarantined", "files_refused"}.

    splits: building -> split; default splits.csv of `root`, else by hash. pipeline: an unstarted Beam pipeline (TFX gives one).
    Raises ValueError for a root without buildings or a split without views, RuntimeError if the counters do not reconcile.
    """
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    listed = views_of(root)
    if not listed:
        raise ValueError(
            f"no views at {root}: expected BUILDING/rgb/point_P_view_V_domain_rgb.png; `python -m beam_jobs annotate --out {root}` makes a data set"
        )
    if splits is None:
        table = Path(root) / "splits.csv"
        splits = read_splits(table) if table.exists() else hashed_splits({key.building for key in listed})
    os.makedirs(uri, exist_ok=True)
    described = Path(root) / "dataset.json"
    facts = json.loads(described.read_text()) if described.exists() else {}
    absent, scale = set(facts.get("absent", [])), facts.get("depth_units_per_metre", 512)
    pipeline = pipeline if pipeline is not None else beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner", *beam_args]))
    rows = [(str(key), sorted(folders), splits.get(key.building)) for key, folders in sorted(listed.items())]
    here = {
        building: {folder for key, folders in listed.items() if key.building == building for folder in folders} for building in {key.building for key in listed}
    }
    with pipeline as started:
        done = (
            started
            | "Views" >> beam.Create(rows)
            | "Spread" >> beam.Reshuffle()
            | "Align"
            >> beam.Map(align, root=str(root), size=size, expected={building: sorted(folders - absent) for building, folders in here.items()}, scale=scale)
        )
        (
            done
            | "Kept" >> beam.Filter(lambda row: row[2] is not None)
            | "ByShard" >> beam.Map(lambda row: ((row[1], zlib.crc32(row[0].encode()) % shards), (row[0], row[2])))
            | "Gather" >> beam.GroupByKey()
            | "Write" >> beam.Map(write_shard, uri=uri, shards=shards)
        )
        (
            done
            | "Refused" >> beam.Filter(lambda row: row[2] is None)
            | "Reasons" >> beam.Map(lambda row: json.dumps({"view": row[0], "file": row[3], "reason": row[4]}))
            | "One" >> beam.Map(lambda line: ("quarantine", line))
            | "Lines" >> beam.GroupByKey()
            | "Quarantine" >> beam.Map(write_lines, uri=uri)
        )
    return concluded(root, uri, size, len(rows), shards)


def views_of(root: str) -> dict[ViewKey, set[str]]:
    """every view that has at least an rgb file -> the folders that hold a file of it. Hidden and foreign names are left alone."""
    found: dict[ViewKey, set[str]] = {}
    base = Path(root)
    if not base.is_dir():
        return found
    for building in sorted(path for path in base.iterdir() if path.is_dir() and not path.name.startswith(".")):
        for folder in label_domains():
            place = building / folder
            for name in sorted(os.listdir(place)) if place.is_dir() else []:
                numbers = parse_name(DOMAINS[folder], name)
                if numbers:
                    found.setdefault(ViewKey(building.name, *numbers), set()).add(folder)
    return found


def align(row: tuple, *, root: str, size: int, expected: dict[str, list[str]], scale) -> tuple:
    """(key, split, record, None, None) of a sound view, or (key, None, None, file, reason) of one that is refused."""
    text, folders, split = row
    key = ViewKey.parse(text)
    if key.building in BAD_BUILDINGS:
        return text, None, None, key.building, f"known-bad building: {BAD_BUILDINGS[key.building]}"
    if key in BAD_VIEWS:
        return text, None, None, text, f"known-bad image: {BAD_VIEWS[key]}"
    if split not in SPLITS:
        return text, None, None, key.building, "its building stands in no split of splits.csv"
    missing = [folder for folder in expected[key.building] if folder not in folders]
    if missing:
        return text, None, None, f"{key.building}/{missing[0]}", f"no {', '.join(missing)} for this view, though its building has the label"
    place = ""
    try:
        values = {}
        for folder in expected[key.building]:
            place = file_of(root, key, folder)
            values[folder] = in_512ths(read_label(place, DOMAINS[folder]), folder, scale if isinstance(scale, (int, float)) else scale.get(key.building, 512))
        camera = Camera.from_point_info(values.pop("point_info")) if "point_info" in values else None
        sides = {value.shape[0] for folder, value in values.items() if DOMAINS[folder].file == "png"}
        if len(sides) > 1:
            raise LabelError(f"maps of different sizes: {sorted(sides)} pixels")
        maps = {folder: resized(value, DOMAINS[folder], size) if DOMAINS[folder].file == "png" else value for folder, value in values.items()}
        view = View(key, maps.pop("rgb"), camera, maps)
        return text, split, encode_view(view, split), None, None
    except (LabelError, ValueError, KeyError, TypeError) as error:
        return text, None, None, os.path.relpath(place, root), f"{type(error).__name__}: {error}" if not isinstance(error, LabelError) else str(error)


def in_512ths(value, folder: str, units: float):
    """depth codes of a component with another scale (units a metre; hm3d: 8192) as the published 1/512 m; all else unchanged."""
    if not folder.startswith("depth_") or units == 512:
        return value
    return np.where(value == 65535, 65535, np.minimum(np.round(value * (512 / units)), 65534)).astype("uint16")


def file_of(root: str, key: ViewKey, folder: str) -> str:
    """the view's file in either spelling of its suffix."""
    domain = DOMAINS[folder]
    for suffix in (domain.suffix, domain.folder, *domain.aliases):
        path = os.path.join(root, key.building, folder, f"point_{key.point}_view_{key.view}_domain_{suffix}.{domain.file}")
        if os.path.exists(path):
            return path
    return path


def write_shard(group: tuple, *, uri: str, shards: int) -> None:
    """one shard and the manifest lines of its views, each renamed when complete."""
    import tensorflow as tf

    (split, number), rows = group
    folder = os.path.join(uri, f"Split-{split}")
    os.makedirs(folder, exist_ok=True)
    name = f"examples-{number:05d}-of-{shards:05d}"
    lines, scratch = [], os.path.join(folder, f".{name}.{os.getpid()}")
    with tf.io.TFRecordWriter(scratch, "GZIP") as writer:
        for key, record in sorted(rows):
            writer.write(record)
            lines.append(json.dumps({"key": key, "split": split, "shard": number, "sha256": hashlib.sha256(record).hexdigest()}))
    write_text(os.path.join(uri, "manifest", f"{split}-{number:05d}.jsonl"), "\n".join(lines))
    os.replace(scratch, os.path.join(folder, f"{name}.tfrecord.gz"))


def write_lines(group: tuple, *, uri: str) -> None:
    write_text(os.path.join(uri, "quarantine.jsonl"), "\n".join(sorted(group[1])))


def write_text(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    scratch = f"{path}.{os.getpid()}"
    with open(scratch, "w") as file:
        file.write(text + "\n")
    os.replace(scratch, path)


def concluded(root: str, uri: str, size: int, read: int, shards: int) -> dict:
    """manifest, contract and counts from what was written; the counters must reconcile."""
    views = [json.loads(line) for path in sorted(Path(uri, "manifest").glob("*.jsonl")) for line in path.read_text().splitlines() if line]
    quarantine = Path(uri, "quarantine.jsonl")
    if not quarantine.exists():
        write_text(str(quarantine), "")
    refused = [json.loads(line) for line in quarantine.read_text().splitlines() if line]
    counts = {"read": read, "written": len(views), "quarantined": len(refused)}
    if counts["read"] != counts["written"] + counts["quarantined"]:
        raise RuntimeError(f"views were lost: {counts}; remove {uri} and run again, and report this")
    for split in SPLITS:
        if not any(view["split"] == split for view in views):
            reason = refused[0]["reason"] if refused else "no building belongs to it"
            raise ValueError(f"split {split} of {root} has no sound view ({len(refused)} of {read} views quarantined; the first reason: {reason})")
    views.sort(key=lambda view: view["key"])
    digest = hashlib.sha256("".join(view["key"] + view["sha256"] for view in views).encode()).hexdigest()[:16]
    write_text(os.path.join(uri, "contract.json"), json.dumps(contract(size), indent=1))
    write_text(os.path.join(uri, "counts.json"), json.dumps(counts))
    write_text(os.path.join(uri, "manifest.json"), json.dumps({"hash": digest, "size": size, "views": views}))
    if refused:
        print(
            f"quarantined {len(refused)} of {read} views: {refused[0]['view']}: {refused[0]['reason']}" + (" ..." if len(refused) > 1 else ""), file=sys.stderr
        )
    return counts
