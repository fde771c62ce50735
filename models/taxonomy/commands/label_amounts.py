"""Amounts of labels: the options of commands that choose them, and what a policy buys as text."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import replace

from models.arguments.numbers import positive
from models.taxonomy.affinities import Affinities
from models.taxonomy.commands.inputs import numbers
from models.taxonomy.commands.layout import folded, shown, table
from models.taxonomy.commands.options import PAIRS
from models.taxonomy.evidence.amounts import by_size, stated
from models.taxonomy.facts import Facts
from models.taxonomy.program.labels import Labels
from models.taxonomy.program.offers import check_name
from models.taxonomy.program.request import Request

FAR = 2.0  # factor that is no contradiction: tasks about several views have fewer samples
FULL = "full"  # the name among --amounts for the labels that supervising a task takes


def owned_options(command: ArgumentParser) -> None:
    """Adds the options for labels that are owned already, for what to spend next, and for prices of
    labels.
    """
    command.add_argument("--have", **PAIRS, help="labels of a task that are bought already")
    command.add_argument(
        "--next", type=positive, default=1000.0, help="labels, or money, to spend (default 1000)"
    )
    command.add_argument("--price", **PAIRS, help="of one label of a task (default 1)")


def amounts_options(command: ArgumentParser) -> None:
    """Adds the options for a budget of labels with amounts to choose among."""
    command.add_argument(
        "--amounts",
        nargs="+",
        metavar="NAME=LABELS",
        help="the budget is of labels, or of money where labels have prices: choose for every task "
        "none of its labels, an amount that transfers, networks from scratch or its own network "
        "on a share were measured with, or all: full=120000 16k=16000 1k=1000; a number alone is "
        "the only, or largest, amount",
    )
    owned_options(command)


def amounts_of(texts: Sequence[str]) -> dict[str, float]:
    """Returns {"1k": 1000.0, ...} for ["1k=1000", ...]; a number alone is the amount of the regime
    "".
    """
    return numbers([text if "=" in text else f"={text}" for text in texts])


def labels_of(options: Namespace, request: Request, affinities: Affinities) -> Labels:
    """Returns the labels that --amounts, --have and --price describe. Raises ValueError for amounts
    that are missing and for options that do not go together, KeyError for unknown names.
    """
    amounts = amounts_of(options.amounts)
    full = amounts.pop(FULL, None)
    if full is None or not amounts:
        raise ValueError(
            "--amounts needs the labels of a task's own network and of one measured amount or "
            f"more, such as full=120000 1k=1000; got {' '.join(options.amounts)}; the table knows "
            f"{', '.join(repr(name) for name in by_size(affinities.amounts))}"
        )
    prices = [
        name for name in ("cost", "transfer_cost", "regime_cost") if getattr(options, name, [])
    ]
    if prices:
        raise ValueError(
            f"with --amounts, labels are priced one by one (--price): leave out "
            f"--{prices[0].replace('_', '-')}"
        )
    return labels_with(options, full, amounts, request, affinities)


def labels_with(
    options: Namespace,
    full: float,
    amounts: Mapping[str, float],
    request: Request,
    affinities: Affinities,
) -> Labels:
    """Returns labels with these amounts, with the prices of --price and the owned labels of --have.
    Prints warnings for doubtful amounts. Raises KeyError for names that the table does not know.
    """
    for name in amounts:
        check_name(name, affinities.amounts, "amount of data")
    for words in doubts(amounts, affinities.regimes):
        print(f"warning: {words}", file=sys.stderr)
    price, owned = numbers(options.price), numbers(options.have)
    tasks = sorted({*affinities.sources, *affinities.targets})
    for name in [*price, *owned]:
        check_name(name, tasks)
    return Labels(full, amounts, price, owned, request.free)


def doubts(amounts: Mapping[str, float], regimes: Sequence[str]) -> list[str]:
    """Returns in words the numbers of labels that contradict the names of the measured amounts."""
    most = max((number for name in regimes if (number := stated(name))), default=0.0)
    lines = []
    for name, amount in amounts.items():
        number = stated(name)
        if number and not number / FAR <= amount <= number * FAR:
            lines.append(f"{name}={amount:g}: the amount {name} was measured with about {number:g}")
        # an amount without a name is the largest, or the only one
        elif not name and amount < most:
            lines.append(
                f"{amount:g} without a name stands for the largest amount, yet {most:g} was "
                "measured too"
            )
    return lines


def among(request: Request, labels: Labels) -> Request:
    """Returns the request restricted to the amounts that `labels` knows. Raises ValueError if none
    of the requested amounts is among them.
    """
    regimes = frozenset(labels.amounts) & (request.regimes or frozenset(labels.amounts))
    if not regimes:
        raise ValueError(
            f"--regimes {','.join(sorted(request.regimes))} and the amounts that were given have "
            "no amount in common"
        )
    return replace(request, regimes=regimes)


def without_labels_words(options: Namespace) -> None:
    """Raises ValueError if options that need --amounts are given without it."""
    for name in ("have", "price"):
        if getattr(options, name):
            raise ValueError(f"--{name} counts labels: it needs --amounts full=LABELS NAME=LABELS")


def amount_lines(rows: Sequence[Facts], variant: str) -> str:
    """Returns rows of `labels.holdings` as a table, with all tasks without labels in one line."""
    some = [row for row in rows if row["amount"]]
    none = ", ".join(row["task"] for row in rows if not row["amount"])
    cells = [
        [
            row["task"],
            row["step"] or f"{row['amount']:g}",
            f"{row['amount']:g}",
            f"{row['labels']:g}",
            f"{row['cost']:g}",
            "",
        ]
        for row in some
    ]
    lines = [table(["labels of", "amount", "labels", "to buy", "cost", ""], cells)] if some else []
    lines += [folded(f"none of {none}")] if none else []
    if variant == "paper":
        lines.append(folded("paper variant: a task in full pays its transfer's labels once more"))
    return "\n".join(lines)


def purchase_lines(facts: Facts) -> list[str]:
    """Returns lines that say which labels to buy next and what they are expected to gain."""
    lines = [f"the next {facts['more']:g}: spend {facts['spent']:g} on"]
    if facts["buy"]:
        rows = [
            [row["task"], f"{row['labels']:g}", f"{row['cost']:g}", row["means"]]
            for row in facts["buy"]
        ]
        lines.append(table(["labels of", "number", "cost", "for"], rows))
    else:
        lines.append("nothing: no step of this size makes any target better")
        lines += [least_line(facts["alone"][0])] if facts["alone"] else []
    return [*lines, "", *gain_lines(facts)]


def least_line(row: Facts) -> str:
    """Returns a line about the single step that gains most for its cost."""
    return folded(
        f"of single steps, the most for its cost: {row['task']} up to {row['amount']:g}, "
        f"{row['labels']:g} labels for {row['cost']:g}, objective {row['objective']:+.4f}"
    )


def gain_lines(facts: Facts) -> list[str]:
    """Returns lines about the expected gain, as measured on the test images of the table."""
    after = f"mean quality {shown(facts['after']['quality'])}"
    apart = [
        f"{way} {entry['targets']} at {shown(entry['quality'])}"
        for way, entry in facts["after"]["ways"].items()
    ]
    lines = [folded(f"then: {after} ({', '.join(apart)})")]
    if facts["gain"] is None:
        return ["now: not every target is reached with the labels that are there", *lines]
    before = facts["before"]
    gained = facts["gain"]["quality"]
    quality = "" if gained is None else f", quality {gained:+.4f}"
    lines.insert(0, f"now:  mean quality {shown(before['quality'])}")
    lines.append(f"expected gain: objective {facts['gain']['objective']:+.4f}{quality}")
    return lines
