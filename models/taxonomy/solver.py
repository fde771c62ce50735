"""The only file that knows cvxopt: GLPK's branch and bound on a `Program`, with a certificate;
scipy's HiGHS as the independent second opinion.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from models.taxonomy.policies import Policies
from models.taxonomy.program import Program

LARGE = 4000  # edges from which fixing variables by reduced costs pays


@dataclass(frozen=True)
class Answer:
    """status: "optimal" (proven), "feasible" (time ran out; `bound` says how much better it could
    be), "infeasible", "unknown" (time ran out before any policy was found). x: 0/1 values or None.
    objective: reward.x; bound: no policy is better than this; gap = bound - objective.
    """

    status: str
    x: np.ndarray | None
    objective: float
    bound: float
    seconds: float

    @property
    def gap(self) -> float:
        return self.bound - self.objective


def solve_glpk(program: Program, time_limit: float = 60.0) -> Answer:
    """maximise by GLPK through cvxopt within `time_limit` seconds. An answer is called optimal only
    if GLPK proved it.

    Large programs are first relaxed: a variable whose reduced cost shows that no policy with it can
    beat a known one is fixed, which loses nothing.
    """
    since = time.monotonic()
    known, bound, part, kept = None, np.inf, program, np.ones(len(program.reward), bool)
    if len(program.edges) > LARGE:
        known, bound, part, kept = fixed(program, time_limit / 4)
    status, found = branch_and_bound(part, max(0.001, time_limit - (time.monotonic() - since)))
    seconds = time.monotonic() - since
    if status == "infeasible":
        return Answer("infeasible", None, -np.inf, -np.inf, seconds)
    x = None if found is None else widened(found, kept)
    if status == "optimal":
        objective = float(program.reward @ x)
        return Answer("optimal", x, objective, objective, seconds)
    policies = [
        policy
        for policy in (x, known if known is not None else Policies(program).greedy())
        if policy is not None
    ]
    bound = min(bound, relaxation(program)[0])
    if not policies:
        return Answer("unknown", None, -np.inf, bound, seconds)
    best = max(policies, key=lambda policy: program.reward @ policy)
    return Answer("feasible", best, float(program.reward @ best), bound, seconds)


def widened(part: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """values of the variables that were kept, as values of all; the others 0."""
    x = np.zeros(len(kept))
    x[kept] = part
    return x


def branch_and_bound(program: Program, seconds: float) -> tuple[str, np.ndarray | None]:
    """("optimal" | "infeasible" | "stopped", x). Stopped: the time is over, x is the best policy
    found or None.
    """
    import cvxopt
    from cvxopt import glpk

    # cvxopt always presolves, and GLPK aborts the process if presolving leaves no column; two idle
    # variables, y + z <= 1, are proof against that
    width = len(program.reward)
    idle = cvxopt.spmatrix(1.0, [0, 0], [width, width + 1], (1, width + 2))
    widen = lambda matrix: cvxopt.sparse(
        [[sparse(matrix)], [cvxopt.spmatrix([], [], [], (matrix.shape[0], 2))]]
    )
    identity = cvxopt.spdiag(cvxopt.matrix(1.0, (width + 2, 1)))
    g = cvxopt.sparse([widen(program.a), idle, identity, -identity])
    h = cvxopt.matrix(
        np.concatenate([program.b, [1.0], program.high, [1.0, 1.0], -program.low, [0.0, 0.0]])
    )
    options = {"msg_lev": "GLP_MSG_OFF", "tm_lim": max(1, int(seconds * 1000))}
    whole = set(np.flatnonzero(program.integer).tolist())
    gains = cvxopt.matrix(-np.concatenate([program.reward, [1.0, 1.0]]))
    status, x = glpk.ilp(
        gains, g, h, widen(program.c), cvxopt.matrix(program.d), I=whole, options=options
    )
    x = None if x is None else np.round(np.array(x).ravel()[:width], 6)
    if status == "optimal":
        return "optimal", settled(program, x)
    if "infeasible" in status:  # "infeasible problem", "LP relaxation is primal infeasible"
        return "infeasible", None
    return "stopped", None if x is None or not Policies(program).allowed(x) else settled(program, x)


def settled(program: Program, x: np.ndarray) -> np.ndarray:
    """x with whole edges: where several edges into a target tie, a solver may split them; the same
    nodes with one edge a target are worth as much.
    """
    if np.abs(x - np.round(x)).max() < 1e-4:
        return np.round(x)
    whole = Policies(program).best(np.round(x[: len(program.nodes)]) > 0.5)
    return x if whole is None else whole


def relaxation(program: Program) -> tuple[float, np.ndarray | None, np.ndarray | None]:
    """(optimum with fractional variables: an upper bound; x; reduced costs), both [nodes + edges],
    None where there is none.
    """
    from scipy.optimize import linprog

    bounds = np.stack([program.low, program.high], 1)
    found = linprog(
        -program.reward,
        A_ub=program.a,
        b_ub=program.b,
        A_eq=program.c,
        b_eq=program.d,
        bounds=bounds,
        method="highs",
    )
    if found.status != 0:
        return np.inf, None, None
    return float(-found.fun), found.x, np.asarray(found.lower.marginals + found.upper.marginals)


def fixed(program: Program, seconds: float) -> tuple[np.ndarray | None, float, Program, np.ndarray]:
    """(a good policy or None, upper bound, the program with variables fixed that no better policy
    can differ in, mask of the variables that it kept).

    The good policy is the optimum among the tasks that the relaxation supervises at all, which is
    nearly always the optimum itself.
    """
    bound, x, reduced = relaxation(program)
    count, everything = len(program.nodes), np.ones(len(program.reward), bool)
    if x is None:
        return None, bound, program, everything
    narrow, kept = closed(
        program, np.where(x[:count] > 1e-6, program.high[:count], program.low[:count])
    )
    part = branch_and_bound(narrow, seconds)[1]
    if part is None:
        return None, bound, program, everything
    known = widened(part, kept)
    slack = bound - float(program.reward @ known) + 1e-7
    low, high = (
        np.where(reduced < -slack, program.high, program.low),
        np.where(reduced > slack, program.low, program.high),
    )  # else dearer than the slack
    return known, bound, *closed(replace(program, low=low, high=high), high[:count])


def closed(program: Program, high: np.ndarray) -> tuple[Program, np.ndarray]:
    """(the program with upper bounds `high` [nodes] and without the edges that then cannot be, mask
    of the variables kept).
    """
    count = len(program.nodes)
    open_ = np.asarray(
        Policies(program).uses @ (high > 0).astype(float) == [edge.order for edge in program.edges]
    ).ravel()
    keep = np.concatenate([np.ones(count, bool), open_ & (program.high[count:] > 0)])
    edges = tuple(edge for edge, stays in zip(program.edges, keep[count:]) if stays)
    parts = {name: getattr(program, name)[keep] for name in ("reward", "low", "integer")}
    return replace(
        program,
        edges=edges,
        a=program.a[:, keep],
        c=program.c[:, keep],
        high=np.concatenate([high, program.high[count:]])[keep],
        **parts,
    ), keep


def solve_highs(program: Program, time_limit: float = 60.0, *, presolve: bool = True) -> Answer:
    """the same program by scipy's HiGHS, for checks and comparisons.

    scipy 1.12's HiGHS can presolve an infeasible program into an "optimal" answer that breaks a
    constraint (seen here); such an answer is not believed, and the program solved again without
    presolving.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    since = time.monotonic()
    found = milp(
        -program.reward,
        integrality=program.integer.astype(int),
        bounds=Bounds(program.low, program.high),
        options={"time_limit": time_limit, "mip_rel_gap": 0, "presolve": presolve},
        constraints=[
            LinearConstraint(program.a, -np.inf, program.b),
            LinearConstraint(program.c, program.d, program.d),
        ],
    )
    seconds = time.monotonic() - since
    if found.x is None:
        return Answer(
            "infeasible" if found.status == 2 else "unknown", None, -np.inf, np.inf, seconds
        )
    if presolve and (program.a @ found.x - program.b).max() > 1e-5:
        return solve_highs(program, time_limit, presolve=False)
    bound = -found.mip_dual_bound if found.mip_dual_bound is not None else -found.fun
    return Answer(
        "optimal" if found.status == 0 else "feasible",
        np.round(found.x, 6),
        float(-found.fun),
        float(bound),
        seconds,
    )


def sparse(matrix):
    """scipy's sparse matrix as cvxopt's."""
    import cvxopt

    coo = matrix.tocoo()
    return cvxopt.spmatrix(coo.data.tolist(), coo.row.tolist(), coo.col.tolist(), coo.shape)
