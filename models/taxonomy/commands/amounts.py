"""Command `amounts`: prints label-efficiency curves, which are what transfers, networks from
scratch and networks of shares of the labels reach by amount of data.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.arguments.places import named_place
from models.taxonomy.commands.inputs import table_of
from models.taxonomy.commands.layout import shown, table
from models.taxonomy.commands.options import table_options
from models.taxonomy.commands.terms import foot
from models.taxonomy.evidence.amounts import efficiency
from models.taxonomy.evidence.curves import WAYS
from models.taxonomy.facts import Facts

SUMMARY = "label-efficiency curves: transfer beside training from scratch by amount of data"
# As the first column of means is called.
MEAN = "mean of"


def options(command: ArgumentParser) -> None:
    table_options(command, required=False)
    command.add_argument(
        "--curves",
        type=named_place,
        metavar="FILE",
        help="curves.json beside a run's affinities, in place of --affinities: all ways with 95 %% "
        "intervals over test buildings, and supervised networks by share of the labels",
    )


def run(options: Namespace) -> int:
    """Raises ValueError unless exactly one of --affinities and --curves is given, and for a file
    that holds no curves.
    """
    if (options.affinities is None) == (options.curves is None):
        raise ValueError("amounts reads --affinities FILE or --curves FILE, one of the two")
    if options.curves is not None:
        return run_curves(read_curves(options.curves), as_json=options.json)
    rows = efficiency(table_of(options))
    if options.json:
        print(json.dumps(rows))
        return 0
    titles = ["target", "amount", "transfer", "scratch", "best source"]
    print(table(titles, [amount_row(row) for row in rows]))
    print(f"\n  transfer, scratch: quality\n{foot('quality', 'from scratch')}")
    return 0


def amount_row(row: Facts) -> list[str]:
    quality = {way: row[way]["quality"] if row[way] else None for way in ("transfer", "scratch")}
    return [
        row["target"],
        row["regime"] or "all",
        shown(quality["transfer"]),
        shown(quality["scratch"]),
        row["source"] or "-",
    ]


def read_curves(path: str) -> Facts:
    """Returns the content of a curves.json. Raises ValueError for another file."""
    facts: Any = json.loads(Path(path).read_text())
    if not isinstance(facts, dict) or not {"targets", "mean", "units"} <= set(facts):
        raise ValueError(f"{path} holds no curves: give curves.json, beside affinities.json")
    return facts


def run_curves(facts: Facts, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps(facts))
        return 0
    titles = ["target", "by", "amount", "quality", "95 %"]
    print(table(titles, [*curve_rows(facts), *supervised_rows(facts)], left=2))
    print(f"\n  95 %: over {facts['units']} test {facts['unit']}s drawn again")
    print(foot("quality", "from scratch"))
    return 0


def curve_rows(facts: Facts) -> Iterator[list[str]]:
    """Yields the rows of transfers, networks from scratch and readouts, means first."""
    for way in WAYS:
        words = way.replace("_", " ")
        for row in (*facts["mean"], *facts["targets"]):
            if row[way]:
                name = row.get("target") or f"{MEAN} {row['targets'][way]}"
                yield [name, words, row["regime"] or "all", *value_cells(row[way])]


def supervised_rows(facts: Facts) -> Iterator[list[str]]:
    """Yields the rows of supervised networks by train views, means first."""
    # earlier runs have none
    shares = facts.get("supervised") or {"mean": [], "targets": []}
    for row in (*shares["mean"], *shares["targets"]):
        name = row.get("target") or f"{MEAN} {row['targets']}"
        yield [name, "supervised", str(row["views"]), *value_cells(row)]


def value_cells(value: Facts) -> list[str]:
    return [shown(value["quality"]), f"{shown(value['low'])} to {shown(value['high'])}"]
