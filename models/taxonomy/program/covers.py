"""Keeps budgets exactly. Solvers take 0.99999 for 1, so they can overspend a budget by costs that
are small beside it; and their presolving, which treats such costs as noise, may lose answers that
keep the budget. So solvers are given coarse costs, which forbid nothing that the budget allows, and
an answer that overspends is cut off by a cover: a set of things that cost too much together, of
which at least one must go.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from models.tasks.arrays import Floats
from models.taxonomy.program.program import SLACK, Program, Rows, extended

FINE = 1e-4  # of a budget: with smaller costs beside it a solver is shown coarse ones
STEPS = 10  # binary digits of a coarse cost, of the budget


def coarse(program: Program) -> Program:
    """Returns the program with costs rounded down in every budget that has very small ones, each by
    less than 2 ** -STEPS of the budget. Every policy within the budgets is also one of the returned
    program.
    """
    a, b = program.a.copy(), program.b.copy()
    for i in range(len(b)):
        costs = a.data[a.indptr[i] : a.indptr[i + 1]]
        # rows with negative entries are no budgets
        if not len(costs) or costs.min() < 0 or costs.min() >= FINE * b[i]:
            continue
        step = 2.0 ** (math.floor(math.log2(b[i])) - STEPS)
        a.data[a.indptr[i] : a.indptr[i + 1]] = np.floor(costs / step) * step
        b[i] = np.floor(b[i] * (1 + SLACK) / step) * step
    a.eliminate_zeros()
    return replace(program, a=a, b=b)


def without_overspending(program: Program, x: Floats) -> Program | None:
    """Returns the program with one more row for every budget that x (0/1) [nodes + edges]
    overspends; x breaks the row and no policy within the budgets does. Returns None if x overspends
    no budget.
    """
    limits = program.b + SLACK * np.maximum(1.0, np.abs(program.b))
    broken = np.flatnonzero(program.a @ x > limits)
    # a cover needs a budget, which has no negative entries
    budgets = [i for i in broken.tolist() if program.a[i].data.min() >= 0]
    if not budgets:
        return None
    rows = Rows(len(x))
    most = []
    for i in budgets:
        costs = program.a[i].toarray().ravel()
        cover = dearest_cover(costs, x, float(limits[i]))
        rows.add([(j, 1.0) for j in bought_instead(program, costs, cover)])
        most.append(len(cover) - 1.0)
    return extended(program, rows, np.array(most))


def dearest_cover(costs: Floats, x: Floats, limit: float) -> list[int]:
    """Returns what x buys, of things that cost `costs` [nodes + edges], dearest first, until it
    costs more than `limit`. Without any one of them the others fit, because the last one is the
    cheapest.
    """
    bought = np.flatnonzero((x > 0.5) & (costs > 0))
    ranked = bought[np.argsort(-costs[bought], kind="stable")]
    total = np.cumsum(costs[ranked])
    return [int(j) for j in ranked[: int(np.argmax(total > limit)) + 1]]


def bought_instead(program: Program, costs: Floats, cover: list[int]) -> list[int]:
    """Returns variables, which cost `costs` [nodes + edges], of which a policy within the budget
    can buy at most len(cover) - 1, because each costs at least as much as the member of the cover
    that it stands for. A node stands for itself, and the edges into a target (of which one is
    taken) stand for the target. Besides the cover they include everything that costs as much as its
    dearest member.
    """
    count = len(program.nodes)
    dearest = float(costs[cover].max())
    least = {edge.target: dearest for edge in program.edges}
    least |= {program.edges[j - count].target: float(costs[j]) for j in cover if j >= count}
    nodes = [i for i in range(count) if costs[i] >= dearest or i in cover]
    edges = [j for j, edge in enumerate(program.edges, count) if costs[j] >= least[edge.target]]
    return nodes + edges
