"""A finished run of five tasks, small and made up: the files that WriteReport leaves behind."""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from models.taxonomy import Affinities, Expenses, Transfer, evaluate, solve_all
from models.taxonomy.affinities import Row

NAMES = ["normal", "reshading", "depth_zbuffer", "edge_texture", "class_scene"]
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def table(names: list[str], order: int = 2, seed: int = 0) -> Affinities:
    """random affinities of all transfers among `names`, with controls."""
    from itertools import combinations

    rng = np.random.default_rng(seed)
    rows = []
    for target in names:
        sets = [some for size in range(1, order + 1) for some in combinations(names, size)]
        rows += [
            Row(Transfer(some, target), float(rng.random()), *map(float, rng.random(2)), 0.1)
            for some in sets
        ]
        rows += [
            Row(Transfer((), target, control="supervised"), 0.9, 0.7, 0.5, 0.1),
            Row(Transfer((), target, control="scratch"), 0.35, 0.5, 0.3, 0.2),
            Row(Transfer((), target, control="average"), 0.0, 0.5, 0.5, 0.3),
        ]
    health = {
        "transfers": 6,
        "images": 9,
        "eigenvalue": 6.0,
        "consistency": 0.01,
        "clipped": 0.1,
        "gap": 0.2,
        "reducible": False,
    }
    return Affinities(tuple(rows), {name: dict(health) for name in names})


@cache
def _files() -> str:
    measured = table(NAMES)
    answers = solve_all(measured, [1, 2, 3], [1, 2])
    expenses = Expenses(100, {"": 10}, dict.fromkeys(NAMES, 2.0))
    networks = [
        {"task": name, "seconds": 2.0, "steps": 3, "loss": 0.2, "win_average": 0.9, "parameters": 9}
        for name in NAMES
    ]
    quarantine = [{"view": "a/point_0/view_1", "reason": "zero-byte <file>"}]
    counts = {"read": 9, "written": 8, "quarantined": 1}
    cell = {"name": "input", "picture": "pictures/normal.png"}
    flat = [{**row_facts(row), "mean_loss": row.mean_loss} for row in measured.rows]
    run = {
        "affinities": {"rows": flat, "diagnostics": measured.diagnostics},
        "taxonomies": [answer.to_json() for answer in answers],
        "evidence": evaluate(measured, answers, budget=2, order=2, policies=50, expenses=expenses),
        "networks": networks,
        "curves": {name: [1.0, 0.5, 0.2] for name in NAMES},
        "calibration": [],
        "edges": [],
        "dataset": {"counts": counts, "quarantine": quarantine, "splits": {"train": 8}},
        "lineage": {"manifest": "abc", "code": "def", "config": {"name": "smoke"}},
        "pictures": [{"task": "normal", "note": "", "rows": [[cell]]}],
        "run": {"default_budget": 2, "default_order": 2},
    }
    return json.dumps(run)


def row_facts(row: Row) -> dict[str, Any]:
    return {
        "sources": list(row.transfer.sources),
        "target": row.transfer.target,
        "control": row.transfer.control,
        "regime": "",
        "affinity": row.affinity,
        "gain": row.gain,
        "quality": row.quality,
    }


def files() -> dict[str, Any]:
    """name -> content of every file, fresh to be changed."""
    content: dict[str, Any] = json.loads(_files())
    return content


def write_run(folder: Path, content: dict[str, Any] | None = None) -> Path:
    """the run's files below `folder`, with its one picture."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in (files() if content is None else content).items():
        (folder / f"{name}.json").write_text(json.dumps(value))
    (folder / "pictures").mkdir(exist_ok=True)
    (folder / "pictures" / "normal.png").write_bytes(PIXEL)
    return folder
