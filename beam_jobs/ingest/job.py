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
import json
import logging
import os
import uuid
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from beam_jobs.ingest import finish, spans, storage
from beam_jobs.ingest.known_bad import read_facts
from beam_jobs.ingest.listing import SAFE, buildings, check_folders
from beam_jobs.ingest.partition import pieces, split_of
from beam_jobs.ingest.progress import watched
from beam_jobs.ingest.stage import Stage
from beam_jobs.ingest.write_shard import write_shard
from models.examples.splits import hashed_splits, read_splits


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
        "--strict",
        action="store_true",
        help="a flawed label file costs the view; default: that label of the view (counted and "
        "named), unless it is the picture",
    )
    parser.add_argument(
        "--beam",
        action="append",
        default=[],
        help="an option for Beam, e.g. --beam=--runner=PortableRunner",
    )


def run(options: argparse.Namespace) -> int:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    warnings.filterwarnings("ignore", category=FutureWarning, module="google")
    # Beam regrets that crcmod is not there, for TFRecord files of its own that are not used here.
    logging.getLogger().addFilter(lambda record: "crcmod" not in record.getMessage())
    root = options.data
    facts: dict[str, Any] = {}
    if options.input_pattern:
        span = spans.newest(options.input_pattern, span=options.span, version=options.version)
        root = span.root
        facts = span.facts()
    several = [
        "--direct_running_mode=multi_processing",
        f"--direct_num_workers={options.processes}",
    ]
    counts = ingest(
        root,
        options.out,
        size=options.size,
        shards=options.shards,
        splits=read_splits(options.splits) if options.splits else None,
        only_split=True,
        strict=options.strict,
        beam_args=[*(several if options.processes > 1 else []), *options.beam],
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
    strict: bool = False,
    beam_args: Iterable[str] = (),
    pipeline: Any = None,
    facts: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """write the Examples artifact of docs/ARCHITECTURE.md to `uri`; {"read", "written",
    "quarantined"} views, and where there are any "files_refused" (of no view), "folders_unknown"
    {name: buildings} and "labels_refused" {folder: views that were written without it}.

    splits: building -> split; default splits.csv of `root`, else by hash. only_split: buildings
    outside `splits` are left alone instead of quarantined (a subset of a larger folder). strict: a
    flawed label file costs its view, not only that label. pipeline: an unstarted Beam pipeline (TFX
    gives one). facts: more entries of manifest.json. Raises ValueError for a root without
    buildings, a folder called nearly as a label's or a split without views, RuntimeError if the
    counters do not reconcile.
    """
    if size < 1 or shards < 1:
        raise ValueError(f"size and shards are at least 1, got {size} and {shards}")
    root = storage.plain(root).rstrip("/")
    uri = storage.plain(uri).rstrip("/")
    trees = buildings(root)
    if storage.is_local(root):
        check_folders(root, trees)
    if splits is None:
        splits = splits_of(root, trees)
    elif only_split:
        trees = {name: places for name, places in trees.items() if split_of(name, splits)}
    described = read_facts(root)
    run = uuid.uuid4().hex
    with Stage(uri) as stage:
        listing = {
            "root": root,
            "stage": stage,
            "splits": dict(splits),
            "described": described,
            "shards": shards,
            "run": run,
        }
        writing = {"stage": stage, "size": size, "shards": shards, "run": run, "strict": strict}
        progress = watched(stage) if storage.is_local(stage) else contextlib.nullcontext()
        unstarted = local_pipeline(beam_args) if pipeline is None else pipeline
        with progress, unstarted as started:
            ingested(started, trees, listing, writing)
        if not any(row["views"] for row in finish.parts(stage, "listed", run).values()):
            raise ValueError(
                f"no views at {root}: expected BUILDING/rgb/point_P_view_V_domain_rgb.png; "
                f"`python -m beam_jobs annotate --out {root}` makes a data set"
            )
        return finish.conclude(root, stage, run=run, size=size, shards=shards, facts=facts or {})


def local_pipeline(beam_args: Iterable[str]) -> Any:
    """a Beam pipeline on this machine, unless the arguments name another runner."""
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    return beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner", *beam_args]))


def ingested(
    pipeline: Any,
    trees: Mapping[str, tuple[str, ...]],
    listing: Mapping[str, Any],
    writing: Mapping[str, Any],
) -> None:
    """the graph: a building is listed, its views are gathered by shard, a shard is written.
    listing, writing: the arguments of `pieces` and of `write_shard`.
    """
    import apache_beam as beam

    rows = [(number, name, places) for number, (name, places) in enumerate(trees.items())]
    (
        pipeline
        | "Buildings" >> beam.Create(rows)
        | "Spread" >> beam.Reshuffle()
        | "List" >> beam.FlatMap(pieces, **listing)
        | "Gather" >> beam.GroupByKey()
        | "Write" >> beam.Map(write_shard, **writing)
    )


def splits_of(root: str, names: Iterable[str]) -> dict[str, str]:
    """building -> split by splits.csv of `root`, else by the hash of the name."""
    table = storage.join(root, "splits.csv")
    if storage.exists(table):
        return read_splits(table, storage.read(table))
    kept = [name for name in names if SAFE.match(name)]
    return hashed_splits(kept) if kept else {}
