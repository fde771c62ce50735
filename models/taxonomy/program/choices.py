"""Checks a choice of tasks and transfers against the rules of its request. Uses no matrix, so that
it also finds errors of the solver and of the matrices.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from models.taxonomy.affinities import Affinities
from models.taxonomy.program.digits import cost_text
from models.taxonomy.program.program import SLACK, affordable
from models.taxonomy.program.request import Request
from models.taxonomy.transfer import Transfer


def check_choice(
    table: Affinities, request: Request, nodes: Collection[str], edges: Sequence[Transfer]
) -> None:
    """Raises ValueError unless supervising `nodes` and taking `edges` keeps every rule of the
    request except the budget, which `Taxonomy` checks itself.
    """
    reached = [edge.target for edge in edges]
    for edge in edges:
        if not request.offers(edge):
            raise ValueError(f"{edge} is chosen, and the request does not offer it")
        if edge.target in request.source_only:
            raise ValueError(f"{edge} is chosen, and {edge.target} is no target: it is source-only")
        if reached.count(edge.target) > 1:
            raise ValueError(f"{edge.target} is reached twice or more; once is a policy")
    for name in sorted(request.forced.difference(nodes)):
        raise ValueError(f"{name} is forced and not supervised")
    for name in sorted((request.forbidden | request.target_only).intersection(nodes)):
        raise ValueError(f"{name} may not be supervised and is")
    for target in table.targets:
        # the paper's program knows no supervision in place of an edge
        by_itself = request.variant == "web" and target in nodes and table.supervised(target)
        if target not in reached and target not in request.source_only and not by_itself:
            raise ValueError(f"{target} is not reached")
    check_second(request, nodes, edges)


def check_second(request: Request, nodes: Collection[str], edges: Sequence[Transfer]) -> None:
    """Raises ValueError if a choice costs more of the second budget than its limit."""
    second = request.second
    if second is None:
        return
    spent = math.fsum([*map(second.of_node, nodes), *map(second.of_edge, edges)])
    # with the same tolerance as the budget of labels in `Taxonomy`
    if not affordable(spent, second.limit * (1 + SLACK)):
        raise ValueError(
            f"the taxonomy costs {cost_text(spent, second.limit)} of {second.name}, at most "
            f"{cost_text(second.limit)}"
        )
