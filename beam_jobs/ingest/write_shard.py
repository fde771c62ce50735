"""Writes one shard: its views are streamed one at a time into a file, with a manifest line for a
view written, a quarantine line for a view refused, and one for a label that a written view goes
without.

Each file appears whole or not at all, the shard's ticket (`done/`) last. A restarted job keeps
shards whose ticket names the same work over the same files (sizes, modification times), so that a
killed run loses one shard for each worker.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from beam_jobs.ingest import statistics, storage
from beam_jobs.ingest.listing import Building, ViewCodes, key
from beam_jobs.ingest.read_view import Refusal, aligned
from models.examples.contract import anomalies
from models.examples.example import encode_view
from models.examples.index import shard_file
from models.examples.shards import shard_writer
from models.provenance.atomic import naming_a_full_disk
from models.tasks import ViewKey


@dataclass(frozen=True)
class Piece:
    """The views of one building that go into one shard. folders: labels that a view is read with;
    units: depth codes a metre.
    """

    building: Building
    views: ViewCodes
    folders: tuple[str, ...]
    units: float


@dataclass(frozen=True)
class Shard:
    """What `write_shard` writes: one of `shards` files of a split, at `size` pixels. strict: a
    flawed label costs the view.
    """

    split: str
    number: int
    shards: int
    size: int
    strict: bool

    @property
    def name(self) -> str:
        return f"{self.split}-{self.number:05d}"

    @property
    def file(self) -> str:
        return shard_file(self.split, self.number, self.shards)


# The form of a shard's files; shards that an interrupted run wrote in another form are made again.
FORM = "a gzip member a record, a table of its features in the header; absent labels counted"
# Files beside a shard's records, with a line for each view written, view refused, label lacking.
PARTS = ("manifest", "quarantine", "flaws")


@storage.errors_in_words()
def write_shard(
    group: tuple[tuple[str, int], Iterable[Piece]],
    *,
    stage: str,
    size: int,
    shards: int,
    run: str,
    strict: bool = False,
) -> int:
    """Writes everything about one shard below `stage` and returns how many views were written. run:
    names this run in the ticket.
    """
    (split, number), unsorted = group
    shard = Shard(split, number, shards, size, strict)
    # Beam gives the members of a group in any order
    pieces = sorted(unsorted, key=lambda piece: piece.building.name)
    ticket = storage.join(stage, "done", f"{shard.name}.json")
    work = work_of(pieces, shard)
    # without an address it is unknown what work the ticket stands for
    if work and storage.exists(ticket):
        earlier = json.loads(storage.read(ticket))
        if earlier["work"] == work:
            # renamed to this run, since `finish` counts the tickets of its own run only
            storage.write(ticket, json.dumps({**earlier, "run": run}).encode())
            return int(earlier["written"])
    absent: Counter[str] = Counter()
    totals = write_files(pieces, shard, stage, absent)
    facts = {
        "run": run,
        "work": work,
        "written": totals["views"],
        "absent": absent,
        "statistics": totals,
    }
    storage.write(ticket, json.dumps(facts).encode())
    return int(totals["views"])


def write_files(
    pieces: list[Piece], shard: Shard, stage: str, absent: Counter[str]
) -> dict[str, Any]:
    """Writes the shard's records and the lines beside them, each file whole or not at all, and
    returns the shard's statistics. absent: counts, by label, the written views that have no file of
    it.
    """
    totals = statistics.empty()
    beside = stage if storage.is_local(stage) else None
    with (
        one_thread(),
        tempfile.TemporaryDirectory(prefix=".shard-", dir=beside) as folder,
        naming_a_full_disk(Path(folder)),
    ):
        records = os.path.join(folder, "records")
        with contextlib.ExitStack() as stack:
            sink = stack.enter_context(shard_writer(records))
            lines, quarantine, flaws = (
                stack.enter_context(open(os.path.join(folder, part), "w")) for part in PARTS
            )
            for view_key, record in examples(pieces, shard, totals, quarantine, flaws, absent):
                line = {
                    "key": str(view_key),
                    "split": shard.split,
                    "shard": shard.number,
                    "sha256": hashlib.sha256(record).hexdigest(),
                    "place": sink.write(record),
                }
                lines.write(json.dumps(line) + "\n")
        if totals["views"]:
            storage.upload(records, storage.join(stage, shard.file))
        for part in PARTS:
            storage.upload(
                os.path.join(folder, part), storage.join(stage, part, f"{shard.name}.jsonl")
            )
    return totals


def examples(
    pieces: list[Piece],
    shard: Shard,
    totals: dict[str, Any],
    quarantine: TextIO,
    flaws: TextIO,
    absent: Counter[str],
) -> Iterator[tuple[ViewKey, bytes]]:
    """Yields (key, serialised example) of every sound view, in the order of keys. The other views
    are written to `quarantine`, labels that a sound view lacks to `flaws`; labels without a file
    are only counted in `absent`.
    """
    for piece in pieces:
        for number in piece.views.tolist():
            view_key = key(piece.building.name, number)
            try:
                if number in piece.building.twice:
                    raise Refusal(str(view_key), piece.building.twice[number])
                view, lacking = aligned(
                    piece.building, view_key, piece.folders, shard.size, piece.units, shard.strict
                )
                # the first is enough
                for contradiction in anomalies(view, shard.size):
                    raise Refusal(str(view_key), f"breaks the label contract: {contradiction}")
            except Refusal as refusal:
                quarantine.write(quarantine_line(view_key, refusal))
                continue
            absent.update(flaw.label for flaw in lacking if flaw.absent)
            for flaw in (flaw for flaw in lacking if not flaw.absent):
                flaws.write(quarantine_line(view_key, flaw, label=flaw.label))
            statistics.add(totals, view)
            yield view_key, encode_view(view, shard.split)


def quarantine_line(view_key: ViewKey, refusal: Refusal, **more: str) -> str:
    """Returns one line of quarantine.jsonl."""
    row = {"view": str(view_key), **more, "file": refusal.file, "reason": refusal.reason}
    return json.dumps(row) + "\n"


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Runs the block with OpenCV's own threads switched off: the job is parallel by processes, and
    its threads would compete for the same cores.
    """
    import cv2

    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)


def work_of(pieces: list[Piece], shard: Shard) -> str:
    """Returns 16 hex digits over what a shard is made of, sizes and modification times of its files
    included; "" where a store has no such times.
    """
    digest = hashlib.sha256(f"{FORM} {shard.size} {shard.shards} {shard.strict}".encode())
    for piece in pieces:
        building = piece.building
        facts = f"{building.name} {piece.folders} {piece.units} {sorted(building.twice)}"
        digest.update(facts.encode() + piece.views.tobytes())
        folders = [folder for folder in piece.folders if folder in building.variants]
        for number in piece.views.tolist():
            _, point, view = key("", number)
            for folder in folders:
                for path in building.files(folder, point, view):
                    if not storage.is_local(path):
                        return ""
                    digest.update(state(path))
    return digest.hexdigest()[:16]


def state(path: str) -> bytes:
    """Returns the size and modification time of a file as bytes, b"missing" if there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return b"missing"
    return f"{status.st_size} {status.st_mtime_ns} ".encode()
