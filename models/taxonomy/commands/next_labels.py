"""Command `next-labels`: prints which labels to buy next, and what they are expected to gain."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace

from models.arguments.numbers import positive
from models.taxonomy.commands.inputs import request_of, table_of
from models.taxonomy.commands.label_amounts import (
    among,
    amounts_of,
    labels_with,
    owned_options,
    purchase_lines,
)
from models.taxonomy.commands.layout import table
from models.taxonomy.commands.options import program_options, table_options
from models.taxonomy.commands.terms import foot
from models.taxonomy.facts import Facts
from models.taxonomy.program.costs import PRESETS
from models.taxonomy.program.infeasibility import Infeasible
from models.taxonomy.program.labels import next_labels

SUMMARY = "the next thousand labels: of what, and what they gain"
SHOWN = 10  # single steps that a terminal shows


def options(command: ArgumentParser) -> None:
    table_options(command)
    program_options(command)
    command.add_argument(
        "--full-images",
        type=positive,
        required=True,
        help="labels that a task's own network takes in full",
    )
    command.add_argument(
        "--images",
        action="append",
        default=[],
        required=True,
        metavar="REGIME=NUMBER",
        help="labels that a transfer, or a network from scratch, takes; a number alone for the "
        "only, or largest, amount; amounts that are not named are left out",
    )
    owned_options(command)
    command.add_argument(
        "--costs",
        choices=PRESETS,
        default="equal",
        help="derived: labels that an algorithm makes from the picture cost nothing",
    )


def run(options: Namespace) -> int:
    affinities = table_of(options)
    request = request_of(options, affinities, 1.0)
    amounts = amounts_of(options.images)
    labels = labels_with(options, options.full_images, amounts, request, affinities)
    try:
        facts = next_labels(affinities, among(request, labels), labels, options.next)
    except Infeasible as error:
        # the budget of this command is --next
        raise Infeasible(f"--next {options.next:g} is the budget here: {error}") from error
    print(json.dumps(facts) if options.json else text_of(facts))
    return 0


def text_of(facts: Facts) -> str:
    lines = purchase_lines(facts)
    if facts["alone"]:
        lines += ["", "steps of one task alone, most objective for its cost first"]
        lines.append(table(STEP_TITLES, [step_row(row) for row in facts["alone"][:SHOWN]]))
        left_out = len(facts["alone"]) - SHOWN
        if left_out > 0:
            lines.append(f"  and {left_out} more (--json has all)")
    lines += ["", foot("objective", "quality")]
    return "\n".join(lines)


STEP_TITLES = ["task", "up to", "labels", "cost", "objective", "quality", ""]


def step_row(row: Facts) -> list[str]:
    quality = "-" if row["quality"] is None else f"{row['quality']:+.4f}"
    return [
        row["task"],
        f"{row['amount']:g}",
        f"{row['labels']:g}",
        f"{row['cost']:g}",
        f"{row['objective']:+.4f}",
        quality,
        "",
    ]
