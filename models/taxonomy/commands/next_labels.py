"""The next thousand labels: of what? And what they are expected to gain."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from models.taxonomy.commands.inputs import numbers, request_of, table_of
from models.taxonomy.commands.layout import folded, shown, table
from models.taxonomy.commands.options import PAIRS, positive, program_options, table_options
from models.taxonomy.commands.terms import foot
from models.taxonomy.costs import PRESETS, free_tasks
from models.taxonomy.facts import Facts
from models.taxonomy.labels import Labels, next_labels

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
        help="labels that a transfer, or a network from scratch, takes; a number alone where the "
        "table has one amount of data",
    )
    command.add_argument("--have", **PAIRS, help="labels of a task that are bought already")
    command.add_argument(
        "--next", type=positive, default=1000.0, help="labels, or money, to spend (default 1000)"
    )
    command.add_argument("--price", **PAIRS, help="of one label of a task (default 1)")
    command.add_argument(
        "--costs",
        choices=PRESETS,
        default="equal",
        help="derived: labels that an algorithm makes from the picture cost nothing",
    )


def run(options: Namespace) -> int:
    affinities = table_of(options)
    labels = Labels(
        options.full_images,
        amounts_of(options.images),
        numbers(options.price),
        numbers(options.have),
        free_tasks(options.costs, {*affinities.sources, *affinities.targets}),
    )
    request = request_of(options, affinities, 1.0)
    facts = next_labels(affinities, request, labels, options.next)
    print(json.dumps(facts) if options.json else text_of(facts))
    return 0


def amounts_of(texts: Sequence[str]) -> dict[str, float]:
    """["1k=1000", ...] -> {"1k": 1000.0}; a number alone is the only regime's, ""."""
    return numbers([text if "=" in text else f"={text}" for text in texts])


def text_of(facts: Facts) -> str:
    lines = [f"the next {facts['more']:g}: spend {facts['spent']:g} on"]
    if facts["buy"]:
        rows = [
            [row["task"], f"{row['labels']:g}", f"{row['cost']:g}", row["means"]]
            for row in facts["buy"]
        ]
        lines.append(table(["labels of", "number", "cost", "for"], rows))
    else:
        lines.append("nothing: no step of this size makes any target better")
    lines += ["", *gain_lines(facts)]
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


def gain_lines(facts: Facts) -> list[str]:
    """what is expected, on the test images of the table."""
    after = f"mean quality {shown(facts['after']['quality'])}"
    apart = [
        f"{way} {entry['targets']} at {shown(entry['quality'])}"
        for way, entry in facts["after"]["ways"].items()
    ]
    lines = [folded(f"then: {after} ({', '.join(apart)})")]
    if facts["gain"] is None:
        return ["now: not every target is reached with the labels that are there", *lines]
    before = facts["before"]
    gained = facts["gain"]["quality"]
    quality = "" if gained is None else f", quality {gained:+.4f}"
    lines.insert(0, f"now:  mean quality {shown(before['quality'])}")
    lines.append(f"expected gain: objective {facts['gain']['objective']:+.4f}{quality}")
    return lines
