"""python -m models.taxonomy COMMAND: what tables, losses and labels say, as text or as JSON."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from models.arguments.endings import ended
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
    """runs a command and returns its exit code; every error of ours is one line on stderr."""
    try:
        return ended(lambda: carried_out(arguments))
    # these are what bad input raises; anything else is a defect of ours and keeps its traceback
    except (ValueError, LookupError, OSError) as error:
        print(f"error: {reason_of(error)}", file=sys.stderr)
        return 1


def carried_out(arguments: Sequence[str] | None) -> int:
    options = parser().parse_args(arguments)
    return COMMANDS[options.command].run(options)


def reason_of(error: Exception) -> str:
    """one line, with the file's name where it is about one."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    # the text of a KeyError is the repr of its key, in quotes
    text = error.args[0] if isinstance(error, KeyError) else error
    return " ".join(str(text).split())


if __name__ == "__main__":
    sys.exit(main())
