"""python -m models.taxonomy solve | sweep | explain | compare | tree | significance | measure |
replay
"""

from __future__ import annotations

import argparse
import sys

COMMANDS = {
    "solve": "one proven taxonomy",
    "explain": "why this taxonomy: edges and runners-up, what each source is worth, the next best "
    "policies",
    "sweep": "all budgets and orders",
    "significance": "against random policies and simpler ways to choose",
    "tree": "which tasks are alike",
    "compare": "two affinity tables, target by target",
    "measure": "per-image losses to an affinity table with intervals",
    "replay": "what measuring only the promising transfers would have cost",
}


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m models.taxonomy",
        description="Which tasks to supervise under a budget, and how to reach the others.",
        epilog="example: python -m models.taxonomy solve --affinities affinities.json --budget "
        "6 --order 2",
    )
    commands = top.add_subparsers(dest="command", required=True)
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--json", action="store_true", help="print JSON")
        if name == "measure":
            command.add_argument(
                "--losses",
                required=True,
                nargs="+",
                help="folders of per-image losses (a run's affinity stores)",
            )
            command.add_argument("--out", required=True, help="affinities.json or .csv to write")
            command.add_argument(
                "--resamples",
                type=int,
                default=1000,
                help="bootstrap resamples of the test images; 0 for none",
            )
            command.add_argument("--seed", type=int, default=0)
            continue
        command.add_argument(
            "--affinities",
            required=True,
            nargs="+",
            metavar="FILE",
            help="affinities.json or .csv of a run, or a released all_affinities file (.json, "
            ".pkl); several as REGIME=FILE",
        )
        if name == "compare":
            command.add_argument("--with", dest="other", required=True, help="the second table")
        elif name == "tree":
            command.add_argument(
                "--method", choices=("ward", "average"), default="ward", help="linkage"
            )
        else:
            program_options(command, name)
    return top


def program_options(command: argparse.ArgumentParser, name: str) -> None:
    """what a Request is made of."""
    if name != "sweep":
        command.add_argument("--budget", type=float, required=True, help="total label cost allowed")
    command.add_argument(
        "--order", type=int, default=4 if name == "sweep" else 2, help="most sources of a transfer"
    )
    command.add_argument(
        "--variant",
        choices=("web", "paper"),
        default="web",
        help="web: the authors' solver; paper: affinity as reward",
    )
    command.add_argument(
        "--risk",
        choices=("point", "expected", "lower"),
        default="point",
        help="affinity measured, its mean or lower bound over resamples",
    )
    for option, text in (
        ("exclude", "sources to leave out"),
        ("force", "sources that are labelled anyhow"),
        ("source-only", "tasks that need not be reached"),
        ("target-only", "tasks that can be neither source nor supervised"),
        ("regimes", "amounts of data to choose among"),
    ):
        command.add_argument(
            f"--{option}", default="", metavar="A,B", help=f"{text}, comma separated"
        )
    for option, text in (
        ("cost", "labelling cost of a task (default 1)"),
        ("value", "importance of a target (default 1)"),
        ("transfer-cost", "cost of the little data by which a target is reached (default 0)"),
        ("regime-cost", "the same for every target by amount of data"),
        ("second-cost", "what a task's network takes of the second budget (default 1)"),
    ):
        command.add_argument(
            f"--{option}", action="append", default=[], metavar="NAME=NUMBER", help=text
        )
    command.add_argument(
        "--second",
        metavar="NAME=LIMIT",
        help="a second budget, such as latency_ms=40 or parameters=2e7",
    )
    command.add_argument(
        "--time-limit", type=float, default=60.0, help="seconds; an answer cut short says its gap"
    )
    if name == "solve":
        command.add_argument(
            "--explain",
            action="store_true",
            help="for every target why this edge, and the runner-up",
        )
        command.add_argument(
            "--best",
            type=int,
            default=1,
            metavar="K",
            help="the K best policies with different sources",
        )
    if name == "sweep":
        command.add_argument(
            "--full-images",
            type=float,
            help="labelled images that full supervision takes: adds what each policy saves",
        )
        command.add_argument(
            "--transfer-images", type=float, help="labelled images that a transfer takes"
        )
    if name == "replay":
        command.add_argument(
            "--cheaper",
            required=True,
            help="affinities measured with less data, or proxies.json of a run: what predicts "
            "the transfers",
        )
        command.add_argument("--share", type=float, default=0.5, help="of the transfers to measure")


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    from models.taxonomy import commands

    try:
        return getattr(commands, options.command)(options)
    except (ValueError, KeyError, LookupError, OSError) as error:
        print(f"error: {error.args[0] if isinstance(error, KeyError) else error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
