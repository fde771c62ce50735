"""All budgets and orders."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from dataclasses import replace

from models.taxonomy.affinities import Affinities
from models.taxonomy.answers import answer, attempt
from models.taxonomy.commands.inputs import request_of, table_of
from models.taxonomy.commands.layout import folded, shown
from models.taxonomy.commands.options import (
    cost_options,
    positive,
    program_options,
    table_options,
)
from models.taxonomy.commands.terms import foot
from models.taxonomy.expenses import Expenses, headline
from models.taxonomy.facts import Facts
from models.taxonomy.request import Request
from models.taxonomy.taxonomy import Taxonomy, mean

SUMMARY = "all budgets and orders"

Saved = dict[tuple[float, int], Facts]


def options(command: ArgumentParser) -> None:
    table_options(command)
    program_options(command, order=4)
    cost_options(command)
    command.add_argument(
        "--full-images",
        type=positive,
        help="labelled images that full supervision takes: adds what each policy saves",
    )
    command.add_argument(
        "--transfer-images", type=positive, help="labelled images that a transfer takes"
    )


def run(options: Namespace) -> int:
    if (options.full_images is None) != (options.transfer_images is None):
        raise ValueError("--full-images and --transfer-images go together")
    table = table_of(options)
    request = request_of(options, table, 1.0)
    policies = all_policies(table, request)
    saved = savings(table, request, policies, options)
    if options.json:
        rows = [
            {**policy.to_json(), "headline": saved.get((policy.budget, policy.order))}
            for policy in policies
        ]
        print(json.dumps(rows))
        return 0
    titles = "order  budget  status    objective  gain   quality  transferred"
    print(titles + ("   images  saved" if saved else ""))
    for policy in policies:
        print(line(policy, saved.get((policy.budget, policy.order))))
        print(folded(", ".join(policy.supervised) or "nothing", " " * 7, " " * 7))
    words = ["budget", "order", "objective", "gain", "quality"]
    print(f"\n{foot(*words, *(['saved'] if saved else []))}")
    return 0


def all_policies(table: Affinities, request: Request) -> list[Taxonomy]:
    """one a budget of whole tasks and order up to the request's; those that reach every target."""
    asked = [
        replace(request, budget=float(budget), order=order)
        for order in range(1, request.order + 1)
        for budget in range(1, len(table.sources) + 1)
    ]
    policies = [policy for one in asked if (policy := attempt(table, one)) is not None]
    return policies or [answer(table, asked[-1])]  # which says why there is none


def savings(
    table: Affinities, request: Request, policies: list[Taxonomy], options: Namespace
) -> Saved:
    """(budget, order) -> the headline's row; empty without numbers of images."""
    if not options.full_images:
        return {}
    little = dict.fromkeys(table.regimes, options.transfer_images)
    expenses = Expenses(options.full_images, little, free=request.free)
    rows = headline(table, policies, expenses)
    return {(row["budget"], row["order"]): row for row in rows}


def line(policy: Taxonomy, saved: Facts | None) -> str:
    others = [edge.quality for edge in policy.edges if edge.way != "supervised"]
    scores = (
        f"{policy.objective:9.6f}  {shown(policy.gain):5s}  {shown(policy.quality):7s}  "
        f"{shown(mean(others)):11s}"
    )
    images = f"  {saved['images']:7.0f}  {100 * saved['saved']:3.0f} %" if saved else ""
    text = f"{policy.order:5d}  {policy.budget:6g}  {policy.status:8s}  {scores}{images}"
    return text.rstrip()
