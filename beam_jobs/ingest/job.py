"""Ingest: a folder in the published layout becomes sharded examples, a manifest, a label contract,
statistics, and a quarantine of what was refused.

Every view is read once, all its labels together, resized and re-encoded once. Nothing is dropped
silently: read = written + quarantined, checked at the end. Only the names of views pass between the
stages (eight bytes a view), and a worker streams a shard's views one by one into its file, so that
memory does not grow with the data set. All is written beside the destination and renamed when
complete; a killed run resumes when its command is run again.
"""

from __future__ import annotations

import contextlib
import sys
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from beam_jobs.ingest import finish, storage
from beam_jobs.ingest.known_bad import read_facts
from beam_jobs.ingest.listing import (
    NAMING,
    buildings,
    check_folders,
    is_building_name,
    refuse_homeless,
)
from beam_jobs.ingest.partition import pieces
from beam_jobs.ingest.progress import watched
from beam_jobs.ingest.stage import Stage, check_place
from beam_jobs.ingest.write_shard import write_shard
from beam_jobs.options import LOCAL_RUNNER
from models.examples.splits import entry_of, hashed_splits, read_splits


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
    """Writes the Examples artifact of docs/ARCHITECTURE.md to `uri` and returns {"read", "written",
    "quarantined"} views, and where there are any "files_refused" (of no view; "labels_misnamed"
    {folder: files} says in which labels' folders), "folders_unknown" {name: buildings},
    "labels_refused" {folder: views that were written without it, its file being flawed},
    "labels_absent" {folder: views without a file, though their building has the label} and
    "scales_doubtful": buildings whose depth may be on another scale.

    splits: building -> split; default splits.csv of `root`, else by hash. only_split: buildings
    outside `splits` are left alone instead of quarantined (a subset of a larger folder). strict: a
    flawed label file costs its view, not only that label. pipeline: an unstarted Beam pipeline (TFX
    gives one). facts: more entries of manifest.json.

    Raises ValueError for a root without buildings, labels outside any building, a folder called
    nearly as a label's, a split without views, or a `uri` that holds another's files or data of
    `root` (`check_place`), OSError for one that is a mount point, RuntimeError if the counters do
    not reconcile.
    """
    if size < 1 or shards < 1:
        raise ValueError(f"size and shards are at least 1, got {size} and {shards}")
    root = storage.plain(root).rstrip("/")
    uri = storage.plain(uri).rstrip("/") or "/"
    check_place(root, uri)
    trees = buildings(root)
    # in a store each building's worker checks its own folders (`list_building`): asking for all
    # here would take long
    if storage.is_local(root):
        check_folders(root, trees)
    if splits is None:
        splits = splits_of(root, trees)
    elif only_split:
        trees = {name: places for name, places in trees.items() if entry_of(splits, name)}
    for name in trees:
        if not is_building_name(name):
            # said before the work: that may take hours, while renaming the folder takes a moment
            print(f"none of building {name!r} will be written: {NAMING}", file=sys.stderr)
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
            refuse_homeless(root)
            raise ValueError(
                f"no views at {root}: expected BUILDING/rgb/point_P_view_V_domain_rgb.png below it"
                "; without data of your own, `python -m beam_jobs annotate --out DIR` makes a data "
                "set in another folder"
            )
        return finish.conclude(root, stage, run=run, size=size, shards=shards, facts=facts or {})


def local_pipeline(beam_args: Iterable[str]) -> Any:
    """Returns an unstarted Beam pipeline on this machine, unless the arguments name
    another runner.
    """
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    return beam.Pipeline(options=PipelineOptions([f"--runner={LOCAL_RUNNER}", *beam_args]))


def ingested(
    pipeline: Any,
    trees: Mapping[str, tuple[str, ...]],
    listing: Mapping[str, Any],
    writing: Mapping[str, Any],
) -> None:
    """Adds the job's steps to the pipeline: a building is listed, its views are gathered by shard,
    a shard is written. listing, writing: the arguments of `pieces` and of `write_shard`.
    """
    import apache_beam as beam

    rows = [(number, name, places) for number, (name, places) in enumerate(trees.items())]
    (
        pipeline
        | "Buildings" >> beam.Create(rows)
        # without it Beam fuses listing with the step before, and one worker lists everything
        | "Spread" >> beam.Reshuffle()
        | "List" >> beam.FlatMap(pieces, **listing)
        | "Gather" >> beam.GroupByKey()
        | "Write" >> beam.Map(write_shard, **writing)
    )


def splits_of(root: str, names: Iterable[str]) -> dict[str, str]:
    """Returns {building: split} by splits.csv of `root`, else by the hash of the name."""
    table = storage.join(root, "splits.csv")
    if storage.exists(table):
        return read_splits(table, storage.read(table))
    building_names = [name for name in names if is_building_name(name)]
    return hashed_splits(building_names) if building_names else {}
