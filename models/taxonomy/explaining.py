"""Why this taxonomy? For every edge the runner-up, for every source what it is worth, for the whole
the next best.
"""

from __future__ import annotations

from dataclasses import replace

from models.taxonomy.affinities import Affinities, Row
from models.taxonomy.infeasibility import Infeasible
from models.taxonomy.request import Request
from models.taxonomy.solving import SAME, answer, best_policies
from models.taxonomy.taxonomy import Edge, Taxonomy


def runner_up(table: Affinities, request: Request, found: Taxonomy, edge: Edge) -> Row | None:
    """the next best transfer into the edge's target that the supervised sources, the order and the
    regimes allow; None if there is none.
    """
    web = request.variant == "web"
    rest = [
        row
        for row in table.rows
        if row.transfer.target == edge.transfer.target
        and row.transfer != edge.transfer
        and row.transfer.control is None
        and row.transfer.order <= found.order
        and set(row.transfer.sources) <= set(found.supervised)
        and not (web and edge.transfer.target in row.transfer.sources)
        and (not request.regimes or row.transfer.regime in request.regimes)
    ]
    return max(rest, key=lambda row: row.affinity, default=None)


def explanation(
    table: Affinities, request: Request, *, following: int = 3
) -> tuple[Taxonomy, dict]:
    """(the taxonomy, {"edges": rows of target, sources, affinity, next, next_affinity; "sources":
    rows of name, lost (objective lost without its labels, None if no policy is left), instead
    (sources that then come in); "next": the `following` next best policies; "tie": whether the
    optimum is unique, in words}).
    """
    found = answer(table, request)
    edges = []
    for edge in found.edges:
        second = runner_up(table, request, found, edge)
        edges.append(
            {
                "target": edge.transfer.target,
                "sources": list(edge.transfer.sources),
                "affinity": edge.affinity,
                "next": list(second.transfer.sources) if second else None,
                "next_affinity": second.affinity if second else None,
            }
        )
    others = list(best_policies(table, request, following + 1))
    rest = [policy for policy in others if policy.supervised != found.supervised][:following]
    ties = [policy for policy in rest if policy.objective >= found.objective - SAME]
    tie = (
        f"{len(ties)} other policies are exactly as good: which one is printed is chance"
        if ties
        else "no other set of sources is as good: the optimum is unique"
    )
    following_rows = [
        {
            "objective": policy.objective,
            "supervised": list(policy.supervised),
            "quality": policy.quality,
        }
        for policy in rest
    ]
    return found, {
        "edges": edges,
        "sources": [worth(table, request, found, name) for name in found.supervised],
        "next": following_rows,
        "tie": tie,
    }


def worth(table: Affinities, request: Request, found: Taxonomy, name: str) -> dict:
    """what is lost if the labels of one supervised task cannot be had."""
    try:
        other = answer(
            table,
            replace(request, forbidden=request.forbidden | {name}, forced=request.forced - {name}),
        )
    except Infeasible:
        return {"name": name, "lost": None, "instead": []}
    return {
        "name": name,
        "lost": found.objective - other.objective,
        "instead": sorted(set(other.supervised) - set(found.supervised)),
    }
