"""Turns a command's options into the affinity table and the request that they describe."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from models.taxonomy.affinities import Affinities, sums_doubt
from models.taxonomy.commands.layout import folded
from models.taxonomy.evidence.standing import not_ranked
from models.taxonomy.program.costs import free_tasks
from models.taxonomy.program.request import Request, Resource
from models.taxonomy.tournament.published import read_any
from models.taxonomy.tournament.scale import several


def table_of(options: Namespace) -> Affinities:
    """Returns the table of one file, or of several files REGIME=FILE on one scale, with the
    affinities that --risk chooses.
    """
    files: list[str] = options.affinities
    # a path may hold an equals sign itself
    single = len(files) == 1 and (Path(files[0]).exists() or "=" not in files[0])
    table = read_warned(files[0]) if single else table_of_regimes(files)
    return table.at(getattr(options, "risk", "point"))


def read_warned(path: str) -> Affinities:
    """Returns the table of a file. Prints a warning on stderr if its numbers are probably no
    affinities.
    """
    table = read_any(path)
    doubt = sums_doubt(table)
    if doubt:
        print(folded(f"warning: {path}: {doubt}", "", "    "), file=sys.stderr)
    return table


def table_of_regimes(files: Sequence[str]) -> Affinities:
    """Returns the table of several files REGIME=FILE on one scale. Raises ValueError for other
    forms and for a regime that is given twice.
    """
    pairs = [text.partition("=") for text in files]
    unnamed = not all(equals for _, equals, _ in pairs)
    if unnamed or len({regime for regime, *_ in pairs}) != len(pairs):
        raise ValueError(
            "several affinity files are given as REGIME=FILE with different regimes, "
            f"such as 1k=a.json 16k=b.json; got {' '.join(files)}"
        )
    return several({regime: read_warned(path) for regime, _, path in pairs})


def unranked(options: Namespace, table: Affinities) -> dict[str, str]:
    """Returns target -> reason for the targets whose order of sources is noise."""
    return not_ranked(table, [read_any(path) for path in options.seeds])


def request_of(options: Namespace, table: Affinities, budget: float | None = None) -> Request:
    """Returns the request that the options describe. Commands without options for label costs use
    the default costs.
    """
    preset = getattr(options, "costs", "equal")
    return Request(
        options.budget if budget is None else budget,
        options.order,
        options.variant,
        value=numbers(options.value),
        cost=numbers(getattr(options, "cost", [])),
        transfer_cost=numbers(getattr(options, "transfer_cost", [])),
        regime_cost=numbers(getattr(options, "regime_cost", [])),
        free=free_tasks(preset, {*table.sources, *table.targets}),
        regimes=options.regimes,
        scratch=scratch_of(options.scratch, table),
        forced=options.force,
        forbidden=options.exclude,
        source_only=options.source_only,
        target_only=options.target_only,
        second=resource_of(options),
        time_limit=options.time_limit,
    )


def scratch_of(choice: str, table: Affinities) -> bool:
    """Returns whether training from scratch is on offer. Raises ValueError if it was asked for but
    not measured.
    """
    if choice == "on" and not table.knows_scratch:
        raise ValueError(
            "--scratch on: this table has no affinity of training from scratch; a run measures it, "
            "and released files need their wins_vs_pixels and wins_vs_task files beside them"
        )
    # "auto" leaves it off for released tables: the authors' program has no such way, and their
    # published answers must be reproduced
    return choice == "on" or (choice == "auto" and table.measured_here and table.knows_scratch)


def resource_of(options: Namespace) -> Resource | None:
    """Returns the second budget, or None if none was given. Raises ValueError for costs without a
    budget.
    """
    if options.second:
        [(name, limit)] = numbers([options.second]).items()
        return Resource(name, limit, node=numbers(options.second_cost))
    if options.second_cost:
        raise ValueError("--second-cost needs the budget it counts against: --second NAME=LIMIT")
    return None


def numbers(pairs: Sequence[str]) -> dict[str, float]:
    """Returns {"a": 2.0, ...} for ["a=2", ...]. Raises ValueError that names the wrong pair."""
    values = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        try:
            values[name] = float(value)
        except ValueError:
            raise ValueError(f"expected NAME=NUMBER, got {pair!r}") from None
    return values
