"""Checks every record of an Examples artifact against its contract, its manifest and its index: one
record at a time, shard by shard, in several processes where there is much to check.
"""

from __future__ import annotations

import concurrent.futures
import hashlib
import itertools
import json
import multiprocessing
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from models.examples.contract import anomalies, changes_of_contract
from models.examples.example import parse_view
from models.examples.index import FOLDER, Index, read_described, shard_file
from models.examples.shards import (
    DamagedRecord,
    Place,
    leads_to,
    read_record,
    read_table,
    records_of,
)
from models.examples.splits import SPLITS
from models.provenance.stores import here, lasting

# Anomalies of a shard that are named; more are counted.
NAMED = 100
# Number of views from which each core runs a process to check: a process takes seconds to begin.
MANY = 8_000


@dataclass
class Findings:
    """What the check of some shards found. views: records that were held to the contract. lines:
    anomalies, at most `NAMED` a shard. more: anomalies beyond those. damaged: shards that cannot
    be read to their end, a line each. lost: views whose records cannot be read.
    """

    views: int = 0
    lines: list[str] = field(default_factory=list)
    more: int = 0
    damaged: list[str] = field(default_factory=list)
    lost: int = 0

    def add(self, line: str) -> None:
        if len(self.lines) < NAMED:
            self.lines.append(line)
        else:
            self.more += 1

    def join(self, other: Findings) -> None:
        """Adds what the check of another shard found."""
        self.views += other.views
        self.lines += other.lines
        self.more += other.more
        self.damaged += other.damaged
        self.lost += other.lost

    @classmethod
    def read(cls, path: str) -> Findings:
        """Returns the findings that a JSON file holds, field by field."""
        return cls(**json.loads(Path(path).read_text()))

    def all_lines(self) -> list[str]:
        """Returns every anomaly, damage included, a line each; a last line counts those that are
        not named.
        """
        beyond = [f"and {self.more} more, not named: at most {NAMED} of a shard are"]
        return [*self.lines, *self.damaged, *(beyond if self.more else [])]


def check_contract(uri: str, processes: int | None = None) -> list[str]:
    """Returns the anomalies of an Examples artifact, one line each; empty if every record keeps the
    contract and is the one that manifest and index list. Nothing is sampled.
    processes: if None, one for few views, and one a core for many.
    """
    return check_examples(uri, processes).all_lines()


def check_examples(uri: str, processes: int | None = None) -> Findings:
    """Returns what `check_contract` finds, in numbers and by kind. Raises FileNotFoundError for
    examples of earlier code, which have no index.
    """
    shards = shards_to_check(uri)
    if processes is None:
        index = Index(Path(uri) / FOLDER)
        views = sum(index.count(split) for split in SPLITS)
        processes = 1 if views < MANY else os.cpu_count() or 1
    findings = Findings()
    for part in checked(shards, min(processes, len(shards))):
        findings.join(part)
    return concluded(uri, findings)


def concluded(uri: str, findings: Findings) -> Findings:
    """Returns the findings of the whole artifact: a changed contract, then what was found in the
    shards, then empty splits.
    """
    index = Index(Path(uri) / FOLDER)
    written = read_described(Path(uri) / "contract.json")
    whole = Findings(lines=changes_of_contract(written))
    whole.join(findings)
    for split in SPLITS:
        if not index.count(split):
            whole.lines.append(f"split {split} is empty: no building of the data set belongs to it")
    return whole


# Arguments of `check_shard`: where the examples lie, a split, the number of a shard, picture size.
Shard = tuple[str, str, int, int]


def shards_to_check(uri: str) -> list[Shard]:
    """Returns the arguments of `check_shard` for every shard of an artifact, in order."""
    index = Index(Path(uri) / FOLDER)
    size = read_described(Path(uri) / "contract.json")["size"]
    place = lasting(uri)
    return [(place, split, shard, size) for split, shard in shards_of(uri, index)]


def checked(shards: list[Shard], processes: int) -> Iterator[Findings]:
    """Yields the findings of each shard, in the order of `shards`."""
    if processes < 2:
        yield from (check_shard(*shard) for shard in shards)
        return
    # TensorFlow's threads do not survive a fork
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(processes, spawn) as pool:
        yield from pool.map(check_shard, *zip(*shards))


def shards_of(uri: str, index: Index) -> list[tuple[str, int]]:
    """Returns (split, number) of every shard that the index, the manifest or a file speaks of."""
    shards = []
    for split in SPLITS:
        shard_numbers = {int(number) for number in np.unique(index.rows(split)["shard"])}
        shard_numbers |= numbers(Path(uri, "manifest").glob(f"{split}-*.jsonl"))
        shard_numbers |= numbers(Path(uri, f"Split-{split}").glob("examples-*.gz"))
        shards += [(split, number) for number in sorted(shard_numbers)]
    return shards


def numbers(paths: Iterable[Path]) -> set[int]:
    """Returns the numbers of the shards that files are named after."""
    return {int(path.name.split(".")[0].split("-")[1]) for path in paths}


def check_shard(uri: str, split: str, shard: int, size: int) -> Findings:
    """Returns what is wrong with the records of one shard, compared line by line with manifest and
    index.
    """
    uri = here(uri)
    index = Index(Path(uri) / FOLDER)
    path = f"{uri}/{shard_file(split, shard, index.facts['shards'])}"
    findings = Findings()
    triples = itertools.zip_longest(
        records_of(path), manifest_lines(uri, split, shard), places_of(index, split, shard)
    )
    try:
        for record, index_row, place in triples:
            if record is None and place is None:
                findings.add(
                    f"{index_row['key']}: the manifest lists it in {split}, no record holds it"
                )
                continue
            if record is None:
                raise DamagedRecord(
                    f"{path}: ends after record {findings.views}; copy the shard anew, or ingest "
                    f"again ({place[0]} comes next in the index, no record holds it)"
                )
            findings.views += 1
            where = f"record {findings.views} of shard {shard} of {split}"
            check_record(findings, record, index_row, where, size)
            check_place(findings, record, path, place, where)
    except DamagedRecord as error:
        check_rest(findings, index, path, split, shard, size, str(error))
    except OSError as error:
        why = f"{path}: {error.strerror or error}; copy the shard anew, or ingest again"
        check_rest(findings, index, path, split, shard, size, why)
    return findings


def check_rest(
    findings: Findings, index: Index, path: str, split: str, shard: int, size: int, why: str
) -> None:
    """Checks those records of a damaged shard that the index still leads to, beyond the ones that
    were checked already. why: says why the shard cannot be read from first to last.
    """
    checked_before, missing_count = findings.views, 0
    uri = path.removesuffix("/" + shard_file(split, shard, index.facts["shards"]))
    pairs = itertools.zip_longest(manifest_lines(uri, split, shard), places_of(index, split, shard))
    for number, (index_row, place) in enumerate(pairs):
        try:
            record = read_record(path, place[1]) if place else None
        except (DamagedRecord, OSError):
            record = None
        if record is None:
            missing_count += 1
        # those before were checked while the shard could still be read
        elif number >= checked_before:
            findings.views += 1
            where = f"record {number + 1} of shard {shard} of {split}"
            check_record(findings, record, index_row, where, size)
    findings.lost += missing_count
    findings.damaged.append(f"{why}. {missing_count} views of it are lost")


def check_record(
    findings: Findings, record: bytes, index_row: dict[str, Any] | None, where: str, size: int
) -> None:
    """Adds to `findings` what is wrong if a record is not sound, or not the one that the manifest
    lists in its place.
    """
    try:
        view = parse_view(record)
    except ValueError as error:
        findings.add(f"{where}: {error}")
        return
    for text in anomalies(view, size):
        findings.add(f"{view.key}: {text}")
    if index_row is None or index_row["key"] != str(view.key):
        there = index_row["key"] if index_row else "nothing"
        findings.add(f"{view.key}: the manifest has {there} in its place, {where}")
    elif index_row["sha256"] != hashlib.sha256(record).hexdigest():
        findings.add(f"{view.key}: is not the record that the manifest lists (another SHA-256)")


def check_place(
    findings: Findings, record: bytes, path: str, place: tuple[str, Place] | None, where: str
) -> None:
    """Adds to `findings` what is wrong if the index does not lead to a record, or the record's
    table not to its features.
    """
    if place is None:
        findings.add(f"{where}: the index does not list it; ingest again")
        return
    try:
        same = read_record(path, place[1]) == record
        table = read_table(path, place[1])
    except DamagedRecord as error:
        findings.add(f"{place[0]}: the index leads to no such record ({where}): {error}")
        return
    if not same:
        findings.add(
            f"{place[0]}: the index leads to byte {place[1].offset} of {path}, where another "
            f"record begins ({where}); ingest again"
        )
    elif table is not None and not leads_to(table, record):
        findings.add(f"{place[0]}: its table leads to other features ({where}); ingest again")


def places_of(index: Index, split: str, shard: int) -> Iterator[tuple[str, Place]]:
    """Yields (key, place) of a shard's records as the index has them, in the order of the file."""
    rows = index.rows(split)
    ours = np.flatnonzero(rows["shard"] == shard)
    keys = index.keys(split)
    for i in ours[np.argsort(rows["offset"][ours], kind="stable")].tolist():
        yield str(keys[i]), index.place(split, i)


def manifest_lines(uri: str, split: str, shard: int) -> Iterator[dict[str, Any]]:
    """Yields what ingest wrote in the manifest of every record of a shard, in the records' order;
    nothing if there is no file.
    """
    path = Path(uri, "manifest", f"{split}-{shard:05d}.jsonl")
    if path.exists():
        with path.open() as file:
            yield from map(json.loads, file)
