"""The history as a person reads it: 80 columns, the newest last."""

from __future__ import annotations

import json
import textwrap
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tfx_pipeline.history.changes import (
    changed_beside,
    changed_code,
    config_changes,
    is_other,
    manifest_changes,
    percent,
    policy_changes,
    reasons_to_run,
    views_of,
)
from tfx_pipeline.history.journal import Entry
from tfx_pipeline.history.software import software_changes

WIDTH = 80
HEAD = "  #  when         outcome    version     quality  saved  networks  measured time"
MEASURED = "transfers with every amount of labels, and their controls"


def table(run: Path, entries: Sequence[Entry]) -> Iterator[str]:
    """Yields lines: one with the figures of an entry, and below it why it ran and how it ended."""
    yield HEAD
    before: Entry | None = None
    for entry in entries:
        yield row(entry).rstrip()
        for line in explanation_lines(run, before, entry):
            yield from textwrap.wrap(
                line, WIDTH, initial_indent="     ", subsequent_indent="       "
            )
        # what a run changed is held against the last run, whatever came in between
        before = entry if entry.is_run else before
    if any(entry.transfers for entry in entries):
        yield f"measured: {MEASURED}"
    last = entries[-1]
    if last.serves is not None:
        yield f"version {last.serves} serves"


def row(entry: Entry) -> str:
    when = time.strftime("%m-%d %H:%M", time.localtime(entry.began))
    quality, saved = (percent(entry.metrics.get(name)) for name in ("quality", "saved"))
    figures = f"{quality:>7s} {saved:>6s} {len(entry.networks):9d} {entry.transfers:9d}"
    if not entry.is_run:
        # a rollback has no measures
        figures = " " * len(figures)
    return (
        f"{entry.number:3d}  {when}  {entry.outcome:9s}  {entry.version or '':<11}"
        f"{figures} {short_duration(entry.seconds):>5s}"
    )


def short_duration(seconds: float) -> str:
    """Returns seconds, minutes or hours in at most five characters."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} m" if seconds < 6000 else f"{seconds / 3600:.0f} h"


def explanation_lines(run: Path, before: Entry | None, entry: Entry) -> Iterator[str]:
    """Yields why an entry is there, and how it ended."""
    if entry.is_run:
        reasons = reasons_to_run(run, before, entry)
        yield "; ".join(reasons) if reasons else "nothing changed"
    for verdict in entry.verdicts:
        if verdict.get("forced") and not verdict["passed"]:
            yield f"{verdict['gate']} overruled: {verdict['forced']}"
    if entry.warm:
        yield f"{len(entry.warm)} of {len(entry.networks)} networks began from blessed ones"
    if entry.reason:
        yield entry.reason


def as_json(entries: Sequence[Entry], run: Path) -> str:
    """Returns a JSON list of entries, each with `because`: what changed since the run before."""
    from dataclasses import asdict

    rows, before = [], None
    for entry in entries:
        rows.append(
            {**asdict(entry), "because": reasons_to_run(run, before, entry) if entry.is_run else []}
        )
        before = entry if entry.is_run else before
    return json.dumps(rows, indent=1)


def difference(run: Path, old: Entry, new: Entry) -> Iterator[str]:
    """Yields lines on all that differs between two runs of the folder."""
    yield f"{entry_title(old)} -> {entry_title(new)}"
    for title, lines in (
        ("data", data_lines(run, old, new)),
        ("code", [f"{name}" for name in changed_code(old, new)]),
        (
            "configuration",
            config_changes(run, old, new)
            if old.config.get("digest") != new.config.get("digest")
            else [],
        ),
        ("sources, schema, tables", changed_beside(old, new)),
        ("software", software_changes(old.software, new.software)),
        ("measures", metric_lines(old, new)),
        ("policy", policy_changes(old, new)),
        ("gates", verdict_lines(old, new)),
        ("made", made_lines(new)),
    ):
        yield f"{title}:" if lines else f"{title}: the same" if title != "made" else "made: nothing"
        for line in lines:
            yield from textwrap.wrap(line, WIDTH, initial_indent="  ", subsequent_indent="    ")


def entry_title(entry: Entry) -> str:
    version = f", version {entry.version}" if entry.version else ""
    return f"{entry.number} ({entry.outcome}{version})"


def data_lines(run: Path, old: Entry, new: Entry) -> list[str]:
    if not is_other(old.data, new.data, "hash", "fingerprint"):
        return []
    lines = [f"{views_of(old) or '?'} -> {views_of(new) or '?'} views"]
    if old.data.get("place") != new.data.get("place"):
        lines.append(f"place {old.data.get('place')} -> {new.data.get('place')}")
    views = [manifest(run, entry) for entry in (old, new)]
    if all(view is not None for view in views):
        lines += manifest_changes(views[0] or [], views[1] or [])
    else:
        lines.append("which ones is not known any more: a manifest was pruned")
    return lines


def manifest(run: Path, entry: Entry) -> list[dict[str, Any]] | None:
    """Returns the views of an entry's examples; None where they are gone."""
    try:
        place = run / entry.artifacts["ExampleGen/examples"]
        views = json.loads((place / "manifest.json").read_text(encoding="utf-8"))["views"]
        if isinstance(views, dict):  # counts; earlier code listed every view there
            parts = sorted((place / "manifest").glob("*.jsonl"))
            texts = [part.read_text(encoding="utf-8") for part in parts]
            views = [json.loads(line) for text in texts for line in text.splitlines()]
    except (KeyError, OSError, ValueError):
        return None
    return list(views)


def metric_lines(old: Entry, new: Entry) -> list[str]:
    names = ("quality", "gain", "saved")
    lines = [
        f"{name} {percent(old.metrics.get(name))} -> {percent(new.metrics.get(name))}"
        for name in names
        if old.metrics.get(name) != new.metrics.get(name)
    ]
    if old.metrics.get("significance") != new.metrics.get("significance"):
        lines.append(f"significance: {new.metrics.get('significance', 'not known')}")
    return lines


def verdict_lines(old: Entry, new: Entry) -> list[str]:
    verdicts = [
        {
            verdict["gate"]: "passed" if verdict["passed"] else "; ".join(verdict["reasons"])
            for verdict in entry.verdicts
        }
        for entry in (old, new)
    ]
    gates = sorted(verdicts[0].keys() | verdicts[1].keys())
    return [
        f"{gate}: {verdicts[0].get(gate, 'not reached')} -> {verdicts[1].get(gate, 'not reached')}"
        for gate in gates
        if verdicts[0].get(gate) != verdicts[1].get(gate)
    ]


def made_lines(new: Entry) -> list[str]:
    lines = [f"{name} {short_duration(seconds)}" for name, seconds in new.ran.items()]
    clauses = [", ".join(lines)] if lines else []
    if new.networks:
        clauses.append(f"{len(new.networks)} networks: {', '.join(new.networks)}")
    if new.warm:
        clauses.append(f"of them began from the served version's: {', '.join(new.warm)}")
    if new.transfers:
        clauses.append(f"{new.transfers} measured: {MEASURED}")
    return clauses
