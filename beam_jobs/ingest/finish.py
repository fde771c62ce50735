"""The end of an ingest: parts become one manifest, quarantine, statistics and counts; the counters
must reconcile; the whole appears at once.
"""

from __future__ import annotations

import hashlib
import heapq
import json
import os
import shutil
import tempfile
from collections.abc import Iterator

from beam_jobs.ingest import statistics, storage
from models.examples.contract import contract
from models.examples.splits import SPLITS
from models.tasks import ViewKey


def conclude(root: str, stage: str, *, run: str, size: int, shards: int, facts: dict) -> dict:
    """write quarantine.jsonl, statistics.json, counts.json, contract.json and, last, manifest.json
    into `stage`; the counts.

    run: only parts of this run count. facts: more entries of manifest.json. One line of every shard
    is held at a time, no more. Raises RuntimeError if read = written + quarantined does not hold,
    ValueError for a split without views.
    """
    listed, tickets = parts(stage, "listed", run), parts(stage, "done", run)
    refused, strangers, first = join_quarantine(stage, [*listed, *tickets])
    written, by_shard = join_manifest(stage, list(tickets), size, facts)
    counts = {
        "read": sum(row["views"] for row in listed.values()),
        "written": sum(written.values()),
        "quarantined": refused,
    }
    if strangers:
        counts["files_refused"] = strangers
    if counts["read"] != counts["written"] + counts["quarantined"] or by_shard != {
        name: row["written"] for name, row in tickets.items() if row["written"]
    }:
        raise RuntimeError(
            f"views were lost: {counts}; remove {stage} and run again, and report this"
        )
    for split in SPLITS:
        if not written[split]:
            reason = (
                f"the first reason: {first['reason']}" if first else "no building belongs to it"
            )
            raise ValueError(
                f"split {split} of {root} has no sound view ({refused} of {counts['read']} "
                f"views quarantined; {reason}); all: {stage}/quarantine.jsonl"
            )
    remove_strays(stage, set(by_shard), shards)
    totals = {
        split: [row["statistics"] for name, row in tickets.items() if name.startswith(f"{split}-")]
        for split in SPLITS
    }
    for file_name, value in (
        (
            "statistics.json",
            {
                split: statistics.summary(statistics.merged(found))
                for split, found in totals.items()
            },
        ),
        ("contract.json", contract(size)),
        ("counts.json", counts),
    ):
        storage.write(storage.join(stage, file_name), (json.dumps(value, indent=1) + "\n").encode())
    storage.upload(scratch_of(stage, "manifest.json"), storage.join(stage, "manifest.json"))
    return counts


def parts(stage: str, folder: str, run: str) -> dict[str, dict]:
    """name -> content of the parts that belong to this run, in the order of names."""
    found = {}
    for file in sorted(storage.files(storage.join(stage, folder))):
        row = json.loads(storage.read(storage.join(stage, folder, file)))
        if row["run"] == run:
            found[file.removesuffix(".json")] = row
    return found


def lines(path: str) -> Iterator[dict]:
    """the rows of a part, a local one read line by line; none if there is no such file."""
    if storage.is_local(path):
        if os.path.exists(path):
            with open(path) as file:
                yield from map(json.loads, file)
    elif storage.exists(path):
        yield from map(json.loads, storage.read(path).decode().splitlines())


def scratch_of(stage: str, name: str) -> str:
    """where a file grows before it is moved to the stage."""
    return os.path.join(
        stage if storage.is_local(stage) else tempfile.gettempdir(), f".{name}.{os.getpid()}"
    )


def join_manifest(
    stage: str, names: list[str], size: int, facts: dict
) -> tuple[dict[str, int], dict[str, int]]:
    """write manifest.json to its scratch place, views in the order of keys (shards are sorted: a
    merge); views written a split, and a shard.
    """
    rows = heapq.merge(
        *(lines(storage.join(stage, "manifest", f"{name}.jsonl")) for name in names),
        key=lambda row: ViewKey.parse(row["key"]),
    )
    digest, written, shards = hashlib.sha256(), dict.fromkeys(SPLITS, 0), {}
    with open(scratch_of(stage, "manifest.json"), "w") as file:
        file.write(json.dumps({"size": size, **facts})[:-1] + ', "views": [')
        for count, row in enumerate(rows):
            digest.update((row["key"] + row["sha256"]).encode())
            file.write((",\n" if count else "\n") + json.dumps(row))
            written[row["split"]] += 1
            shard = f"{row['split']}-{row['shard']:05d}"
            shards[shard] = shards.get(shard, 0) + 1
        file.write(f'\n], "hash": "{digest.hexdigest()[:16]}"}}\n')
    return written, shards


def join_quarantine(stage: str, names: list[str]) -> tuple[int, int, dict | None]:
    """write quarantine.jsonl; (views refused, files refused that belong to no view, the first
    line).
    """
    views, strangers, first = 0, 0, None
    with open(scratch_of(stage, "quarantine.jsonl"), "w") as file:
        for name in names:
            for row in lines(storage.join(stage, "quarantine", f"{name}.jsonl")):
                first = first or row
                views, strangers = (
                    views + (row["view"] is not None),
                    strangers + (row["view"] is None),
                )
                file.write(json.dumps(row) + "\n")
    storage.upload(scratch_of(stage, "quarantine.jsonl"), storage.join(stage, "quarantine.jsonl"))
    return views, strangers, first


def remove_strays(stage: str, names: set[str], shards: int) -> None:
    """shards and manifest parts of an earlier, interrupted run over other views."""
    ours = {
        f"Split-{split}/examples-{number}-of-{shards:05d}.tfrecord.gz"
        for split, number in (name.split("-") for name in names)
    }
    ours |= {f"manifest/{name}.jsonl" for name in names}
    for folder in (*(f"Split-{split}" for split in SPLITS), "manifest"):
        for file in storage.files(storage.join(stage, folder)):
            if f"{folder}/{file}" not in ours:
                storage.remove(storage.join(stage, folder, file))


def older(uri: str) -> str:
    """where an earlier output waits while a new one takes its place."""
    return os.path.join(os.path.dirname(uri), f".{os.path.basename(uri)}.older")


def publish(stage: str, uri: str) -> None:
    """make a finished stage visible at `uri` at once: one rename. An earlier output steps aside
    first; `recover` brings it back after a kill.
    """
    for folder in ("listed", "done", "quarantine"):
        shutil.rmtree(os.path.join(stage, folder), ignore_errors=True)
    sweep(stage)
    os.remove(os.path.join(stage, ".lock"))
    os.makedirs(os.path.dirname(uri), exist_ok=True)
    shutil.rmtree(older(uri), ignore_errors=True)
    if os.path.isdir(uri) and os.listdir(uri):
        os.replace(uri, older(uri))
    os.replace(stage, uri)
    shutil.rmtree(older(uri), ignore_errors=True)


def recover(uri: str) -> None:
    """undo the first half of an interrupted `publish`."""
    if os.path.isdir(older(uri)) and not os.path.exists(uri):
        os.replace(older(uri), uri)


def sweep(stage: str) -> None:
    """remove what killed workers left half written."""
    for place, folders, files in os.walk(stage):
        for name in folders:
            if name.startswith("."):
                shutil.rmtree(os.path.join(place, name), ignore_errors=True)
        for name in files:
            if name.startswith(".") and name != ".lock":
                os.remove(os.path.join(place, name))
        folders[:] = [name for name in folders if not name.startswith(".")]
