"""Command line `python -m models.reports`: draws a run's page again, opens it, compares two runs,
or makes the repository's example.
"""

from __future__ import annotations

import argparse
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path

from models.arguments.command import run_command
from models.arguments.exact import ExactParser
from models.arguments.places import named_path
from models.provenance.numbered import newest_with
from models.reports.comparison import names, table, write_comparison
from models.reports.example import write_example
from models.reports.page import write_report
from models.reports.run_files import load_run

PAGE = "index.html"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit code."""
    return run_command(dispatch, arguments)


def dispatch(words: list[str]) -> int:
    options = parser().parse_args(words)
    if options.command == "open":
        return open_page(options.folder)
    if options.command == "compare":
        return compare(options.one, options.two, options.out)
    if options.command == "bundle":
        print(write_example(report_folder(options.folder)))
        return 0
    return draw_page(options.run)


def parser() -> argparse.ArgumentParser:
    words = ExactParser(
        prog="python -m models.reports",
        description="Draw a run's report again from its files, open it, or set two side by side.",
        epilog="examples: python -m models.reports --run DIR; python -m models.reports open RUN; "
        "python -m models.reports compare RUN OTHER",
    )
    words.add_argument("--run", type=named_path, help="a run, or a report's folder")
    commands = words.add_subparsers(dest="command")
    opening = commands.add_parser("open", help="open a finished report in a browser")
    opening.add_argument("folder", type=named_path, help="a run, a report's folder, or a page")
    comparing = commands.add_parser("compare", help="set two finished runs side by side")
    comparing.add_argument("one", type=named_path, help="a run, or a report's folder")
    comparing.add_argument("two", type=named_path, help="the run beside it")
    comparing.add_argument(
        "--out", type=named_path, default=Path("compare.html"), help="page to write"
    )
    bundling = commands.add_parser("bundle", help="make the repository's example of a run")
    bundling.add_argument("folder", type=named_path, help="a run, or a report's folder")
    return words


def draw_page(folder: Path | None) -> int:
    if folder is None:
        parser().print_usage(sys.stderr)
        print("error: give --run DIR, or open RUN", file=sys.stderr)
        return 2
    # a file goes to the writer, whose error names it
    print(write_report(folder if folder.is_file() else report_folder(folder)))
    return 0


def open_page(folder: Path) -> int:
    """Prints the page's path and opens it in a browser if there is one; returns the exit code."""
    page = find_page(folder).resolve()
    print(page)
    webbrowser.open(page.as_uri())
    return 0


def compare(one: Path, two: Path, out: Path) -> int:
    """Prints both policies as a table and writes the page that shows them side by side; returns the
    exit code.
    """
    runs = [load_run(report_folder(folder)) for folder in (one, two)]
    called = names(one, two)
    print(table(runs[0], runs[1], called))
    print(write_comparison(runs[0], runs[1], called[1], out).resolve())
    return 0


def report_folder(folder: Path) -> Path:
    """Returns the folder with a report's files: `folder` itself, with or without a page, or the
    newest report of the run in `folder`.
    """
    files = ("affinities.json", "taxonomies.json")
    return folder if any((folder / name).exists() for name in files) else find_page(folder).parent


def find_page(folder: Path) -> Path:
    """Returns the newest page of a run: `folder` itself if it is a file, a page in it, or that of
    the last WriteReport below it. Raises ValueError if there is none.
    """
    if folder.is_file():
        return folder
    if (folder / PAGE).exists():
        return folder / PAGE
    newest = newest_with(folder / "artifacts" / "WriteReport" / "report", PAGE)
    if newest is None:
        raise ValueError(f"{folder} holds no {PAGE} and no finished report; run the pipeline first")
    return newest / PAGE


if __name__ == "__main__":
    sys.exit(main())
