"""Solves a request on an affinity table: the proven best taxonomy, the taxonomies of several
budgets and orders, and the next best policies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from models.tasks.arrays import Floats
from models.taxonomy.affinities import Affinities
from models.taxonomy.program.infeasibility import Infeasible, explain_infeasible
from models.taxonomy.program.policies import Policies
from models.taxonomy.program.program import Program, Rows, budgets_of, extended, into, make_program
from models.taxonomy.program.request import Request
from models.taxonomy.program.solver import Answer, solve_glpk
from models.taxonomy.program.taxonomy import Certificate, Taxonomy, read_policy

SAME = 1e-9  # objectives closer than this tie
PROVEN = 1e-6  # difference of objectives that is more than solvers tolerate


def solve(
    table: Affinities, budget: float, order: int = 2, *, variant: str = "web", **request: Any
) -> Taxonomy:
    """Returns the taxonomy with the largest total reward within `budget`. Further keywords are
    fields of `Request`.

    Raises Infeasible with the reason, KeyError for unknown names, ValueError for contradictory
    requests, TimeoutError if the time limit passed before any policy was found.
    """
    return answer(table, Request(budget, order, variant, **request))


def answer(table: Affinities, request: Request) -> Taxonomy:
    """Returns the taxonomy of a request. Raises as `solve` does."""
    policy = attempt(table, request)
    if policy is None:
        raise Infeasible(explain_infeasible(table, request))
    return policy


def attempt(table: Affinities, request: Request) -> Taxonomy | None:
    """Returns the taxonomy of a request, or None if no policy meets it. Unlike `answer` it does not
    find out why, which takes several more programs.

    Raises TimeoutError if the time limit passed before any policy was found.
    """
    program = make_program(table, request)
    solution = solve_glpk(program, request.time_limit)
    if solution.status == "infeasible":
        return None
    if solution.x is None:
        raise TimeoutError(
            f"no policy was found in {request.time_limit:g} s (no policy is better than "
            f"{solution.bound:g}): raise the time limit or the budget"
        )
    return taxonomy_of(table, request, program, solution)


def taxonomy_of(
    table: Affinities, request: Request, program: Program, solution: Answer
) -> Taxonomy:
    """Returns a solver's vector as a taxonomy. Supervised nodes that no edge uses and that reach no
    target are kept only if they are forced. Raises ValueError for an answer without a policy.
    """
    # there is a vector only if the solver found a policy
    if solution.x is None:
        raise ValueError(f"an answer that is {solution.status} holds no policy")
    count = len(program.nodes)
    # edges need not be integer variables (`program`): a solver's 1 is 1 to its tolerance
    edges = [edge for edge, x in zip(program.edges, solution.x[count:]) if x > 0.5]
    sources = {source for edge in edges for source in edge.sources}
    of_use = sources | program.own | request.forced
    # a supervised task may serve a target, be a target itself, or be forced
    nodes = frozenset(
        name for name, x in zip(program.nodes, solution.x) if x > 0.5 and name in of_use
    )
    certificate = Certificate(solution.status, solution.objective, solution.bound)
    return read_policy(table, request, nodes, edges, certificate)


def solve_all(
    table: Affinities,
    budgets: Iterable[float],
    orders: Iterable[int],
    *,
    variant: str = "web",
    **request: Any,
) -> list[Taxonomy]:
    """Returns one taxonomy for each feasible (order, budget); infeasible ones are left out. Raises
    Infeasible if all are.
    """
    budgets = list(budgets)
    requests = [
        Request(budget, order, variant, **request) for order in orders for budget in budgets
    ]
    # `attempt`, because explaining each infeasible budget would take several more programs
    policies = [policy for one in requests if (policy := attempt(table, one)) is not None]
    if requests and not policies:
        raise Infeasible(
            "no budget that was asked for reaches every target; at the last one: "
            + explain_infeasible(table, requests[-1])
        )
    return policies


def best_policies(table: Affinities, request: Request, count: int) -> Iterator[Taxonomy]:
    """Yields the `count` best policies, best first, or all if there are fewer. No two supervise the
    same tasks, each is the best that its tasks allow, and each is proven best among those that
    remain.

    In this program every supervised task must be of use (an edge uses it, or it is a target),
    because otherwise a policy padded with idle sources would count as another one. A task that is
    of use only because a target takes a worse edge than it could is idle, too; such policies are
    left out.
    """
    whole = make_program(table, request)
    # if edges of one target differ in cost, the budget may allow only a worse one
    costly = bool(whole.integer[len(whole.nodes) :].any())
    program = useful(whole)
    number = 0
    while number < count:
        solution = solve_glpk(program, request.time_limit)
        if solution.x is None:
            return
        rows, limits = better_edges(whole, request, solution.x)
        if rows.count:
            program = extended(program, rows, limits)
            continue
        if not (costly and improved(whole, solution, request.time_limit)):
            yield taxonomy_of(table, request, program, solution)
            number += 1
        # a no-good cut: the nodes of this policy are forbidden as a whole, nothing else
        program = without(program, solution.x)


def better_edges(program: Program, request: Request, x: Floats) -> tuple[Rows, Floats]:
    """Returns (rows, limits [rows]): constraints that x [nodes + edges] breaks, and that every
    policy keeps that is the best for its tasks. There is one for each target that could take a
    better edge at no higher cost. It says: while all sources of the best such edge are supervised,
    no edge is taken that is worse and costs at least as much.
    """
    count = len(program.nodes)
    reward = program.reward[count:]
    costs = np.array([[cost(edge) for edge in program.edges] for _, cost, _ in budgets_of(request)])
    open_edges = Policies(program).open_edges(np.round(x[:count]))
    rivals_of = into(program.edges, program.targets)
    rows = Rows(len(x))
    limits = []
    for j in np.flatnonzero(x[count:] > 0.5).tolist():
        rivals = np.array(rivals_of[program.edges[j].target])
        better = open_edges[rivals] & (reward[rivals] > reward[j] + SAME)
        better &= (costs[:, rivals] <= costs[:, [j]]).all(0)
        if not better.any():
            continue
        best = rivals[better][np.argmax(reward[rivals[better]])]
        beaten = (reward[rivals] < reward[best] - SAME) & (
            costs[:, rivals] >= costs[:, [best]]
        ).all(0)
        sources = [i for i, name in enumerate(program.nodes) if name in program.edges[best].sources]
        rows.add([(count + int(k), 1.0) for k in rivals[beaten]] + [(i, 1.0) for i in sources])
        limits.append(float(len(sources)))
    return rows, np.array(limits)


def improved(program: Program, solution: Answer, seconds: float) -> bool:
    """Returns whether a policy's own supervised tasks allow a better policy if some of them may be
    idle.
    """
    count = len(program.nodes)
    if solution.x is None:
        return False
    # these tasks exactly, without the rows of `useful` and without earlier cuts
    tasks = np.round(solution.x[:count])
    low = np.concatenate([tasks, program.low[count:]])
    high = np.concatenate([tasks, program.high[count:]])
    own = solve_glpk(replace(program, low=low, high=high), seconds)
    return own.objective > solution.objective + PROVEN


def useful(program: Program) -> Program:
    """Returns the program with one more row for every task that does not reach a target by its own
    supervision: x_s <= sum of the edges that use s. Forced tasks get no row.
    """
    count = len(program.nodes)
    a = Rows(len(program.reward))
    for i, name in enumerate(program.nodes):
        if name not in program.own and program.low[i] == 0:
            # an edge that uses the task makes it of use, whichever target it goes into
            using = [j for j, edge in enumerate(program.edges, count) if name in edge.sources]
            a.add([(i, 1.0), *((j, -1.0) for j in using)])
    # edges come out whole by themselves only while each target chooses alone; these rows couple
    # targets, and pieces of edges could meet them
    whole = np.ones(len(program.reward), bool)
    return replace(extended(program, a, np.zeros(a.count)), integer=whole)


def without(program: Program, x: Floats) -> Program:
    """Returns the program with one more row, so that at least one task differs from x [nodes +
    edges] in being supervised: the sum of (1 - x_s) over x's supervised tasks plus the sum of x_s
    over the others is >= 1.
    """
    count = len(program.nodes)
    # rounded, because a solver's 1 may be 0.999999
    supervised = np.round(x[:count]) > 0.5
    a = Rows(len(program.reward))
    a.add([(i, 1.0 if supervised[i] else -1.0) for i in range(count)])
    # sum of (1 - x) over chosen plus x over others is at least 1, brought to the form <=
    return extended(program, a, np.array([supervised.sum() - 1.0]))


def ties(table: Affinities, request: Request, *, most: int = 10) -> list[Taxonomy]:
    """Returns all policies (at most `most`) whose objective is the optimum. If there are several,
    chance decides which of them is printed.
    """
    policies: list[Taxonomy] = []
    for policy in best_policies(table, request, most):
        # policies come best first, so the first one below the optimum ends the list
        if policies and policy.objective < policies[0].objective - SAME:
            break
        policies.append(policy)
    return policies
