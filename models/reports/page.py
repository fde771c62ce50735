"""The report: one self-contained HTML page that answers first, and shows its reasons after."""

from __future__ import annotations

import json
import os
from pathlib import Path

from models.reports import figures
from models.reports.summary import chosen, transfers
from models.tasks import TASKS


def write_report(directory: str | Path, *, run: dict) -> Path:
    """write index.html to `directory`, atomically; `run` as `summary.load_run` gives it, with
    "predictions" if there are any.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["title"] = figures.title
    environment.filters["rate"] = lambda value: "not measured" if value is None else f"{value:.2f}"
    page = environment.get_template("report.html").render(contents(run))
    path = Path(directory) / "index.html"
    scratch = path.with_name(f".index.{os.getpid()}")
    scratch.write_text(page)
    os.replace(scratch, path)
    return path


def contents(run: dict) -> dict:
    """what the template shows."""
    rows, answer, evidence = run["affinities"]["rows"], chosen(run), run["evidence"]
    curves = evidence.get("curves", [])
    graphs = {
        "matrix": figures.affinity_matrix(rows),
        "policy": figures.policy_graph(answer),
        "gain": figures.budget_curves(curves, "gain", run["default_budget"]),
        "quality": figures.budget_curves(curves, "quality", run["default_budget"]),
        "tree": figures.dendrogram(evidence["tree"])
        if evidence.get("tree", {}).get("linkage")
        else "",
        "curves": figures.learning_curves(run["curves"]) if run.get("curves") else "",
    }
    savings = [row for row in evidence.get("headline", []) if row["order"] == run["default_order"]]
    shown = [
        {"task": entry["task"], "images": [figures.picture(pixels) for pixels in entry["images"]]}
        for entry in run.get("predictions", [])
    ]
    scored = [
        row["win_average"]
        for row in run["networks"]
        if row.get("steps") and row["win_average"] is not None
    ]
    return {
        "answer": answer,
        "evidence": {
            **dict.fromkeys(("ledger", "stability", "cautious", "warnings", "predictors")),
            **evidence,
        },
        "savings": savings[:12],
        "saving": next((row for row in savings if row["budget"] == run["default_budget"]), None),
        "graphs": graphs,
        "predictions": shown,
        "networks": run["networks"],
        "win_random": against_random(rows),
        "dataset": {**run["dataset"], "statistics": tabular(run["dataset"].get("statistics"))}
        if run.get("dataset")
        else {},
        "lineage": run.get("lineage", {}),
        "transfers": transfers(run),
        "amounts": amounts(evidence.get("amounts")),
        "mean_win": sum(scored) / len(scored) if scored else None,
        "diagnostics": run["affinities"].get("diagnostics", {}),
        "calibration": run.get("calibration", []),
        "calibrated": calibrated(run.get("calibration", [])),
        "edges": [row for row in run.get("edges", []) if row["validation"]],
        "explorer": [
            {
                **entry,
                "edges": [
                    [edge["sources"], edge["target"], edge["gain"], edge["quality"]]
                    for edge in entry["edges"]
                ],
            }
            for entry in run["taxonomies"]
        ],
        "titles": {name: entry.title for name, entry in TASKS.items()},
        "config": json.dumps(run.get("lineage", {}).get("config", {}), indent=1),
    }


def calibrated(rows: list[dict]) -> dict | None:
    """means over targets of the two rank correlations; None without rows."""
    if not rows or "between_seeds" not in rows[0]:
        return None
    return {
        name: sum(row[name] for row in rows) / len(rows)
        for name in ("closed_against_gradient", "between_seeds")
    }


def amounts(found: dict | None) -> dict | None:
    """what less data costs, in the order of the columns: smallest amount first, the one that
    decides last. None if there is but one.
    """
    if not found or not found["targets"]:
        return None
    names = sorted(found["images"], key=lambda name: found["images"][name])
    rows = found["targets"]
    mean = lambda values: None if None in values else sum(values) / len(values)
    known = lambda name: (
        [row["spearman"][name] for row in rows if row["spearman"][name] is not None] or [None]
    )
    return {
        "columns": [(name, found["images"][name]) for name in names],
        "targets": rows,
        "quality": [mean([row["best"][name]["quality"] for row in rows]) for name in names],
        "spearman": [(found["images"][name], mean(known(name))) for name in names if name],
        "same": [
            (
                found["images"][name],
                sum(row["best"][name]["source"] == row["best"][""]["source"] for row in rows),
            )
            for name in names
            if name
        ],
    }


def against_random(rows: list[dict]) -> dict[str, float]:
    """task -> share of test samples on which its own network beats the same readout of a random
    encoder; tasks without that control are left out.
    """
    return {
        row["target"]: 1 - row["quality"]
        for row in rows
        if row["sources"] == ["random_projection"] and row["quality"] is not None
    }


def tabular(statistics) -> list[dict]:
    """the statistics of a data set as rows; whatever is no list of rows is left out."""
    return (
        statistics
        if isinstance(statistics, list) and all(isinstance(row, dict) for row in statistics)
        else []
    )
