"""The subcommands of `python -m models.taxonomy`, one file for each with SUMMARY, options(parser)
and run(options) -> exit code. Results go to stdout (a table of 80 columns, or JSON), warnings to
stderr.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass

from models.taxonomy.commands import (
    amounts,
    compare,
    explain,
    figure,
    measure,
    next_labels,
    replay,
    significance,
    solve,
    sweep,
    tree,
)


@dataclass(frozen=True)
class Command:
    summary: str
    options: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]


COMMANDS = {
    "solve": Command(solve.SUMMARY, solve.options, solve.run),
    "explain": Command(explain.SUMMARY, explain.options, explain.run),
    "sweep": Command(sweep.SUMMARY, sweep.options, sweep.run),
    "next-labels": Command(next_labels.SUMMARY, next_labels.options, next_labels.run),
    "amounts": Command(amounts.SUMMARY, amounts.options, amounts.run),
    "significance": Command(significance.SUMMARY, significance.options, significance.run),
    "figure": Command(figure.SUMMARY, figure.options, figure.run),
    "tree": Command(tree.SUMMARY, tree.options, tree.run),
    "compare": Command(compare.SUMMARY, compare.options, compare.run),
    "measure": Command(measure.SUMMARY, measure.options, measure.run),
    "replay": Command(replay.SUMMARY, replay.options, replay.run),
}
