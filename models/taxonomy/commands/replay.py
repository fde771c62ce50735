"""Command `replay`: prints what measuring only the promising transfers would have cost."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace

import numpy as np

from models.arguments.numbers import share
from models.taxonomy.affinities import Affinities
from models.taxonomy.commands.inputs import request_of, table_of
from models.taxonomy.commands.layout import folded, shown, table
from models.taxonomy.commands.options import request_options
from models.taxonomy.evidence.screening import (
    DRAWS,
    Scores,
    from_cheaper,
    predictor_agreement,
    read_predictions,
    replay,
    static_predictions,
)
from models.taxonomy.facts import Facts
from models.taxonomy.program.request import Request
from models.taxonomy.tournament.published import read_any

SUMMARY = "what measuring only the promising transfers would have cost"


def options(command: ArgumentParser) -> None:
    request_options(command)
    command.add_argument(
        "--cheaper",
        required=True,
        metavar="FILE",
        help="affinities measured with less data, or proxies.json of a run: what predicts the "
        "transfers",
    )
    command.add_argument(
        "--share", type=share, default=0.5, help="of the transfers to measure (default 0.5)"
    )


def run(options: Namespace) -> int:
    affinities = table_of(options)
    request = request_of(options, affinities)
    predicted = read_predictions(options.cheaper) or {
        "less data": from_cheaper(affinities, read_any(options.cheaper))
    }
    static = static_predictions(affinities)
    rows = [
        facts_of(affinities, request, name, scores, options.share, static=name in static)
        for name, scores in {**predicted, **static}.items()
    ]
    if options.json:
        print(json.dumps(rows))
        return 0
    first = rows[0]
    text = (
        f"of {first['of']} transfers {first['measured']} measured; quality of the policy at budget "
        f"{request.budget:g}, order {request.order}"
    )
    print(folded(text))
    titles = ["predictor", "Spearman", "all", "promising", "lost", "random mean", "worst", ""]
    print(table(titles, [replay_row(row) for row in rows]))
    foot = (
        f"random: as many transfers drawn evenly, {DRAWS} times. static order: one list of sources "
        "for all targets, their mean rank over the other targets; family prior: same family first, "
        "then 3D sources. A predictor is worth what it adds to these"
    )
    print(f"\n{folded(foot, '', '')}")
    return 0


def facts_of(
    affinities: Affinities,
    request: Request,
    name: str,
    scores: Scores,
    part: float,
    *,
    static: bool,
) -> Facts:
    agreed = [
        value
        for targets in predictor_agreement(affinities, scores).values()
        for value in targets.values()
        if np.isfinite(value)
    ]
    return {
        "predictor": name,
        "static": static,
        "spearman": float(np.mean(agreed)) if agreed else None,
        **replay(affinities, scores, request, share=part),
    }


def replay_row(row: Facts) -> list[str]:
    complete = row["full"] is not None and row["screened"] is not None
    luck = row["random"] or {"mean": None, "worst": None}
    return [
        row["predictor"],
        shown(row["spearman"], 2),
        shown(row["full"], 4),
        shown(row["screened"], 4),
        shown(row["full"] - row["screened"] if complete else None, 4),
        shown(luck["mean"], 4),
        shown(luck["worst"], 4),
        f"{row['failed']} of {DRAWS} reach no policy" if row["failed"] else "",
    ]
