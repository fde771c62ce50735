"""python -m tfx_pipeline history | diff | prune | rollback | trace: what became of a run folder."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from models.arguments.numbers import count, natural
from models.arguments.places import named_path
from tfx_pipeline.faults import RunError
from tfx_pipeline.history.journal import HISTORY, PRUNED, ROLLBACK, Entry, append, next_number, read

Subcommands = argparse._SubParsersAction


def add_commands(commands: Subcommands[argparse.ArgumentParser]) -> None:
    """Adds the verbs about a folder of runs."""
    text = "every run of a folder: what it made, and why it ran"
    command = add_command(commands, "history", do_history, text)
    command.add_argument("--json", action="store_true", help="a list of all that is known")
    command.add_argument("--last", type=count, metavar="N", help="the newest N alone")

    text = "what two runs of a folder differ in"
    command = add_command(commands, "diff", do_diff, text, "diff runs/mine 3 4")
    number = "number in `history` of the {} run, or the version that it pushed"
    command.add_argument("before", type=natural, help=number.format("earlier"))
    command.add_argument("after", type=natural, help=number.format("later"))

    text = "remove what no kept version refers to"
    command = add_command(commands, "prune", do_prune, text, "prune runs/mine --keep 2")
    command.add_argument(
        "--keep", type=count, required=True, metavar="N", help="how many of the newest versions"
    )
    command.add_argument("--yes", action="store_true", help="do it; without, it is only said")

    text = "serve an older version again, and note it in the history"
    command = add_command(commands, "rollback", do_rollback, text)
    wanted = command.add_mutually_exclusive_group()
    # by its place, or as `serving rollback` takes it
    wanted.add_argument(
        "version",
        type=natural,
        nargs="?",
        help="the version to return to (default: the one before the newest)",
    )
    wanted.add_argument("--to", type=natural, metavar="VERSION", help="the same as an option")

    text = "where a version's answers come from, as one page"
    example = "trace runs/mine --version 1795853461"
    command = add_command(commands, "trace", do_trace, text, example)
    asked = command.add_mutually_exclusive_group()
    asked.add_argument(
        "--version", type=natural, help="number of a served version (default: the newest)"
    )
    asked.add_argument(
        "--lineage", type=named_path, metavar="FILE", help="lineage.json of a bundle that answered"
    )
    command.add_argument(
        "--out", type=named_path, help="the page (default: RUN/trace-VERSION.html)", metavar="FILE"
    )


def add_command(
    commands: Subcommands[argparse.ArgumentParser],
    name: str,
    action: Callable[[argparse.Namespace], int],
    text: str,
    example: str = "",
) -> argparse.ArgumentParser:
    """Adds a verb about the folder of a run, and returns its parser. text: what it does."""
    command = commands.add_parser(name, help=text, description=text)
    command.epilog = f"example: python -m tfx_pipeline {example or f'{name} runs/mine'}"
    command.set_defaults(action=action)
    command.add_argument("run", type=named_path, help="folder of a run, --run DIR of the others")
    return command


def do_history(options: argparse.Namespace) -> int:
    from tfx_pipeline.history.table import as_json, table

    # `-0` would be none: all
    entries = entries_of(options.run)[-(options.last or 0) :]
    if options.json:
        print(as_json(entries, options.run))
    else:
        print("\n".join(table(options.run, entries)))
    return 0


def do_diff(options: argparse.Namespace) -> int:
    from tfx_pipeline.history.table import difference

    entries = [entry for entry in entries_of(options.run) if entry.is_run]
    old, new = (entry_called(entries, number) for number in (options.before, options.after))
    print("\n".join(difference(options.run, old, new)))
    return 0


def do_prune(options: argparse.Namespace) -> int:
    from tfx_pipeline.history.waste import remove, waste_lines, waste_of
    from tfx_pipeline.run_lock import lock_run

    check_folder(options.run)
    # a run in progress may be using what would go
    with lock_run(options.run):
        since = time.time()
        try:
            waste = waste_of(options.run, options.keep)
        except ValueError as error:
            raise RunError(str(error)) from error
        if not waste.paths:
            print("nothing to remove")
            return 0
        print("\n".join(waste_lines(options.run, waste)))
        if not options.yes:
            print("nothing was removed; --yes does it", file=sys.stderr)
            return 0
        remove(options.run, waste)
        note(
            options.run,
            PRUNED,
            since,
            f"{options.keep} versions kept; {len(waste.versions)} versions, "
            f"{len(waste.artifacts)} artifacts, {len(waste.ledgers)} ledgers removed, "
            f"{waste.bytes / 2**20:.1f} MiB",
        )
    return 0


def do_rollback(options: argparse.Namespace) -> int:
    # imports of a command are its own: `history` must not load a server
    from serving.release.push import rollback, versions
    from tfx_pipeline.history.waste import SERVED
    from tfx_pipeline.run_lock import lock_run

    check_folder(options.run)
    with lock_run(options.run):
        since = time.time()
        try:
            before = versions(options.run / SERVED)
            goal = options.version if options.to is None else options.to
            now = rollback(options.run / SERVED, goal)
        except ValueError as error:
            raise RunError(str(error)) from error
        numbers = ", ".join(str(number) for number in before if number > int(now.name))
        # those above the version are withdrawn; none were, where it is the newest
        text = (
            f"version {now.name} serves again" if numbers else f"version {now.name} serves already"
        )
        note(options.run, ROLLBACK, since, f"{text}; withdrawn: {numbers or 'none'}")
    print(text)
    return 0


def do_trace(options: argparse.Namespace) -> int:
    from tfx_pipeline.history.trace import trace

    check_folder(options.run)
    version = options.version
    if options.lineage is not None:
        from tfx_pipeline.history.trace import version_with

        version = version_with(options.run, options.lineage)
    print(trace(options.run, version, options.out))
    return 0


def note(run: Path, outcome: str, since: float, reason: str) -> None:
    """Appends a line to the history about something that is no run. since: when it began, in
    seconds since 1970.
    """
    from tfx_pipeline.history.recorder import newest_version

    append(
        run,
        Entry(
            number=next_number(run),
            began=since,
            seconds=round(time.time() - since, 1),
            outcome=outcome,
            reason=reason,
            serves=newest_version(run),
        ),
    )


def entries_of(run: Path) -> list[Entry]:
    """Returns the lines of the history. Raises RunError where there is none."""
    check_folder(run)
    entries = read(run)
    if not entries:
        raise RunError(f"no history in {run / HISTORY} yet; a run writes it")
    return entries


def check_folder(run: Path) -> None:
    if not run.is_dir():
        raise RunError(
            f"no folder of runs at {run}; `python -m tfx_pipeline run --run DIR` makes one"
        )


def entry_called(entries: list[Entry], number: int) -> Entry:
    """Returns the entry of that number, or the one that pushed the version of that number. Raises
    RunError.
    """
    matches = [entry for entry in entries if number in (entry.number, entry.version)]
    if not matches:
        numbers = ", ".join(str(entry.number) for entry in entries)
        raise RunError(f"no run {number} in the history; there are {numbers}")
    # a version that was pushed twice: the later run
    return matches[-1]
