"""The options that several commands share, with the types of their values."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

from models.arguments.exact import ExactParser
from models.arguments.numbers import count, positive
from models.arguments.places import named_place

# An option that may be given several times, each a NAME=NUMBER.
PAIRS: dict[str, Any] = {"action": "append", "default": [], "metavar": "NAME=NUMBER"}


class Parser(ExactParser):
    """An ExactParser whose errors are one line."""

    # overridden, because argparse would print the whole usage first
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message} (see {self.prog} --help)\n")


def names(text: str) -> frozenset[str]:
    """Returns {"A", "B"} for the text "A,B"."""
    return frozenset(name.strip() for name in text.split(",") if name.strip())


def request_options(command: argparse.ArgumentParser) -> None:
    """Adds the options of a command about one request: table, budget, program and costs
    (`request_of`).
    """
    table_options(command)
    budget_option(command)
    program_options(command)
    cost_options(command)


def table_options(command: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Adds the option that names the affinity files."""
    command.add_argument(
        "--affinities",
        type=named_place,
        required=required,
        nargs="+",
        metavar="FILE",
        help="affinities.json or .csv of a run, or a released all_affinities file (.json, .pkl); "
        "several amounts of data as REGIME=FILE. A CSV of your own has a line a transfer with the "
        "columns sources (joined by |, such as depth|normals), target and affinity (they sum to 1 "
        "over a target); control (supervised, scratch; sources empty), gain, quality and regime "
        "are optional",
    )


def budget_option(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--budget",
        type=positive,
        required=True,
        help="what labels may cost in total: with default costs, how many tasks are labelled",
    )


def program_options(command: argparse.ArgumentParser, *, order: int = 2) -> None:
    """Adds the options that describe a Request, except budget and label costs."""
    command.add_argument(
        "--order", type=count, default=order, help=f"most sources of a transfer (default {order})"
    )
    command.add_argument(
        "--variant",
        choices=("web", "paper"),
        default="web",
        help="web: the authors' solver, root of affinity as reward; paper: affinity as reward",
    )
    command.add_argument(
        "--risk",
        choices=("point", "expected", "lower"),
        default="point",
        help="affinity measured, its mean or lower bound over resamples",
    )
    command.add_argument(
        "--scratch",
        choices=("auto", "on", "off"),
        default="auto",
        help="may a target be learned from scratch on the little data, at the cost of its labels? "
        "auto: in tables of own runs yes, in released ones no",
    )
    command.add_argument(
        "--seeds",
        nargs="+",
        default=[],
        metavar="FILE",
        help="tables of the same measurement with other seeds: targets on which they disagree are "
        "marked as not ranked",
    )
    name_options(command)
    command.add_argument("--value", **PAIRS, help="importance of a target (default 1)")
    command.add_argument(
        "--second",
        metavar="NAME=LIMIT",
        help="a second budget, such as latency_ms=40 or parameters=2e7",
    )
    command.add_argument(
        "--second-cost",
        **PAIRS,
        help="what a task's network takes of the second budget (default 1)",
    )
    command.add_argument(
        "--time-limit",
        type=positive,
        default=60.0,
        help="seconds of search; making the program comes before. An answer cut short says its gap",
    )


def name_options(command: argparse.ArgumentParser) -> None:
    """Adds the options for roles of tasks and amounts of data, as comma-separated names."""
    for option, text in (
        ("exclude", "sources to leave out"),
        ("force", "sources that are labelled anyhow"),
        ("source-only", "tasks that need not be reached"),
        ("target-only", "tasks that can be neither source nor supervised"),
        ("regimes", "amounts of data to choose among"),
    ):
        command.add_argument(
            f"--{option}", type=names, default=frozenset(), metavar="A,B", help=text
        )


def cost_options(command: argparse.ArgumentParser) -> None:
    """Adds the options for label costs."""
    command.add_argument(
        "--costs",
        choices=("equal", "derived"),
        default="equal",
        help="equal: every task costs 1 (the paper); derived: labels that an algorithm makes from "
        "the picture (edges, 2D keypoints and segments, autoencoding and its kin) cost nothing",
    )
    for option, text in (
        ("cost", "labelling cost of a task (default 1)"),
        ("transfer-cost", "cost of the little data by which a target is reached (default 0)"),
        ("regime-cost", "the same for every target by amount of data"),
    ):
        command.add_argument(f"--{option}", **PAIRS, help=text)
