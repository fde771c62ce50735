"""python -m tfx_pipeline schedule: once, again and again, by a timer, or on a cluster."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from models.arguments.numbers import count, duration
from models.arguments.places import named_path
from tfx_pipeline.faults import RunError

if TYPE_CHECKING:
    from tfx_pipeline.config import Config

# Options that a tick is told; the others are about the schedule itself. Named one by one, so that
# no tick can install or repeat, whatever was typed. Data and run last: `install` looks for them.
OF_A_TICK = ("config", "set", "shards", "beam", "window", "hook", "data", "run")

# Seconds between two looks: the least, and those of a timer where none are named.
SHORTEST, USUAL = 1.0, 6 * 3600.0


def add_schedule_arguments(command: argparse.ArgumentParser) -> None:
    command.epilog = (
        "example: python -m tfx_pipeline schedule --data 'data/span-{SPAN}' --run runs/mine "
        "--window 3 --every 6h --hook 'mail -s retrained me@example.org'"
    )
    command.add_argument(
        "--every",
        type=duration,
        metavar="TIME",
        help="go on in the foreground: 30m, 6h, 1d between two looks, at least 1s",
    )
    command.add_argument(
        "--install",
        choices=("systemd", "cron"),
        help="print a timer that does it (--every: how often, default 6h)",
    )
    command.add_argument(
        "--to",
        type=named_path,
        metavar="DIR",
        help="where --install writes (default: the user's units)",
    )
    command.add_argument("--yes", action="store_true", help="write what --install prints")
    command.add_argument(
        "--hook", metavar="COMMAND", help="is told how a run ended: the history's line on its input"
    )
    command.add_argument(
        "--again", action="store_true", help="run whatever the history says (after a refusal, say)"
    )
    command.add_argument(
        "--host", help="make it a recurring run of Kubeflow Pipelines there (needs --file)"
    )
    command.add_argument("--file", type=named_path, help="that `compile` wrote, for --host")
    command.add_argument(
        "--token-file", type=named_path, help="file with a bearer token, for --host"
    )
    add_parameter(command)


def add_parameter(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an input of the compiled file: data=gs://..., or force=REASON; repeat",
    )


def add_window(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--window",
        type=count,
        metavar="N",
        help="of a pattern with {SPAN}: the last N spans as one data set (default: the newest)",
    )


def start_schedule(config: Config, options: argparse.Namespace, beam: list[str]) -> int:
    """Looks once, goes on in the foreground, prints a timer, or makes a recurring run, whichever
    the options ask for; returns the exit code. beam: options for Beam, checked. Raises RunError.
    """
    from tfx_pipeline.schedule.every import repeat
    from tfx_pipeline.schedule.install import files_of, install, kept_variables
    from tfx_pipeline.schedule.tick import tick

    check_once(options)
    if options.every is not None and options.every < SHORTEST:
        raise RunError(f"--every is at least {SHORTEST:.0f} s, got {options.every:g}")
    # not argparse's default: `--every` alone makes a foreground
    every = options.every or USUAL
    if options.host:
        return schedule_on_cluster(options, every)
    if options.parameter:
        raise RunError("--parameter is for a compiled file: it needs --host and --file")
    if not options.data:
        raise RunError("schedule needs --data DIR, a folder or a pattern with {SPAN}")
    if options.install:
        variables = kept_variables(os.environ)
        files = files_of(options.install, with_paths(options), every, options.run, variables)
        lines = install(files, options.install, options.to, options.run, yes=options.yes)
        if variables:
            lines.append(f"# kept of this environment: {', '.join(variables)}")
        print("\n".join(lines))
        return 0
    if options.every:
        return repeat(tick_words(options), every)
    return tick(
        config,
        options.data,
        options.run,
        beam=beam,
        window=options.window,
        hook=options.hook,
        # a reason is for this run: without it a refusal would keep the next run away
        again=options.again or bool(options.force),
        force=options.force,
    )


def check_once(options: argparse.Namespace) -> None:
    """Raises RunError for a word that is meant for one run, said to a schedule of many: each tick
    would run everything, with gates that refuse passed.
    """
    words = [f"--{word}" for word in ("force", "again") if getattr(options, word)]
    many = [f"--{word}" for word in ("host", "install", "every") if getattr(options, word)]
    if words and many:
        raise RunError(
            f"{' and '.join(words)} {'are' if len(words) > 1 else 'is'} for one run, and "
            f"{many[0]} is for many: run once with {' '.join(words)}, then `schedule` without"
        )


def tick_words(options: argparse.Namespace) -> list[str]:
    """Returns the words of the command line of one tick."""
    words = ["schedule"]
    for name in OF_A_TICK:
        value = getattr(options, name)
        # an option that may be repeated has a list; one that was not given None, or nothing
        values = value if isinstance(value, list) else [] if value in (None, "") else [value]
        for each in map(str, values):
            # Beam's options begin with a dash, too: as words of their own they would be taken for
            # ours
            words += [f"--{name}={each}"] if each.startswith("-") else [f"--{name}", each]
    return words


def with_paths(options: argparse.Namespace) -> list[str]:
    """Returns the words of a tick that starts in another folder: full paths of data and run."""
    # by hand: a pattern is no path that could be resolved
    data = options.data if "://" in options.data else str(Path(options.data).absolute())
    there = {**vars(options), "data": data, "run": options.run.absolute()}
    return tick_words(argparse.Namespace(**there))


def schedule_on_cluster(options: argparse.Namespace, every: float) -> int:
    from tfx_pipeline.cluster import submit

    if options.file is None:
        raise RunError("--host needs --file FILE, which `python -m tfx_pipeline compile` writes")
    parameters = submit.parameters_of(options.parameter)
    submit.check_file(options.file)
    client = submit.connect(options.host, submit.token_in(options.token_file))
    print(
        submit.create_recurring(
            client,
            options.host,
            options.file,
            name="taskonomy",
            experiment="taskonomy",
            every=round(every),
            parameters=parameters,
        )
    )
    return 0
