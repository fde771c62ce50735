"""From an affinity table and a request to a proven taxonomy, to all budgets and orders, and to the
next best policies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from models.taxonomy.affinities import Affinities
from models.taxonomy.infeasibility import Infeasible, explain_infeasible
from models.taxonomy.program import Program, Rows, make_program
from models.taxonomy.request import Request
from models.taxonomy.solver import Answer, solve_glpk
from models.taxonomy.taxonomy import Taxonomy, read_policy

SAME = 1e-9  # objectives closer than this tie


def solve(
    table: Affinities, budget: float, order: int = 2, *, variant: str = "web", **request
) -> Taxonomy:
    """the taxonomy of the largest total reward within `budget`; further keywords are fields of
    `Request`.

    Raises Infeasible with the reason, KeyError for unknown names, ValueError for contradictory
    requests, TimeoutError if the time limit passed before any policy was found.
    """
    return answer(table, Request(budget, order, variant, **request))


def answer(table: Affinities, request: Request) -> Taxonomy:
    program = make_program(table, request)
    found = solve_glpk(program, request.time_limit)
    if found.status == "infeasible":
        raise Infeasible(explain_infeasible(table, request))
    if found.x is None:
        raise TimeoutError(
            f"no policy was found in {request.time_limit:g} s (no policy is better than "
            f"{found.bound:g}): raise the time limit or the budget"
        )
    return taxonomy_of(table, request, program, found)


def taxonomy_of(table: Affinities, request: Request, program: Program, found: Answer) -> Taxonomy:
    """a solver's vector as a taxonomy; supervised nodes that nothing uses and that reach no target
    are kept only if forced.
    """
    count = len(program.nodes)
    edges = [edge for edge, x in zip(program.edges, found.x[count:]) if x > 0.5]
    used = {source for edge in edges for source in edge.sources} | program.own | request.forced
    nodes = frozenset(name for name, x in zip(program.nodes, found.x) if x > 0.5 and name in used)
    return read_policy(table, request, nodes, edges, (found.status, found.objective, found.bound))


def solve_all(
    table: Affinities,
    budgets: Iterable[float],
    orders: Iterable[int],
    *,
    variant: str = "web",
    **request,
) -> list[Taxonomy]:
    """one taxonomy a feasible (order, budget); infeasible ones are left out."""
    budgets, made, reason = list(budgets), [], None
    for order in orders:
        for budget in budgets:
            try:
                made.append(solve(table, budget, order, variant=variant, **request))
            except Infeasible as error:
                reason = error
    if not made:
        raise Infeasible(
            f"no budget that was asked for reaches every target; at the last one: {reason}"
        )
    return made


def best_policies(table: Affinities, request: Request, count: int) -> Iterator[Taxonomy]:
    """the `count` best policies, best first, no two with the same supervised tasks; fewer if there
    are no more. Each is proven best among the rest.

    In this program a supervised task must be of use (an edge, or itself as a target), or padding a
    policy with idle sources would count as another.
    """
    program = useful(make_program(table, request))
    for _ in range(count):
        found = solve_glpk(program, request.time_limit)
        if found.x is None:
            return
        yield taxonomy_of(table, request, program, found)
        program = without(program, found.x)


def useful(program: Program) -> Program:
    """the program with a row for every task that is not reached by its own supervision: x_s <= sum
    of the edges that use s. Forced ones excepted.
    """
    a, count = Rows(len(program.reward)), len(program.nodes)
    for i, name in enumerate(program.nodes):
        if name not in program.own and program.low[i] == 0:
            a.add(
                [
                    (i, 1.0),
                    *(
                        (count + j, -1.0)
                        for j, edge in enumerate(program.edges)
                        if name in edge.sources
                    ),
                ]
            )
    return replace(
        extended(program, a, np.zeros(a.count)), integer=np.ones(len(program.reward), bool)
    )


def without(program: Program, x: np.ndarray) -> Program:
    """the program in which at least one task differs from x in being supervised: sum of (1 - x_s)
    over its tasks and of x_s over the others >= 1.
    """
    a, count = Rows(len(program.reward)), len(program.nodes)
    there = np.round(x[:count]) > 0.5
    a.add([(i, 1.0 if there[i] else -1.0) for i in range(count)])
    return extended(program, a, np.array([there.sum() - 1.0]))


def extended(program: Program, rows: Rows, limits: np.ndarray) -> Program:
    from scipy.sparse import vstack

    return (
        replace(
            program, a=vstack([program.a, rows.matrix()]).tocsr(), b=np.append(program.b, limits)
        )
        if rows.count
        else program
    )


def ties(table: Affinities, request: Request, *, most: int = 10) -> list[Taxonomy]:
    """all policies (at most `most`) whose objective is the optimum: which of them is printed is
    chance.
    """
    found: list[Taxonomy] = []
    for policy in best_policies(table, request, most):
        if found and policy.objective < found[0].objective - SAME:
            break
        found.append(policy)
    return found
