"""Ingest: a folder in the published layout becomes sharded examples, a manifest, a label contract,
statistics, and a quarantine of what was refused.

Every view is read once, all its labels together, resized and re-encoded once. Nothing is dropped
silently: read = written + quarantined, checked at the end. Between the stages pass only names
(eight bytes a view): a worker streams a shard's views one by one into its file, so that memory does
not grow with the data set. All is written beside the destination and renamed when complete; a
killed run resumes with its command.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import logging
import os
import shutil
import uuid
import warnings
import zlib
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from beam_jobs.ingest import finish, spans, storage
from beam_jobs.ingest.known_bad import Facts, read_facts
from beam_jobs.ingest.listing import SAFE, buildings, key, list_building
from beam_jobs.ingest.progress import watched
from beam_jobs.ingest.write_shard import Piece, write_shard
from models.examples.splits import SPLITS, hashed_splits, read_splits


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "example: python -m beam_jobs ingest --data data --out examples --size 64 --splits "
        "train_val_test_tiny.csv --processes 2"
    )
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "--data", help="folder in the published layout, or its place in an object store"
    )
    where.add_argument(
        "--input-pattern",
        help="as TFX's: '.../span-{SPAN}/version-{VERSION}'; the newest span, of it the "
        "newest version, is read",
    )
    parser.add_argument("--span", type=int, help="this span of the pattern instead of the newest")
    parser.add_argument(
        "--version", type=int, help="this version of the span instead of the newest"
    )
    parser.add_argument("--out", required=True, help="folder for the examples")
    parser.add_argument("--size", type=int, default=64, help="side of the training images")
    parser.add_argument(
        "--shards",
        type=int,
        default=4,
        help="files a split; also the pieces of work that processes share",
    )
    parser.add_argument(
        "--splits",
        help="a split list as published (id,train,val,test), e.g. train_val_test_tiny.csv; "
        "buildings outside it are not read",
    )
    parser.add_argument("--processes", type=int, default=1, help="worker processes on this machine")
    parser.add_argument(
        "--beam",
        action="append",
        default=[],
        help="an option for Beam, e.g. --beam=--runner=PortableRunner",
    )


def run(options: argparse.Namespace) -> int:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    warnings.filterwarnings("ignore", category=FutureWarning, module="google")
    logging.getLogger().addFilter(
        lambda record: "crcmod" not in record.getMessage()
    )  # Beam's own TFRecord files are not used
    root, facts = options.data, {}
    if options.input_pattern:
        found = spans.newest(options.input_pattern, span=options.span, version=options.version)
        root, facts = found.root, found.facts()
    several = (
        ["--direct_running_mode=multi_processing", f"--direct_num_workers={options.processes}"]
        if options.processes > 1
        else []
    )
    splits = read_splits(options.splits) if options.splits else None
    counts = ingest(
        root,
        options.out,
        size=options.size,
        shards=options.shards,
        splits=splits,
        only_split=True,
        beam_args=[*several, *options.beam],
        facts=facts,
    )
    print(json.dumps(counts))
    return 0


def ingest(
    root: str,
    uri: str,
    *,
    size: int,
    shards: int,
    splits: Mapping[str, str] | None = None,
    only_split: bool = False,
    beam_args: Iterable[str] = (),
    pipeline=None,
    facts: Mapping | None = None,
) -> dict:
    """write the Examples artifact of docs/ARCHITECTURE.md to `uri`; {"read", "written",
    "quarantined"} views, and "files_refused" if there are any.

    splits: building -> split; default splits.csv of `root`, else by hash. only_split: buildings
    outside `splits` are left alone instead of quarantined (a subset of a larger folder). pipeline:
    an unstarted Beam pipeline (TFX gives one). facts: more entries of manifest.json. Raises
    ValueError for a root without buildings or a split without views, RuntimeError if the counters
    do not reconcile.
    """
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    if size < 1 or shards < 1:
        raise ValueError(f"size and shards are at least 1, got {size} and {shards}")
    root, uri = storage.plain(root).rstrip("/"), storage.plain(uri).rstrip("/")
    found = buildings(root)
    if splits is not None and only_split:
        found = {name: trees for name, trees in found.items() if split_of(name, splits)}
    splits = splits if splits is not None else splits_of(root, found)
    described, name = read_facts(root), uuid.uuid4().hex
    pipeline = (
        pipeline
        if pipeline is not None
        else beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner", *beam_args]))
    )
    with staged(uri) as stage:
        with (
            watched(stage) if storage.is_local(stage) else contextlib.nullcontext(),
            pipeline as started,
        ):
            (
                started
                | "Buildings"
                >> beam.Create(
                    [
                        (number, building, trees)
                        for number, (building, trees) in enumerate(found.items())
                    ]
                )
                | "Spread" >> beam.Reshuffle()
                | "List"
                >> beam.FlatMap(
                    pieces,
                    root=root,
                    stage=stage,
                    splits=dict(splits),
                    described=described,
                    shards=shards,
                    run=name,
                )
                | "Gather" >> beam.GroupByKey()
                | "Write" >> beam.Map(write_shard, stage=stage, size=size, shards=shards, run=name)
            )
        if not any(row["views"] for row in finish.parts(stage, "listed", name).values()):
            raise ValueError(
                f"no views at {root}: expected BUILDING/rgb/point_P_view_V_domain_rgb.png; "
                f"`python -m beam_jobs annotate --out {root}` makes a data set"
            )
        return finish.conclude(
            root, stage, run=name, size=size, shards=shards, facts=dict(facts or {})
        )


def splits_of(root: str, found: Iterable[str]) -> dict[str, str]:
    """building -> split by splits.csv of `root`, else by the hash of the name."""
    table = storage.join(root, "splits.csv")
    if storage.exists(table):
        return read_splits(table, storage.read(table))
    kept = [name for name in found if SAFE.match(name)]
    return hashed_splits(kept) if kept else {}


def split_of(building: str, splits: Mapping[str, str]) -> str | None:
    """published lists are in lower case, some copies of the buildings are not."""
    return splits.get(building, splits.get(building.lower()))


def pieces(
    row: tuple, *, root: str, stage: str, splits: dict, described: Facts, shards: int, run: str
) -> Iterator[tuple[tuple[str, int], Piece]]:
    """((split, shard), the building's views in it) of one building; views that are refused by name
    alone go to the quarantine here.
    """
    number, building, trees = row
    if not SAFE.match(building):
        shelve(
            stage,
            number,
            run,
            0,
            [
                {
                    "view": None,
                    "file": repr(building),
                    "reason": "a building's name is letters, digits, . _ and -",
                }
            ],
        )
        return
    listed, split = list_building(root, building, trees), split_of(building, splits)
    refused = [{"view": None, "file": file, "reason": reason} for file, reason in listed.strangers]
    kept = []
    for view in listed.views:
        reason = described.reason(key(building, view)) or (
            None if split in SPLITS else "its building stands in no split of splits.csv"
        )
        if reason:
            refused.append({"view": str(key(building, view)), "file": building, "reason": reason})
        else:
            kept.append(view)
    shelve(stage, number, run, len(listed.views), refused)
    folders = tuple(sorted({"rgb", *listed.variants} - described.absent))
    kept = np.array(kept, "int64")
    shard = np.array([zlib.crc32(f"{building}/{view}".encode()) % shards for view in kept], "int64")
    for part in np.unique(shard):
        views = kept[shard == part]
        twice = {
            view: reason for view, reason in listed.twice.items() if view in set(views.tolist())
        }
        slim = type(listed)(
            building, listed.component, listed.variants, np.zeros(0, "int64"), twice, ()
        )
        yield (
            (split, int(part)),
            Piece(slim, views, folders, described.depth_units(building, listed.component)),
        )


def shelve(stage: str, number: int, run: str, views: int, refused: list[dict]) -> None:
    """the quarantine lines of a building, then its count of views."""
    if refused:
        storage.write(
            storage.join(stage, "quarantine", f"building-{number:05d}.jsonl"),
            "".join(json.dumps(row) + "\n" for row in refused).encode(),
        )
    else:
        storage.write(storage.join(stage, "quarantine", f"building-{number:05d}.jsonl"), b"")
    storage.write(
        storage.join(stage, "listed", f"building-{number:05d}.json"),
        json.dumps({"run": run, "views": views}).encode(),
    )


class staged:
    """`with staged(uri) as stage`: a folder beside `uri` that takes its place when the block ends
    well, and stays for the next run when it does not.

    In an object store, which cannot rename at once, the stage is `uri` itself: readers wait for
    manifest.json, which is written last.
    """

    def __init__(self, uri: str) -> None:
        self.uri = os.path.abspath(uri) if storage.is_local(uri) else uri
        self.stage = (
            os.path.join(os.path.dirname(self.uri), f".{os.path.basename(self.uri)}.partial")
            if storage.is_local(uri)
            else uri
        )

    def __enter__(self) -> str:
        if storage.is_local(self.uri):
            finish.recover(self.uri)
            os.makedirs(self.stage, exist_ok=True)
            self.lock = open(os.path.join(self.stage, ".lock"), "w")  # noqa: SIM115  held until the end
            try:
                fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise ValueError(
                    f"another ingest is writing {self.uri}; wait for it or end it"
                ) from error
            finish.sweep(self.stage)
        elif storage.exists(storage.join(self.uri, "manifest.json")):
            storage.remove(storage.join(self.uri, "manifest.json"))
        return self.stage

    def __exit__(self, kind, error, trace) -> None:
        if storage.is_local(self.uri):
            if kind is None:
                finish.publish(self.stage, self.uri)
            elif not os.path.exists(os.path.join(self.stage, "done")) and not os.path.exists(
                os.path.join(self.stage, "quarantine.jsonl")
            ):
                shutil.rmtree(
                    self.stage
                )  # nothing that a restart could use, or a person would look at
            self.lock.close()
