"""Command `solve`: prints one proven taxonomy, or the best few."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace

from models.arguments.numbers import count
from models.taxonomy.affinities import Affinities
from models.taxonomy.commands.inputs import request_of, table_of, unranked
from models.taxonomy.commands.label_amounts import (
    among,
    amount_lines,
    amounts_options,
    labels_of,
    purchase_lines,
    without_labels_words,
)
from models.taxonomy.commands.layout import folded
from models.taxonomy.commands.options import request_options
from models.taxonomy.commands.policy_text import edge_lines, header, policy_reasons
from models.taxonomy.commands.terms import foot
from models.taxonomy.facts import Facts
from models.taxonomy.program.answers import answer, best_policies
from models.taxonomy.program.explanations import runner_up
from models.taxonomy.program.labels import Labels, holdings, next_labels, priced, with_bought
from models.taxonomy.program.request import Request
from models.taxonomy.program.taxonomy import Edge, Taxonomy

SUMMARY = "one proven taxonomy"


def options(command: ArgumentParser) -> None:
    request_options(command)
    amounts_options(command)
    command.add_argument(
        "--explain", action="store_true", help="for every target why this edge, and the runner-up"
    )
    command.add_argument(
        "--best",
        type=count,
        default=1,
        metavar="K",
        help="the K best policies with different sources",
    )


def run(options: Namespace) -> int:
    table = table_of(options)
    request = request_of(options, table)
    priced_request, labels = request, None
    if options.amounts:
        labels = labels_of(options, request, table)
        priced_request = among(request, labels)
        request = priced(table, priced_request, labels, options.budget)
    else:
        without_labels_words(options)
    reasons = unranked(options, table)
    # `answer` first even if more are asked for, because it says why there is no policy, while
    # `best_policies` is just empty
    policies = [answer(table, request)]
    if options.best > 1:
        policies = list(best_policies(table, request, options.best))
    bought = (
        {} if labels is None else purchase(table, priced_request, labels, policies[0], options.next)
    )
    if options.json:
        entries = [{**policy.to_json(), "not_ranked": reasons} for policy in policies]
        entries[0].update(bought)
        print(json.dumps(entries[0] if options.best == 1 else entries))
        return 0
    policy = policies[0]
    notes = {}
    if options.explain:
        notes = {e.transfer.target: reason(table, request, policy, e) for e in policy.edges}
    print(header(policy, request))
    print(f"\n{edge_lines(policy, reasons, notes)}")
    if bought:
        print(f"\n{amount_lines(bought['labels'], request.variant)}\n")
        print("\n".join(purchase_lines(bought["next"])))
    for place, other in enumerate(policies[1:], 2):
        print(alternative(place, other, policy))
    marked = policy_reasons(reasons, policy)
    if marked:
        print(f"\n{marked}")
    print(f"\n{foot('objective', 'gain', 'quality')}")
    return 0


def purchase(
    table: Affinities, request: Request, labels: Labels, policy: Taxonomy, more: float
) -> Facts:
    """Returns {"labels": how many of every task the policy uses (`holdings`), "next": which labels
    to buy once these are bought (`next_labels`)}.
    """
    names = [*dict.fromkeys([*table.sources, *table.targets])]
    owned = with_bought(policy, labels, names)
    return {
        "labels": holdings(policy, labels, names),
        "next": next_labels(table, request, owned, more, alone=False),
    }


def reason(table: Affinities, request: Request, policy: Taxonomy, edge: Edge) -> str:
    """Returns in words the affinity of an edge and of the runner-up that the supervised sources
    allow.
    """
    second = runner_up(table, request, policy, edge)
    if second is None:
        return f"affinity {edge.affinity:.4f}; no other way"
    return f"affinity {edge.affinity:.4f}; next {second.transfer.means} {second.affinity:.4f}"


def alternative(place: int, other: Taxonomy, policy: Taxonomy) -> str:
    loss = other.objective - policy.objective
    supervised = ", ".join(other.supervised) or "nothing"
    text = f"{place:3d}. objective {other.objective:.6f} ({loss:+.6f}): {supervised}"
    return folded(text, "", "     ")
