"""Explains a taxonomy: for every edge the second best way, for every source what it is worth, and
for the whole the next best policies.
"""

from __future__ import annotations

from dataclasses import replace

from models.taxonomy.affinities import Affinities, Row
from models.taxonomy.facts import Facts
from models.taxonomy.program.answers import SAME, answer, attempt, best_policies
from models.taxonomy.program.offers import on_offer
from models.taxonomy.program.request import Request
from models.taxonomy.program.taxonomy import Edge, Taxonomy

MOST_TIES = 10  # ties counted at most


def runner_up(table: Affinities, request: Request, policy: Taxonomy, edge: Edge) -> Row | None:
    """Returns the second best way into the edge's target that the supervised sources and the
    request allow, or None if there is none.
    """
    supervised = set(policy.supervised)
    rest = [
        row
        for row in on_offer(table, request)
        if row.transfer.target == edge.transfer.target
        and row.transfer != edge.transfer
        and supervised.issuperset(row.transfer.sources)
    ]
    # by affinity, as the program weighs ways into one target
    return max(rest, key=lambda row: row.affinity, default=None)


def explanation(
    table: Affinities, request: Request, *, following: int = 3
) -> tuple[Taxonomy, Facts]:
    """Returns (the taxonomy, facts that explain it). The facts are {"edges": rows of target,
    sources, control, affinity, next, next_means, next_affinity; "sources": rows of name, lost
    (objective lost without its labels, None if no policy is left), instead (sources that are then
    supervised in addition); "next": the `following` next best policies; "tie": in words, whether
    the optimum is unique}.
    """
    policy = answer(table, request)
    rest: list[Taxonomy] = []
    # the policy itself is among the best and is skipped
    for other in best_policies(table, request, max(following, MOST_TIES) + 1):
        if other.supervised != policy.supervised:
            rest.append(other)
        # go on past `following` only to count ties
        if len(rest) >= following and not is_tie(policy, other):
            break
    return policy, {
        "edges": [edge_facts(table, request, policy, edge) for edge in policy.edges],
        "sources": [worth(table, request, policy, name) for name in policy.supervised],
        "next": [
            {
                "objective": other.objective,
                "supervised": list(other.supervised),
                "quality": other.quality,
            }
            for other in rest[:following]
        ],
        "tie": tie_in_words(policy, rest),
    }


def edge_facts(table: Affinities, request: Request, policy: Taxonomy, edge: Edge) -> Facts:
    second = runner_up(table, request, policy, edge)
    return {
        "target": edge.transfer.target,
        "sources": list(edge.transfer.sources),
        "control": edge.transfer.control,
        "affinity": edge.affinity,
        "next": list(second.transfer.sources) if second else None,
        "next_means": second.transfer.means if second else None,
        "next_affinity": second.affinity if second else None,
    }


def tie_in_words(policy: Taxonomy, rest: list[Taxonomy]) -> str:
    """Returns in words how many other policies are exactly as good. rest: the next best policies,
    `MOST_TIES` of them or down to one that is worse.
    """
    ties = sum(is_tie(policy, other) for other in rest)
    if not ties:
        return "no other set of sources is as good: the optimum is unique"
    number = f"at least {ties}" if ties >= MOST_TIES else str(ties)
    words = "policy is" if ties == 1 else "policies are"
    return f"{number} other {words} exactly as good: which one is printed is chance"


def is_tie(policy: Taxonomy, other: Taxonomy) -> bool:
    return other.objective >= policy.objective - SAME


def worth(table: Affinities, request: Request, policy: Taxonomy, name: str) -> Facts:
    """Returns what is lost if the labels of one supervised task cannot be had: {"name", "lost",
    "instead"}.
    """
    # a forced task cannot be forbidden as well
    lacking = replace(request, forbidden=request.forbidden | {name}, forced=request.forced - {name})
    other = attempt(table, lacking)
    if other is None:
        return {"name": name, "lost": None, "instead": []}
    return {
        "name": name,
        "lost": policy.objective - other.objective,
        "instead": sorted(set(other.supervised) - set(policy.supervised)),
    }
