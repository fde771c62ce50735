"""The command line of this package: python -m beam_jobs agreement | annotate | ingest | statistics
| download | sheet
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

from models.arguments.command import run_command
from models.arguments.exact import ExactParser
from models.arguments.help import DefaultsParser

# command -> (module with `add_arguments` and `run`, what it does)
COMMANDS = {
    "agreement": ("compare.agreement", "recompute the labels of real frames and compare"),
    "annotate": ("annotate.command", "make a data set in the published layout"),
    "ingest": ("ingest.command", "turn a folder in the published layout into sharded examples"),
    "statistics": (
        "compare.realism",
        "what a data set's labels look like in numbers, beside real views",
    ),
    "download": ("download.download", "fetch the published data set"),
    "sheet": ("compare.contact_sheet", "a contact sheet of a data set, to be looked at"),
}


# command -> what is told when it is interrupted; a command without a row leaves nothing behind
LEFT = {
    "annotate": "complete buildings are kept, the same command resumes",
    "ingest": "complete shards are kept, the same command resumes",
    "download": "what was fetched is kept, the same command resumes",
}


def command_module(name: str) -> ModuleType:
    """Returns the module behind a command. It is imported here, so that a command waits for the
    imports of its own module alone.
    """
    return importlib.import_module(f"beam_jobs.{COMMANDS[name][0]}")


def main(arguments: list[str] | None = None) -> int:
    """Runs a command and returns its exit code."""
    return run_command(dispatch, arguments, left=LEFT)


def dispatch(words: list[str]) -> int:
    """Parses the words of a command line, runs the command that they name, and returns its exit
    code.
    """
    parser = ExactParser(
        prog="python -m beam_jobs",
        description="Views, examples and where they come from.",
        epilog="example: python -m beam_jobs annotate --out data --buildings 12 --views 40",
    )
    commands = parser.add_subparsers(dest="command", required=True, parser_class=DefaultsParser)
    for name, (_, text) in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text)
        # only the command asked for gets its arguments: the modules of the others stay unimported
        if name in words[:1]:
            command_module(name).add_arguments(command)
    options = parser.parse_args(words)
    return int(command_module(options.command).run(options))


if __name__ == "__main__":
    sys.exit(main())
