"""Prepares the data of a run that the page's explorer needs, in columns and compressed, so that the
page can carry them.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from typing import Any

from models.reports.embedded import data_uri, inside
from models.reports.label_choice import amount_columns, label_choice
from models.reports.noise import RULES, lucky_sources
from models.reports.run_files import Run
from models.reports.words import title
from models.tasks import TASKS
from models.taxonomy.facts import Facts
from models.taxonomy.program.costs import without_labels

SPREADS = ("gain_low", "gain_high", "quality_low", "quality_high", "rank_low", "rank_high")
MOST_ROWS = 60_000  # beyond, the page has only first-order transfers, controls and chosen edges


def packed(value: object) -> str:
    """Returns a value as JSON, compressed with gzip, in base64, as `explorer/src/assets.js` unpacks
    it. Equal values give equal text.
    """
    text = json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
    # without the time that gzip would write, so that equal values give equal text
    return base64.b64encode(gzip.compress(text, 9, mtime=0)).decode()


def payload(run: Run, marks: Mapping[str, list[str]]) -> dict[str, Any]:
    """Returns the run as the explorer reads it (`explorer/src/run.js` names every field)."""
    rows, left_out = travelling(run)
    choice = label_choice(run)
    tasks = {name for row in rows for name in [*row["sources"], row["target"]]}
    names = sorted(tasks.union(choice["known"] if choice else ()))
    return {
        "names": names,
        "titles": {name: title(name) for name in names},
        "table": columns(rows, names),
        "left_out": left_out,
        "amounts": choice
        and {
            **{name: choice[name] for name in ("full", "labels", "budget")},
            "path": run.amounts_path,
            "table": amount_columns(choice, names),
        },
        "taxonomies": run.taxonomies,
        "default": {
            "budget": run.default_budget,
            "order": run.default_order,
            "scratch": bool(run.evidence.get("scratch")),
            "cost": dict.fromkeys(run.evidence.get("free", []), 0),
        },
        "curves": run.evidence.get("curves", []),
        "savings": run.evidence.get("headline", []),
        "ledger": {**prices(run), "unlabelled": sorted(without_labels(names))},
        "tree": run.evidence.get("tree", {}),
        "marks": {name: [RULES[key].name for key in keys] for name, keys in marks.items()},
        "lucky": lucky_sources(run),
        "free": free_labels(names),
        "edge_evidence": run.edge_evidence,
        "thumbnails": thumbnails(run),
        "affinities": run.affinities_path,
    }


def travelling(run: Run) -> tuple[list[Facts], int]:
    """Returns (rows that the page carries, number of rows left out)."""
    rows = run.rows
    if len(rows) <= MOST_ROWS:
        return rows, 0
    policy_keys = {
        (edge["target"], *edge["sources"]) for entry in run.taxonomies for edge in entry["edges"]
    }
    page_rows = [
        row
        for row in rows
        if len(row["sources"]) < 2 or (row["target"], *row["sources"]) in policy_keys
    ]
    return page_rows, len(rows) - len(page_rows)


def columns(rows: list[Facts], names: list[str]) -> dict[str, Any]:
    """Returns rows in columns. Affinities, gain and quality are exact, because the page's solver
    must give the same answer; losses and intervals have four digits.
    """
    at = {name: i for i, name in enumerate(names)}
    return {
        "target": [at[row["target"]] for row in rows],
        "sources": [[at[name] for name in row["sources"]] for row in rows],
        "control": [row.get("control") for row in rows],
        "affinity": [row["affinity"] for row in rows],
        "gain": [row.get("gain") for row in rows],
        "quality": [row.get("quality") for row in rows],
        "loss": [short(row.get("mean_loss")) for row in rows],
        "spread": {name: [short(row.get(name)) for row in rows] for name in SPREADS},
    }


def short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")


def prices(run: Run) -> Facts:
    """Returns the labelled pictures of a source and of a transfer, and the seconds of each network,
    where known.
    """
    ledger: Facts = run.evidence.get("ledger") or {}
    full = [entry["images"] for entry in ledger.get("sources", [])]
    little = [
        edge["images"]
        for edge in ledger.get("edges", [])
        if edge["sources"] or edge.get("control") == "scratch"
    ]
    seconds = {row["task"]: row["seconds"] for row in run.networks if row.get("seconds")}
    return {
        "full": max(full, default=None),
        "little": max(little, default=None),
        "seconds": seconds,
    }


def thumbnails(run: Run) -> dict[str, str]:
    """Returns path -> data URI of every test picture that an edge's evidence shows and
    that exists.
    """
    paths = {
        view["picture"]
        for facts in run.edge_evidence.values()
        for view in [*facts.get("wins", []), *facts.get("loses", [])]
    }
    files = {path: inside(run.folder, path) for path in sorted(paths)}
    return {path: data_uri(file) for path, file in files.items() if file is not None}


def free_labels(names: list[str]) -> dict[str, str]:
    """Returns task -> why its label costs nothing: an algorithm makes it from the picture alone, or
    it has none.
    """
    reasons = {name: free_reason(name) for name in names}
    return {name: reason for name, reason in reasons.items() if reason}


def free_reason(name: str) -> str:
    """Returns why a task's label costs nothing; "" for labels that people or scanners make."""
    if name not in TASKS:
        return ""
    entry = TASKS[name]
    return entry.derivation if entry.trained else "an untrained network has no labels"
