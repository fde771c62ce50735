"""One shard: its views streamed one at a time into a file, with a manifest line a view written, a
quarantine line a view refused.

Each file appears whole or not at all, the shard's ticket (`done/`) last. A restarted job keeps
shards whose ticket names the same work over the same files (sizes, times of change), so that a
killed run loses one shard a worker.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from beam_jobs.ingest import statistics, storage
from beam_jobs.ingest.listing import Building, key
from beam_jobs.ingest.read_view import Refusal, aligned
from models.examples.contract import anomalies
from models.examples.example import encode_view
from models.tasks import ViewKey


@dataclass(frozen=True)
class Piece:
    """the views of one building that go into one shard. folders: labels that a view must have;
    units: depth codes a metre.
    """

    building: Building
    views: np.ndarray
    folders: tuple[str, ...]
    units: float


def write_shard(
    group: tuple[tuple[str, int], Iterable[Piece]], *, stage: str, size: int, shards: int, run: str
) -> int:
    """write everything about one shard below `stage`; how many views were written. run: names this
    run in the ticket.
    """
    (split, number), pieces = group[0], sorted(group[1], key=lambda piece: piece.building.name)
    name = f"{split}-{number:05d}"
    ticket = storage.join(stage, "done", f"{name}.json")
    work = work_of(pieces, size, shards)
    if work and storage.exists(ticket):
        found = json.loads(storage.read(ticket))
        if found["work"] == work:
            storage.write(ticket, json.dumps({**found, "run": run}).encode())
            return found["written"]
    target = storage.join(
        stage, f"Split-{split}", f"examples-{number:05d}-of-{shards:05d}.tfrecord.gz"
    )
    manifest, quarantine = (
        storage.join(stage, "manifest", f"{name}.jsonl"),
        storage.join(stage, "quarantine", f"{name}.jsonl"),
    )
    totals = statistics.empty()
    with (
        one_thread(),
        tempfile.TemporaryDirectory(
            prefix=".shard-", dir=stage if storage.is_local(stage) else None
        ) as folder,
    ):
        records, lines, refused = (
            os.path.join(folder, kind) for kind in ("records", "manifest", "quarantine")
        )
        with (
            writer(records) as sink,
            open(lines, "w") as manifest_lines,
            open(refused, "w") as refused_lines,
        ):
            for view_key, record in examples(pieces, split, size, totals, refused_lines):
                sink.write(record)
                line = {
                    "key": str(view_key),
                    "split": split,
                    "shard": number,
                    "sha256": hashlib.sha256(record).hexdigest(),
                }
                manifest_lines.write(json.dumps(line) + "\n")
        if totals["views"]:
            storage.upload(records, target)
        storage.upload(lines, manifest)
        storage.upload(refused, quarantine)
    storage.write(
        ticket,
        json.dumps(
            {"run": run, "work": work, "written": totals["views"], "statistics": totals}
        ).encode(),
    )
    return totals["views"]


def examples(
    pieces: list[Piece], split: str, size: int, totals: dict, refused_lines
) -> Iterator[tuple[ViewKey, bytes]]:
    """(key, serialised example) of every sound view, in the order of keys; the others go to
    `refused_lines`.
    """
    for piece in pieces:
        for number in piece.views:
            view_key = key(piece.building.name, number)
            try:
                if int(number) in piece.building.twice:
                    raise Refusal(str(view_key), piece.building.twice[int(number)])
                view = aligned(piece.building, view_key, piece.folders, size, piece.units)
                for contradiction in anomalies(view, size):
                    raise Refusal(str(view_key), f"breaks the label contract: {contradiction}")
            except Refusal as refusal:
                refused_lines.write(
                    json.dumps(
                        {"view": str(view_key), "file": refusal.file, "reason": refusal.reason}
                    )
                    + "\n"
                )
                continue
            statistics.add(totals, view)
            yield view_key, encode_view(view, split)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """OpenCV without threads of its own: the job is parallel by processes, and theirs would fight
    for the same cores.
    """
    import cv2

    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)


def writer(path: str):
    """a TFRecord file in a gzip frame without compression: PNG bytes do not shrink again, and
    trying costs 0.8 ms of a view's 40.
    """
    import tensorflow as tf

    return tf.io.TFRecordWriter(
        path, tf.io.TFRecordOptions(compression_type="GZIP", compression_level=0)
    )


def work_of(pieces: list[Piece], size: int, shards: int) -> str:
    """16 hex digits over what a shard is made of, sizes and times of change of its files included;
    "" where a store has no such times.
    """
    digest = hashlib.sha256(f"{size} {shards}".encode())
    for piece in pieces:
        digest.update(
            f"{piece.building.name} {piece.folders} {piece.units} "
            f"{sorted(piece.building.twice)}".encode()
            + piece.views.tobytes()
        )
        for number in piece.views:
            _, point, view = key("", number)
            for folder in piece.folders:
                for path in (
                    piece.building.files(folder, point, view)
                    if folder in piece.building.variants
                    else ()
                ):
                    if not storage.is_local(path):
                        return ""
                    digest.update(state(path))
    return digest.hexdigest()[:16]


def state(path: str) -> bytes:
    try:
        found = os.stat(path)
    except OSError:
        return b"missing"
    return f"{found.st_size} {found.st_mtime_ns} ".encode()
