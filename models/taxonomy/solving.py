"""From an affinity table and a request to a proven taxonomy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from models.taxonomy.affinities import Affinities
from models.taxonomy.program import Program, Request, make_program
from models.taxonomy.solver import Answer, solve_glpk
from models.taxonomy.taxonomy import Taxonomy, read_policy


class Infeasible(ValueError):
    """No policy satisfies the request; the message names what conflicts and the cheapest budget that would do."""


def solve(table: Affinities, budget: float, order: int = 2, *, variant: str = "web", **request) -> Taxonomy:
    """the taxonomy of the largest total reward within `budget`; further keywords are fields of `Request`.

    Raises Infeasible with the reason, KeyError for unknown names, ValueError for contradictory requests.
    """
    return answer(table, Request(budget, order, variant, **request))


def answer(table: Affinities, request: Request) -> Taxonomy:
    program = make_program(table, request)
    found = solve_glpk(program, request.time_limit)
    if found.x is None:
        raise Infeasible(explain_infeasible(table, request, program))
    return taxonomy_of(table, request, program, found)


def taxonomy_of(table: Affinities, request: Request, program: Program, found: Answer) -> Taxonomy:
    """a solver's vector as a taxonomy; supervised nodes that nothing uses and that reach no target are kept only if forced."""
    count = len(program.nodes)
    nodes = {name for name, x in zip(program.nodes, found.x) if x > 0.5}
    edges = []
    for target in program.targets:
        offered = [
            (x, program.reward[count + j], edge) for j, (edge, x) in enumerate(zip(program.edges, found.x[count:])) if edge.target == target and x > 1e-4
        ]
        if offered:
            edges.append(max(offered, key=lambda offer: (offer[0] > 0.5, offer[1]))[2])
    used = {source for edge in edges for source in edge.sources}
    nodes = frozenset(
        name
        for name in nodes
        if name in used
        or name in request.forced
        or (name in program.targets and table.supervised(name) is not None and all(edge.target != name for edge in edges))
    )
    return read_policy(table, request, nodes, edges, (found.status, found.objective, found.bound))


def solve_all(table: Affinities, budgets: Iterable[float], orders: Iterable[int], *, variant: str = "web", **request) -> list[Taxonomy]:
    """one taxonomy a feasible (order, budget); infeasible ones are left out."""
    made = []
    for order in orders:
        for budget in budgets:
            try:
                made.append(solve(table, budget, order, variant=variant, **request))
            except Infeasible:
                continue
    if not made:
        raise Infeasible("no budget that was asked for reaches every target; raise the budgets")
    return made


def explain_infeasible(table: Affinities, request: Request, program: Program) -> str:
    """which rule stands in the way, tried one after the other, and the cheapest budget that would do."""
    fixed = sum(request.cost_of(name) for name in request.forced)
    cheapest = min((request.cost_of(name) for name in program.nodes if name not in request.forbidden), default=np.inf)
    if fixed > request.budget:
        return f"the forced sources alone cost {fixed:g}, the budget is {request.budget:g}: raise the budget to {fixed:g} or force fewer"
    if cheapest > request.budget:
        return f"the cheapest source costs {cheapest:g}, the budget is {request.budget:g}: raise the budget to {cheapest:g}"
    high = replace(request, budget=float(sum(request.cost_of(name) for name in program.nodes) + sum((request.transfer_cost or {}).values()) + 1))
    if solve_glpk(make_program(table, high)).x is None:
        alone = sorted(target for target, row in zip(program.targets, program.c.toarray()) if not (row * program.high).any())
        if alone:
            return f"no allowed transfer reaches {', '.join(alone)} and it may not be supervised: allow another source, raise the order, or drop the target"
        return "the forced, forbidden and role rules contradict each other at every budget: relax one of " + ", ".join(
            sorted(request.forbidden | request.target_only | request.forced)
        )
    reward = np.zeros(len(program.reward))
    for i, name in enumerate(program.nodes):
        reward[i] = -request.cost_of(name)
    for j, edge in enumerate(program.edges):
        reward[len(program.nodes) + j] = -(request.transfer_cost or {}).get(edge.target, 0.0)
    least = solve_glpk(replace(make_program(table, high), reward=reward))
    return f"reaching every target costs at least {-least.objective:g}, the budget is {request.budget:g}: raise the budget to {-least.objective:g}"
