"""Ends an ingest: joins the parts into one manifest, quarantine, statistics and counts, and checks
that the counters reconcile; all of it appears at once.
"""

from __future__ import annotations

import hashlib
import heapq
import json
import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from beam_jobs.ingest import statistics, storage
from beam_jobs.ingest.listing import FOLDER_SPELLINGS
from models.examples.camera_height import USUAL_HEIGHT
from models.examples.contract import contract
from models.examples.index import FOLDER, Entry, IndexWriter, shard_file
from models.examples.lost_labels import loss_lines
from models.examples.shards import Place
from models.examples.splits import SPLITS
from models.tasks import DOMAINS, ViewKey

Row = dict[str, Any]

# bounds the memory where every reason is a different text
KINDS = 1000


@dataclass
class QuarantineCounts:
    """Counts of what quarantine.jsonl holds. views: refused. files: that belong to no view.
    misnamed: of these, by the label whose folder they lie in. folders, labels: how often by name.
    kinds: how often by kind of reason, where reasons that differ in numbers alone are of one kind
    (the first KINDS kinds only). example: kind -> the first reason of that kind, in full.
    """

    views: int = 0
    files: int = 0
    misnamed: Counter[str] = field(default_factory=Counter)
    folders: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    example: dict[str, str] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        """Counts one line of the quarantine."""
        kind = re.sub(r"\d+", "#", row["reason"])
        if kind in self.kinds or len(self.kinds) < KINDS:
            self.kinds[kind] += 1
            self.example.setdefault(kind, row["reason"])
        if "label" in row:
            self.labels[row["label"]] += 1
        elif "folder" in row:
            self.folders[row["folder"].rpartition("/")[2]] += 1
        elif row["view"] is not None:
            self.views += 1
        else:
            self.files += 1
            label = label_above(row["file"])
            if label:
                self.misnamed[label] += 1

    def commonest(self, most: int = 3) -> str:
        """Returns the most common kinds of reasons as text, each with its count and an example."""
        return "; ".join(
            f"{count} times: {self.example[kind]}" for kind, count in self.kinds.most_common(most)
        )

    def counts(self) -> Row:
        """Returns the entries of counts.json for what was refused; counts of zero are left out."""
        entries = {
            "files_refused": self.files,
            "folders_unknown": dict(sorted(self.folders.items())),
            "labels_refused": dict(sorted(self.labels.items())),
            "labels_misnamed": dict(sorted(self.misnamed.items())),
        }
        return {name: value for name, value in entries.items() if value}


def label_above(file: str) -> str | None:
    """Returns the label in whose folder a file lies, in either tree; None where no folder above the
    file is a label's.
    """
    spelt = {name: label for label, names in FOLDER_SPELLINGS.items() for name in names}
    for folder in reversed(file.split("/")[:-1]):
        label = spelt.get(folder, folder)
        if label in DOMAINS:
            return label
    return None


def conclude(
    root: str, stage: str, *, run: str, size: int, shards: int, facts: Mapping[str, Any]
) -> Row:
    """Writes quarantine.jsonl, statistics.json, counts.json, contract.json and, last, manifest.json
    into `stage`, and returns the counts.

    run: only parts of this run count. facts: more entries of manifest.json. Only one line of every
    shard is held in memory at a time. Raises RuntimeError if read = written + quarantined does not
    hold, ValueError for a split without views.
    """
    building_rows = parts(stage, "listed", run)
    tickets = parts(stage, "done", run)
    quarantine, by_split = join_quarantine(stage, building_rows, list(tickets))
    written, by_shard = join_manifest(stage, list(tickets), {"size": size, **facts}, shards)
    counts = {
        "read": sum(row["views"] for row in building_rows.values()),
        "written": sum(written.values()),
        "quarantined": quarantine.views,
        **quarantine.counts(),
        **absent_labels(tickets),
        **doubtful_scales(building_rows),
    }
    promised = {name: row["written"] for name, row in tickets.items() if row["written"]}
    # compared by shard too, since one view lost and another written twice would not change the sum
    if counts["read"] != counts["written"] + counts["quarantined"] or by_shard != promised:
        raise RuntimeError(
            f"views were lost: {counts}; remove {stage} and run again, and report this"
        )
    check_splits(root, stage, written, counts, by_split)
    remove_strays(stage, set(by_shard), shards)
    write_json(stage, "statistics.json", statistics_of(tickets))
    write_json(stage, "contract.json", contract(size))
    write_json(stage, "counts.json", counts)
    storage.upload(scratch_of(stage, "manifest.json"), storage.join(stage, "manifest.json"))
    return counts


def check_splits(
    root: str,
    stage: str,
    written: Mapping[str, int],
    counts: Row,
    quarantine: Mapping[str, QuarantineCounts],
) -> None:
    """Raises ValueError if a split has no view. The message holds the reasons, since a pipeline
    removes what a failed step has written, quarantine.jsonl included. quarantine: split -> what was
    refused of its buildings, for the splits that have any.
    """
    for split in SPLITS:
        if not written[split]:
            if split not in quarantine:
                raise ValueError(
                    f"split {split} of {root} has no view: no building belongs to it; name one in "
                    "the list of splits (without splits.csv they are shared out by themselves)"
                )
            reasons = quarantine[split].commonest() or "its buildings hold no view"
            raise ValueError(
                f"split {split} of {root} has no sound view ({reasons}; {counts['quarantined']} of "
                f"all {counts['read']} views quarantined); all: {stage}/quarantine.jsonl (a "
                f"pipeline removes it: `python -m beam_jobs ingest --data {root} --out FOLDER` "
                "keeps it)"
            )


def absent_labels(tickets: Mapping[str, Row]) -> Row:
    """Returns {"labels_absent": {folder: views that were written without that label, since there is
    no file}}, {} where every view has every label of its building.
    """
    absent: Counter[str] = Counter()
    for row in tickets.values():
        absent.update(row["absent"])
    return {"labels_absent": dict(sorted(absent.items()))} if absent else {}


def doubtful_scales(building_rows: Mapping[str, Row]) -> Row:
    """Returns {"scales_doubtful": how many buildings have cameras at an unusual height above the
    floor, told by depth whose scale nothing surer tells}, {} where there is none.
    """
    low, high = USUAL_HEIGHT
    heights = [row["height"] for row in building_rows.values() if "height" in row]
    doubtful = sum(not low <= height <= high for height in heights)
    return {"scales_doubtful": doubtful} if doubtful else {}


def statistics_of(tickets: Mapping[str, Row]) -> Row:
    """Returns {split: what its labels look like in numbers}, from the tickets of its shards."""
    return {
        split: statistics.summary(
            statistics.merged(
                row["statistics"] for name, row in tickets.items() if name.startswith(f"{split}-")
            )
        )
        for split in SPLITS
    }


def write_json(stage: str, name: str, value: object) -> None:
    storage.write(storage.join(stage, name), (json.dumps(value, indent=1) + "\n").encode())


def parts(stage: str, folder: str, run: str) -> dict[str, Row]:
    """Returns {name: content} of the parts that belong to this run, in the order of names."""
    ours = {}
    for file in sorted(storage.files(storage.join(stage, folder))):
        row = json.loads(storage.read(storage.join(stage, folder, file)))
        if row["run"] == run:
            ours[file.removesuffix(".json")] = row
    return ours


def lines(path: str) -> Iterator[Row]:
    """Yields the rows of a part, none if there is no such file. A local file is read line
    by line.
    """
    if storage.is_local(path):
        if os.path.exists(path):
            with open(path) as file:
                yield from map(json.loads, file)
    elif storage.exists(path):
        yield from map(json.loads, storage.read(path).decode().splitlines())


def scratch_of(stage: str, name: str) -> str:
    """Returns the path at which a file is written before it is moved to the stage."""
    # in the stage, since a local file is renamed to its place, within one file system only
    folder = stage if storage.is_local(stage) else tempfile.gettempdir()
    return os.path.join(folder, f".{name}.{os.getpid()}")


def join_manifest(
    stage: str, names: Iterable[str], facts: Mapping[str, Any], shards: int
) -> tuple[dict[str, int], dict[str, int]]:
    """Writes the index, with views in the order of keys (shards are sorted, so this is a merge),
    and manifest.json, which counts them, to its scratch place. Returns the number of views written
    of each split, and of each shard. What was written of each view stands in
    `manifest/<split>-<shard>.jsonl`.
    """
    rows = heapq.merge(
        *(lines(storage.join(stage, "manifest", f"{name}.jsonl")) for name in names),
        key=lambda row: ViewKey.parse(row["key"]),
    )
    digest = hashlib.sha256()
    written = dict.fromkeys(SPLITS, 0)
    by_shard: Counter[str] = Counter()
    index = IndexWriter(Path(scratch_of(stage, FOLDER)))
    for row in rows:
        place = Place(*row["place"])
        index.add(Entry(ViewKey.parse(row["key"]), row["split"], row["shard"], place))
        digest.update((row["key"] + row["sha256"]).encode())
        written[row["split"]] += 1
        by_shard[f"{row['split']}-{row['shard']:05d}"] += 1
    manifest = {**facts, "views": written, "hash": digest.hexdigest()[:16]}
    Path(scratch_of(stage, "manifest.json")).write_text(json.dumps(manifest, indent=1) + "\n")
    index.close({"hash": digest.hexdigest()[:16], "size": facts["size"], "shards": shards})
    for path in sorted(index.folder.iterdir()):
        storage.upload(str(path), storage.join(stage, FOLDER, path.name))
    index.folder.rmdir()
    return written, dict(by_shard)


def join_quarantine(
    stage: str, building_rows: Mapping[str, Row], shards: list[str]
) -> tuple[QuarantineCounts, dict[str, QuarantineCounts]]:
    """Writes quarantine.jsonl: what was refused by its name, then views, then labels alone. Returns
    the counts of what it holds, and for each split that has buildings the counts of what kept views
    out of it.
    """
    quarantine = QuarantineCounts()
    by_split = {
        row["split"]: QuarantineCounts() for row in building_rows.values() if row.get("split")
    }
    places = [("quarantine", name, row.get("split")) for name, row in building_rows.items()]
    places += [("quarantine", name, name.split("-")[0]) for name in shards]
    places += [("flaws", name, None) for name in shards]
    with open(scratch_of(stage, "quarantine.jsonl"), "w") as file:
        for folder, name, split in places:
            for row in lines(storage.join(stage, folder, f"{name}.jsonl")):
                quarantine.add(row)
                if split in by_split:
                    by_split[split].add(row)
                file.write(json.dumps(row) + "\n")
    storage.upload(scratch_of(stage, "quarantine.jsonl"), storage.join(stage, "quarantine.jsonl"))
    return quarantine, by_split


def said_losses(uri: str, counts: Row) -> list[str]:
    """Returns lines that say what an ingest into `uri` lost; the last says where the
    reasons stand.
    """
    statistics_read = json.loads(storage.read(storage.join(uri, "statistics.json")))
    report = loss_lines(counts, statistics_read)
    # labels without a file are only counted: quarantine.jsonl has no line for them
    refused = counts["quarantined"] or {"files_refused", "folders_unknown", "labels_refused"} & set(
        counts
    )
    return [*report, f"the reasons: {storage.join(uri, 'quarantine.jsonl')}"] if refused else report


def remove_strays(stage: str, names: set[str], shards: int) -> None:
    """Removes shards and manifest parts that an earlier, interrupted run over other views left."""
    ours = {f"manifest/{name}.jsonl" for name in names}
    for name in names:
        split, number = name.split("-")
        ours.add(shard_file(split, int(number), shards))
    for folder in (*(f"Split-{split}" for split in SPLITS), "manifest"):
        for file in storage.files(storage.join(stage, folder)):
            if f"{folder}/{file}" not in ours:
                storage.remove(storage.join(stage, folder, file))
