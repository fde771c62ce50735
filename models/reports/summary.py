"""What a run found, in a few lines for a terminal."""

from __future__ import annotations

import json
from pathlib import Path


def read(folder: str | Path, name: str, default=None):
    path = Path(folder) / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else default


def chosen(run: dict) -> dict:
    """the taxonomy at the run's default budget and order."""
    return next(
        entry
        for entry in run["taxonomies"]
        if (entry["budget"], entry["order"]) == (run["default_budget"], run["default_order"])
    )


def transfers(run: dict) -> int:
    """how many were measured, with all amounts of data."""
    return run["evidence"].get("transfers") or sum(
        row["control"] is None for row in run["affinities"]["rows"]
    )


def load_run(folder: str | Path) -> dict:
    """what WriteReport saved, as `write_report` takes it (without the sample pictures)."""
    run = {
        name: read(folder, name, {} if name in ("dataset", "lineage", "curves", "evidence") else [])
        for name in (
            "affinities",
            "taxonomies",
            "evidence",
            "networks",
            "curves",
            "calibration",
            "edges",
            "dataset",
            "lineage",
        )
    }
    return {**run, **read(folder, "run", {})}


def summary(folder: str | Path) -> str:
    """chosen labels, gain, quality and significance of the run below `folder`."""
    run = load_run(folder)
    answer, networks = chosen(run), run["networks"]
    scored = [row["win_average"] for row in networks if row.get("steps")]
    lines = [
        "",
        f"measured  {transfers(run)} transfers among {len(networks)} tasks; task networks "
        "beat the average on "
        f"{sum(scored) / len(scored):.0%} of test samples (mean over tasks)",
        f"buy       labels of {len(answer['supervised'])} tasks: {', '.join(answer['supervised'])}",
        f"gives     all {len(answer['edges'])} targets, {answer['status']} (gap "
        f"{answer['gap']:.0e}); gain {answer['gain']:.2f} over training from scratch, "
        f"quality {answer['quality']:.2f} (0.5: as good as full supervision)",
        f"evidence  {run['evidence']['significance']['verdict']}",
    ]
    return "\n".join(lines)
