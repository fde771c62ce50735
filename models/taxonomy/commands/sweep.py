"""Command `sweep`: prints the taxonomies of all budgets and orders."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import replace

from models.arguments.numbers import positive
from models.taxonomy.affinities import Affinities
from models.taxonomy.commands.inputs import request_of, table_of
from models.taxonomy.commands.label_amounts import amounts_of
from models.taxonomy.commands.layout import folded, shown
from models.taxonomy.commands.options import cost_options, program_options, table_options
from models.taxonomy.commands.terms import foot
from models.taxonomy.evidence.expenses import Expenses, headline
from models.taxonomy.facts import Facts
from models.taxonomy.program.answers import answer, attempt
from models.taxonomy.program.offers import check_name
from models.taxonomy.program.request import Request
from models.taxonomy.program.taxonomy import Taxonomy, mean

SUMMARY = "all budgets and orders"

TITLES = "order  budget  objective   gain  quality  apart"
SAVED_TITLES = "    images   saved  saved apart"

Saved = dict[tuple[float, int], Facts]


def options(command: ArgumentParser) -> None:
    table_options(command)
    program_options(command, order=4)
    cost_options(command)
    command.add_argument(
        "--budgets",
        type=positive,
        nargs="+",
        metavar="B",
        help="the budgets; by default in steps of a source's mean cost up to the cost of all (with "
        "default costs 1, 2, ... sources)",
    )
    command.add_argument(
        "--full-images",
        type=positive,
        help="labelled images that full supervision takes: adds what each policy saves",
    )
    command.add_argument(
        "--transfer-images",
        nargs="+",
        metavar="NAME=COUNT",
        help="labelled images that a transfer takes, of each amount of data: 1k=1000 16k=16000; a "
        "number alone where there is one",
    )


def run(options: Namespace) -> int:
    if (options.full_images is None) != (options.transfer_images is None):
        raise ValueError("--full-images and --transfer-images go together")
    table = table_of(options)
    # this budget is replaced by each budget of the sweep
    request = request_of(options, table, 1.0)
    policies = all_policies(table, request, options.budgets or steps(table, request))
    saved = savings(table, request, policies, options)
    if options.json:
        rows = [
            {**policy.to_json(), "headline": saved.get((policy.budget, policy.order))}
            for policy in policies
        ]
        print(json.dumps(rows))
        return 0
    print(f"{TITLES}{SAVED_TITLES if saved else ''}")
    for policy in policies:
        print(line(policy, saved.get((policy.budget, policy.order))))
        print(folded(supervised(policy), " " * 7, " " * 7))
    words = ["budget", "order", "objective", "gain", "quality", "apart"]
    print(f"\n{foot(*words, *(['saved'] if saved else []))}")
    return 0


def supervised(policy: Taxonomy) -> str:
    names = ", ".join(policy.supervised) or "nothing"
    return names if policy.status == "optimal" else f"{names} ({policy.status}, not proven)"


def all_policies(table: Affinities, request: Request, budgets: Sequence[float]) -> list[Taxonomy]:
    """Returns the policies of every budget and of every order up to the request's, without those
    that do not reach every target. Raises Infeasible if none is left.
    """
    requests = [
        replace(request, budget=budget, order=order)
        for order in range(1, request.order + 1)
        for budget in budgets
    ]
    policies = [policy for one in requests if (policy := attempt(table, one)) is not None]
    return policies or [answer(table, requests[-1])]  # `answer` raises, and says why there is none


def steps(table: Affinities, request: Request) -> list[float]:
    """Returns budgets in steps of a source's mean cost, from one source to all; free sources do not
    count.
    """
    costs = [cost for name in table.sources if (cost := request.cost_of(name)) > 0]
    mean_cost = sum(costs) / max(1, len(costs))
    return [mean_cost * (i + 1) for i in range(len(costs))] or [1.0]


def little_images(table: Affinities, texts: Sequence[str]) -> dict[str, float]:
    """Returns {"1k": 1000.0, ...} for ["1k=1000", ...], with every amount of data of the table; a
    number alone is the table's only amount. Raises KeyError for unknown amounts and ValueError for
    missing ones and for numbers that are not above 0.
    """
    single = len(table.regimes) == 1
    if single and len(texts) == 1 and "=" not in texts[0]:
        # under the amount's name in the table, which is "" for a run's own
        texts = [f"{table.regimes[0]}={texts[0]}"]
    images = amounts_of(texts)
    # fewer entries than texts mean that an amount was named twice
    if not set(table.regimes) <= set(images) or len(images) < len(texts):
        names = " ".join(f"{name}=COUNT" for name in table.regimes)
        raise ValueError(
            f"--transfer-images is {'a number, or ' if single else ''}a number for each amount of "
            f"data of the table, {names}; got {' '.join(texts)}"
        )
    for name, count in images.items():
        check_name(name, table.regimes, "amount of data")
        if not count > 0:
            raise ValueError(f"--transfer-images are above 0, got {name}={count:g}")
    return images


def savings(
    table: Affinities, request: Request, policies: list[Taxonomy], options: Namespace
) -> Saved:
    """Returns (budget, order) -> row of `headline`; empty if no numbers of images were given."""
    if not options.full_images:
        return {}
    little = little_images(table, options.transfer_images)
    expenses = Expenses(options.full_images, little, free=request.free)
    rows = headline(table, policies, expenses)
    return {(row["budget"], row["order"]): row for row in rows}


def line(policy: Taxonomy, saved: Facts | None) -> str:
    others = mean([edge.quality for edge in policy.edges if edge.way != "supervised"])
    text = (
        f"{policy.order:5d}  {policy.budget:6g}  {policy.objective:9.6f}  "
        f"{shown(policy.gain):>5s}  {shown(policy.quality):>7s}  {shown(others):>5s}"
    )
    return text + saved_columns(saved) if saved else text


def saved_columns(saved: Facts) -> str:
    not_bought = saved["not_bought"]
    share = "-" if not_bought is None else f"{100 * not_bought['saved']:.0f} %"
    return f"  {saved['images']:8.0f}  {100 * saved['saved']:4.0f} %  {share:>11s}"
