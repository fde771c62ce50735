"""Command `significance`: compares a policy with random ones and with simpler ways to spend the
same budget.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace

from models.taxonomy.commands.inputs import request_of, table_of
from models.taxonomy.commands.layout import folded, shown, table
from models.taxonomy.commands.options import request_options
from models.taxonomy.commands.terms import foot
from models.taxonomy.evidence.baselines import baselines
from models.taxonomy.evidence.chance import significance
from models.taxonomy.facts import Facts
from models.taxonomy.program.answers import answer

SUMMARY = "against random policies and simpler ways to choose"


def options(command: ArgumentParser) -> None:
    request_options(command)


def run(options: Namespace) -> int:
    affinities = table_of(options)
    request = request_of(options, affinities)
    policy = answer(affinities, request)
    test = significance(affinities, request, policy)
    rows = baselines(affinities, request, policy)
    if options.json:
        print(json.dumps({**test, "baselines": rows}))
        return 0
    print(test_lines("random sources, random transfers", test))
    print(test_lines("random sources, their best transfers", test["best_edges"]))
    print("\nother ways to spend the budget")
    titles = ["how", "objective", "gain", "quality", "transferred", "supervised"]
    print(table(titles, [baseline_row(row) for row in rows]))
    print(f"\n{foot('objective', 'gain', 'quality', 'transferred')}")
    return 0


def test_lines(title: str, test: Facts) -> str:
    band = ""
    if test.get("random"):
        random = test["random"]
        band = (
            f"\n  random {random['mean']:.4f}, 5 to 95 %: {random['low']:.4f} to "
            f"{random['high']:.4f}, {test['policies']} policies"
        )
    verdict = folded(test["verdict"], "  ", "  ")
    return f"{title}: {test['measure']} {test['observed']:.4f}{band}\n{verdict}"


def baseline_row(row: Facts) -> list[str]:
    transferred = row["ways"].get("transferred", {}).get("quality")
    return [
        row["name"],
        f"{row['objective']:.4f}",
        shown(row["gain"]),
        shown(row["quality"]),
        shown(transferred),
        ", ".join(row["supervised"]) or "nothing",
    ]
