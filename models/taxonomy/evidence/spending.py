"""What a run's budget buys if amounts may be chosen, and of what the next labels should be once the
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
    """{"full", "amounts": labels of each, "budgets": rows of tasks (that could be labelled in
    full), labels (what the policy of so many tasks takes: those, and the largest amount for every
    other target), "fixed" and "chosen" (scores, with "spent", of the best policy with the largest
    amount alone, and with any; None where none reaches every target), "held" (`labels.holdings` of
    the second); "next": `labels.next_labels` after `policy`, of a thousand labels and of one task's
    in full}.

    table: all amounts on one scale; amounts: labels by regime name, at most `full`. policy: one of
    the regime that decides. request: its costs are of one label. budgets: tasks labelled in full.
    """
    names = [*dict.fromkeys([*table.sources, *table.targets])]
    # the largest amount may be all that there is, and `Labels` refuses amounts above the full one
    labels = Labels(
        max(full, *amounts.values()),
        amounts,
        price=dict(request.cost or {}),
        free=request.free,
    )
    # the amount that decides, as the run itself takes it
    largest = max(amounts, key=lambda name: amounts[name])
    alone = replace(request, regimes=frozenset({largest}))
    rows: list[Facts] = []
    for tasks in budgets:
        # what the run's own rule would buy, label for label: with more to spend, choosing amounts
        # would be held against a policy that leaves some unspent
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
    # what the run's policy has paid for is there
    owned = with_bought(policy, labels, names)
    asked = sorted({THOUSAND, labels.full})
    return {
        "full": labels.full,
        "amounts": dict(amounts),
        "budgets": rows,
        # without single steps: a report shows what is bought
        "next": [next_labels(table, request, owned, more, alone=False) for more in asked],
    }


def paid(policy: Taxonomy) -> Facts:
    return {**scores(policy), "spent": policy.spent}
