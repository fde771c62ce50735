"""Command `amounts`: prints label-efficiency curves, which are what transfers and networks from
scratch reach by amount of data.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace

from models.taxonomy.commands.inputs import table_of
from models.taxonomy.commands.layout import shown, table
from models.taxonomy.commands.options import table_options
from models.taxonomy.commands.terms import foot
from models.taxonomy.evidence.amounts import efficiency
from models.taxonomy.facts import Facts

SUMMARY = "label-efficiency curves: transfer beside training from scratch by amount of data"


def options(command: ArgumentParser) -> None:
    table_options(command)


def run(options: Namespace) -> int:
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
