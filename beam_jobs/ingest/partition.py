"""Assigns every view to a shard of a split, and refuses those that can be refused by their name or
their building's encoding.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from beam_jobs.ingest import encodings, storage
from beam_jobs.ingest.known_bad import Facts
from beam_jobs.ingest.listing import (
    NAMING,
    Building,
    is_building_name,
    key,
    list_building,
)
from beam_jobs.ingest.write_shard import Piece
from models.examples.splits import SPLITS, entry_of

Row = dict[str, Any]


def pieces(
    row: tuple[int, str, tuple[str, ...]],
    *,
    root: str,
    stage: str,
    splits: Mapping[str, str],
    described: Facts,
    shards: int,
    run: str,
) -> Iterator[tuple[tuple[str, int], Piece]]:
    """Yields ((split, shard), the building's views in it) of one building, and writes to the
    quarantine what is refused before its views are read.
    """
    number, name, trees = row
    with storage.errors_in_words():
        building = list_building(root, name, trees)
        if not is_building_name(name):
            quarantine_rows = strangers(building) + nameless(building)
            shelve(stage, number, run, len(building.views), quarantine_rows)
            return
        split = entry_of(splits, name)
        codes, refusals = sorted_out(building, split, described)
        folders = labels_of(building, described)
        units = described.depth_units(building.name, building.component)
        written = encodings.examined(building, codes, folders, units)
        if written.foreign:
            refusals += foreign_rows(building, codes, written.foreign)
            codes = []
        quarantine_rows = strangers(building) + refusals
        own = split if split in SPLITS else None
        shelve(stage, number, run, len(building.views), quarantine_rows, own, written.height)
    if split is not None:
        for shard, piece in divided(building, codes, described, shards):
            yield (split, shard), piece


def sorted_out(
    building: Building, split: str | None, described: Facts
) -> tuple[list[int], list[Row]]:
    """Returns (codes of the views to read, quarantine rows of the others)."""
    codes: list[int] = []
    refusals: list[Row] = []
    homeless = None if split in SPLITS else "its building stands in no split of splits.csv"
    for number in building.views.tolist():
        view_key = key(building.name, number)
        reason = described.reason(view_key) or homeless
        if reason:
            refusals.append({"view": str(view_key), "file": building.name, "reason": reason})
        else:
            codes.append(number)
    return codes, refusals


def foreign_rows(building: Building, codes: list[int], reason: str) -> list[Row]:
    """Returns quarantine rows of the views that would be read, for a building in another
    encoding.
    """
    views = [str(key(building.name, number)) for number in codes]
    return [{"view": view, "file": building.name, "reason": reason} for view in views]


def labels_of(building: Building, described: Facts) -> tuple[str, ...]:
    """Returns the folders that every view of the building is read from."""
    return tuple(sorted({"rgb", *building.variants} - described.absent))


def nameless(building: Building) -> list[Row]:
    """Returns quarantine rows of the views of a building whose name is not allowed, so that they
    count as views; one row if it has no views.
    """
    views: list[str | None] = [
        str(key(building.name, number)) for number in building.views.tolist()
    ]
    # repr, since the name may hold anything
    file_name = repr(building.name)
    return [{"view": view, "file": file_name, "reason": NAMING} for view in views or [None]]


def strangers(building: Building) -> list[Row]:
    """Returns quarantine rows of what belongs to no view: misnamed files, and folders of
    no label.
    """
    files: list[Row] = [
        {"view": None, "file": file, "reason": reason} for file, reason in building.strangers
    ]
    folders: list[Row] = [
        {"view": None, "folder": place, "file": place, "reason": "a folder of no label"}
        for place in building.unknown
    ]
    return files + folders


def divided(
    building: Building, numbers: list[int], described: Facts, shards: int
) -> Iterator[tuple[int, Piece]]:
    """Yields (shard, the views in it). The hash of a view's name decides, so that it is the same
    wherever the job runs.
    """
    folders = labels_of(building, described)
    units = described.depth_units(building.name, building.component)
    codes = np.array(numbers, "int64")
    hashes = [zlib.crc32(f"{building.name}/{view}".encode()) % shards for view in numbers]
    shard_of = np.array(hashes, "int64")
    for shard in np.unique(shard_of).tolist():
        views = codes[shard_of == shard]
        inside = set(views.tolist())
        twice = {view: reason for view, reason in building.twice.items() if view in inside}
        # Beam passes on only what this shard needs, not the whole building's listing.
        slim = replace(building, views=np.zeros(0, "int64"), twice=twice, strangers=(), unknown=())
        yield shard, Piece(slim, views, folders, units)


def shelve(
    stage: str,
    number: int,
    run: str,
    views: int,
    refusals: list[Row],
    split: str | None = None,
    height: float | None = None,
) -> None:
    """Writes the quarantine lines of a building, then its count of views. split: None if the
    building is in none. height: of its cameras above the floor in metres, where nothing else tells
    the scale of depth.
    """
    name = f"building-{number:05d}"
    lines = "".join(json.dumps(row) + "\n" for row in refusals)
    storage.write(storage.join(stage, "quarantine", f"{name}.jsonl"), lines.encode())
    # last: where the count is, the lines above are too
    summary: Row = {"run": run, "views": views, "split": split}
    if height is not None:
        summary["height"] = height
    storage.write(storage.join(stage, "listed", f"{name}.json"), json.dumps(summary).encode())
