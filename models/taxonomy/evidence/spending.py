"""What a run's budget buys if amounts of data may be chosen, and which labels to buy next once the
run's policy is paid for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from models.taxonomy.affinities import Affinities
from models.taxonomy.facts import Facts
from models.taxonomy.program.answers import attempt
from models.taxonomy.program.labels import (
    Labels,
    holdings,
    next_labels,
    priced,
    scores,
    with_bought,
)
from models.taxonomy.program.request import Request
from models.taxonomy.program.taxonomy import Taxonomy

THOUSAND = 1000.0


def spending(
    table: Affinities,
    request: Request,
    policy: Taxonomy,
    *,
    full: float,
    amounts: Mapping[str, float],
    budgets: Iterable[float],
) -> Facts:
    """Returns what budgets buy with the largest amount alone and with any amount, and which labels
    to buy next.

    {"full", "amounts": labels of each, "decides": the largest amount of transfers, "budgets": rows
    of tasks (that could be labelled in full), labels (what the policy of so many tasks takes: their
    full labels, and that amount for every other target), "fixed" and "chosen" (scores, with
    "spent", of the best policy with that amount alone and with any; None if none reaches every
    target), "held" (`labels.holdings` of "chosen"); "next": `labels.next_labels` after `policy`,
    for a thousand labels and for one task's in full}.

    table: all amounts on one scale. request: its costs are of one label. policy: one of the regime
    that decides. full: labels of a task in full. amounts: labels by regime name, at most `full`.
    budgets: numbers of tasks labelled in full.
    """
    names = [*dict.fromkeys([*table.sources, *table.targets])]
    # the largest amount may be all that there is, and `Labels` refuses amounts above the full one
    labels = Labels(
        max(full, *amounts.values()),
        amounts,
        price=dict(request.cost or {}),
        free=request.free,
    )
    # the amount that decides in the run
    largest = max(table.regimes, key=lambda name: amounts[name])
    alone = replace(request, regimes=frozenset({largest}))
    # by name, so that shares are on offer too
    request = replace(request, regimes=request.regimes or frozenset(amounts))
    rows: list[Facts] = []
    for tasks in budgets:
        # exactly what the run's own rule would buy, because with a larger budget the fixed policy
        # might leave labels unspent and the comparison would be unfair
        own = attempt(table, replace(alone, budget=tasks))
        others = max(0, len(table.targets) - tasks)
        budget = (
            tasks * labels.full + others * amounts[largest]
            if own is None
            else sum(row["cost"] for row in holdings(own, labels, names))
        )
        fixed = attempt(table, priced(table, alone, labels, budget))
        chosen = attempt(table, priced(table, request, labels, budget))
        rows.append(
            {
                "tasks": tasks,
                "labels": budget,
                "fixed": None if fixed is None else paid(fixed),
                "chosen": None if chosen is None else paid(chosen),
                "held": [] if chosen is None else holdings(chosen, labels, names),
            }
        )
    owned = with_bought(policy, labels, names)
    image_counts = sorted({THOUSAND, labels.full})
    return {
        "full": labels.full,
        "amounts": dict(amounts),
        "decides": largest,
        "budgets": rows,
        # without single steps, because a report shows only what is bought
        "next": [next_labels(table, request, owned, more, alone=False) for more in image_counts],
    }


def paid(policy: Taxonomy) -> Facts:
    return {**scores(policy), "spent": policy.spent}
