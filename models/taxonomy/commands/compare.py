"""Command `compare`: prints how far two affinity tables agree, target by target, together with the
baselines that the agreement must be compared with.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping

from models.arguments.places import named_place
from models.taxonomy.affinities import Affinities
from models.taxonomy.commands.inputs import read_warned, table_of, unranked
from models.taxonomy.commands.layout import folded, shown, table
from models.taxonomy.commands.options import table_options
from models.taxonomy.commands.policy_text import reason_lines
from models.taxonomy.evidence.agreement import agreement
from models.taxonomy.evidence.priors import PUBLISHED
from models.taxonomy.evidence.standing import mark
from models.taxonomy.facts import Facts
from models.taxonomy.tournament.published import read_any

SUMMARY = "two affinity tables, target by target"


def options(command: ArgumentParser) -> None:
    table_options(command)
    command.add_argument(
        "--with",
        dest="other",
        type=named_place,
        required=True,
        metavar="FILE",
        help="the reference",
    )
    command.add_argument(
        "--ceiling",
        metavar="FILE",
        help="another measurement of the reference, such as the authors' own 1k table: what an "
        "agreement can reach",
    )
    command.add_argument(
        "--seeds",
        nargs="+",
        default=[],
        metavar="FILE",
        help="tables of the first measurement with other seeds: targets on which they disagree are "
        "marked as not ranked",
    )


def run(options: Namespace) -> int:
    first = table_of(options)
    reference = read_warned(options.other)
    ceiling = read_any(options.ceiling) if options.ceiling else None
    facts = compared(first, reference, ceiling)
    reasons = unranked(options, first)
    if options.json:
        print(json.dumps({**facts, "not_ranked": reasons}))
        return 0
    print(
        table(["target", "Spearman", "95 % interval", "sources", ""], target_rows(facts, reasons))
    )
    print()
    print(table(["mean over targets", "Spearman", "95 % interval"], mean_rows(facts)))
    text = (
        "first order, a task's own encoder left out. Intervals: of a target over sources, of means "
        "over sources and targets. target-specific: the mean rank of each source over the other "
        "targets taken out of both sides. generic rank: that mean rank alone, of the reference and "
        "of the first table; family prior: same family 2, 3D source 1, else 0"
    )
    print(f"\n{folded(text, '', '')}")
    marked = reason_lines(reasons, list(facts["targets"]))
    if marked:
        print(f"\n{marked}")
    return 0


def compared(first: Affinities, reference: Affinities, ceiling: Affinities | None) -> Facts:
    """Returns `agreement` under the tables' own names or, if they share no target so, with the
    released spellings read as ours. Raises ValueError if they share none either way.
    """
    spellings: tuple[Mapping[str, str] | None, ...] = (None, PUBLISHED)
    for rename in spellings:
        facts = agreement(first, reference, rename, ceiling=ceiling)
        if facts["targets"]:
            return facts
    raise ValueError("the tables share no target with four common sources")


def target_rows(facts: Facts, reasons: Mapping[str, str]) -> list[list[str]]:
    best_first = sorted(facts["targets"].items(), key=lambda pair: -pair[1]["spearman"])
    return [
        [mark(target, reasons), shown(row["spearman"], 2), interval(row), str(row["sources"]), ""]
        for target, row in best_first
    ]


def mean_rows(facts: Facts) -> list[list[str]]:
    """Returns the rows of the mean over targets, its ceiling, and the rankings that need no
    measurement.
    """
    baselines = facts["baselines"]
    chance = baselines["random orders"]
    rows = [row_of(f"these {facts['mean']['targets']} targets", facts["mean"])]
    if facts["ceiling"]:
        rows.append(row_of("  ceiling", facts["ceiling"]["mean"]))
    rows += [
        ["  generic rank, reference's", shown(baselines["generic rank"], 2), ""],
        ["  generic rank, own", shown(baselines["own generic rank"], 2), ""],
        ["  family prior", shown(baselines["family prior"], 2), ""],
        ["  random orders", shown(round(chance["spearman"], 2) + 0.0, 2), interval(chance)],
        row_of("target-specific part", facts["target_specific"]),
    ]
    if facts["ceiling"]:
        rows.append(row_of("  ceiling", facts["ceiling"]["target_specific"]))
    return rows


def row_of(title: str, row: Facts) -> list[str]:
    return [title, shown(row["spearman"], 2), interval(row)]


def interval(row: Facts) -> str:
    return f"{row['low']:.2f} to {row['high']:.2f}"
