"""Reads and checks the files of a run's report folder; nothing else in the reports reads them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.reports.earlier_evidence import in_present_words
from models.taxonomy.facts import Facts

NEEDED = ("affinities", "taxonomies")
FORMS: Mapping[str, type] = {
    "affinities": dict,
    "amounts": dict,
    "taxonomies": list,
    "evidence": dict,
    "networks": list,
    "curves": dict,
    "calibration": list,
    "edges": list,
    "dataset": dict,
    "lineage": dict,
    "run": dict,
    "pictures": list,
    "edge_evidence": dict,
    "published": dict,
    "seeds": list,
}


@dataclass(frozen=True)
class Run:
    """The content of a run's report folder, one field for each file `<field>.json`; empty if the
    run has no such file.

    affinities: {"rows", "diagnostics"}. amounts: the same with every amount of data, on one scale,
    if there are several. taxonomies: one entry for each budget and order. curves: task -> training
    losses. pictures: what was drawn of inputs, labels and answers, with paths below `folder`.
    edge_evidence: per-image losses behind chosen edges. published: agreement with the released
    affinities. seeds: one row for each repetition of the measurement. missing: names of files that
    do not exist. affinities_path, amounts_path: where the page's commands find the tables, "" if
    one is not kept with the page.
    """

    folder: Path
    affinities: Facts
    amounts: Facts
    taxonomies: list[Facts]
    evidence: Facts
    networks: list[Facts]
    curves: dict[str, list[float]]
    calibration: list[Facts]
    edges: list[Facts]
    dataset: Facts
    lineage: Facts
    pictures: list[Facts]
    edge_evidence: Facts
    published: Facts
    seeds: list[Facts]
    default_budget: float
    default_order: int
    missing: tuple[str, ...]
    affinities_path: str = "affinities.json"
    amounts_path: str = "amounts.json"

    @property
    def rows(self) -> list[Facts]:
        """The transfers and controls of the regime that decides."""
        rows: list[Facts] = self.affinities.get("rows", [])
        # the regime that decides has no name; if all have one, nothing is left out
        return [row for row in rows if not row.get("regime")] or rows

    @property
    def chosen(self) -> Facts | None:
        """The taxonomy at the default budget and order, or the first one if there is none at these;
        None without taxonomies.
        """
        defaults = (self.default_budget, self.default_order)
        exact = (
            entry for entry in self.taxonomies if (entry["budget"], entry["order"]) == defaults
        )
        return next(exact, self.taxonomies[0] if self.taxonomies else None)

    @property
    def transfers(self) -> int:
        """The number of measured transfers that decide."""
        return sum(row.get("control") is None for row in self.rows)

    @property
    def all_transfers(self) -> int:
        """The number of transfers that were measured with any amount of labels, without
        controls.
        """
        return self.evidence.get("transfers") or self.transfers


def load_run(folder: str | Path) -> Run:
    """Returns the run in `folder`. Raises ValueError in one line with the file's name, for a folder
    that holds no report and for files that cannot be read.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder; give the one that WriteReport wrote")
    missing = tuple(name for name in FORMS if not (folder / f"{name}.json").exists())
    if set(NEEDED) <= set(missing):
        raise ValueError(
            f"{folder} holds no {' and no '.join(f'{name}.json' for name in NEEDED)}; give the "
            "folder that WriteReport wrote"
        )
    parts = {name: read_part(folder, name) for name in FORMS}
    defaults = parts.pop("run")
    parts["evidence"] = in_present_words(parts["evidence"])
    first = parts["taxonomies"][0] if parts["taxonomies"] else {}
    return Run(
        folder=folder,
        default_budget=defaults.get("default_budget", first.get("budget", 1)),
        default_order=defaults.get("default_order", first.get("order", 1)),
        missing=missing,
        **parts,
    )


def not_a_number(_name: str) -> None:
    """Returns None for NaN and infinities, which Python writes into JSON and browsers refuse: they
    count as not measured.
    """


def read_part(folder: Path, name: str) -> Any:
    """Returns the content of `<name>.json`, or an empty one if there is no such file. Raises
    ValueError for a file that is no JSON or has another form.
    """
    path, form = folder / f"{name}.json", FORMS[name]
    if not path.exists():
        return form()
    try:
        content = json.loads(path.read_text(), parse_constant=not_a_number)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ValueError(f"{path} cannot be read as JSON: {reason}; copy it again") from error
    if not isinstance(content, form):
        raise ValueError(f"{path} holds a {type(content).__name__}, expected a {form.__name__}")
    return content
