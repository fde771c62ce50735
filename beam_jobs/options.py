"""Checks options for Beam before anything runs. Beam itself ends the process over a wrong value and
drops a word that it does not know.
"""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Iterable
from typing import Any, NoReturn

from models.arguments.command import UserError

# a runner of this repository, which Beam imports by its full name
LOCAL_RUNNER = "beam_jobs.ingest.local_runner.LocalRunner"


class BeamOptionError(UserError, ValueError):
    """An option that Beam does not have, or a value that it would not take; the message lists names
    that are close.
    """


class Words(argparse.ArgumentParser):
    """An argument parser whose complaints are BeamOptionErrors."""

    def error(self, message: str) -> NoReturn:
        raise BeamOptionError(f"--beam: {message}")


def checked(options: Iterable[str]) -> list[str]:
    """Returns the options as a list, all of them known to Beam, with values that it takes and a
    runner that exists. Raises BeamOptionError, with names that are close, for any that are not.
    """
    flags = list(options)
    if not flags:
        return flags
    from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
    from apache_beam.runners.runner import create_runner

    words = Words(add_help=False, allow_abbrev=False)
    for group in sorted(kinds_of(PipelineOptions), key=str):
        try:
            group._add_argparse_args(words)
        except argparse.ArgumentError:
            continue  # two groups may have an option in common
    _, unknown = words.parse_known_args(flags)
    for word in unknown:
        name = word.partition("=")[0]
        close = difflib.get_close_matches(name, list(words._option_string_actions), n=3)
        raise BeamOptionError(
            f"--beam takes one option of Beam each time (--beam=--name=value), got {word!r}"
            + (f"; did you mean {' or '.join(close)}?" if close else "")
        )
    runner = PipelineOptions(flags).view_as(StandardOptions).runner
    try:
        create_runner(runner or "FnApiRunner")
    except (ValueError, ImportError, AttributeError) as error:
        raise BeamOptionError(f"--beam: {' '.join(str(error).split())}") from error
    return flags


def kinds_of(options: Any) -> set[Any]:
    """Returns all classes of options, at any depth, that derive from `options`; those of Dask's
    runner are imported first, so that they count.
    """
    import apache_beam.runners.dask.dask_runner  # noqa: F401

    kinds: set[Any] = set(options.__subclasses__())
    return kinds.union(*(kinds_of(each) for each in kinds)) if kinds else kinds


def is_dask(options: Iterable[str]) -> bool:
    """Returns whether the runner that these options name last is Dask's."""
    runners = [word.partition("=")[2] for word in options if word.startswith("--runner=")]
    return bool(runners) and runners[-1].rpartition(".")[2].lower() == "daskrunner"
