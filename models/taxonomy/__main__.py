"""Command line `python -m models.taxonomy COMMAND`: prints what affinity tables, losses and labels
say, as text or as JSON.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from models.arguments.command import BAD_INPUT, run_command
from models.taxonomy.commands import COMMANDS
from models.taxonomy.commands.options import Parser
from models.taxonomy.commands.terms import TERMS, foot


def parser() -> argparse.ArgumentParser:
    top = Parser(
        prog="python -m models.taxonomy",
        description="Which tasks to supervise under a budget, and how to reach the others.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example:\n"
        "  python -m models.taxonomy solve --affinities affinities.json --budget 6\n\n"
        f"the words of the tables:\n{foot(*TERMS)}",
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, entry in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=entry.summary,
            description=f"{entry.summary}.",
            epilog="python -m models.taxonomy --help explains the words of the tables.",
        )
        command.add_argument("--json", action="store_true", help="print JSON")
        entry.options(command)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit code. Every error that the program expects is one line on
    stderr.
    """
    # LookupError, because names of tasks, regimes and columns are looked up as they were typed
    return run_command(dispatch, arguments, errors=(*BAD_INPUT, LookupError))


def dispatch(words: list[str]) -> int:
    options = parser().parse_args(words)
    return COMMANDS[options.command].run(options)


if __name__ == "__main__":
    sys.exit(main())
