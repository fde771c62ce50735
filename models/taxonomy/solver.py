"""The only file that knows cvxopt: GLPK's branch and bound on a `Program`, with a certificate; scipy's HiGHS as the independent second opinion."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from models.taxonomy.program import Program


@dataclass(frozen=True)
class Answer:
    """status: "optimal" (proven), "feasible" (time ran out; `bound` says how much better it could be), "infeasible". x: 0/1 values or None.

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
    """maximise by GLPK through cvxopt. An answer is called optimal only if GLPK proved it."""
    import cvxopt
    from cvxopt import glpk

    since, width = time.time(), len(program.reward)
    identity = cvxopt.spdiag(cvxopt.matrix(1.0, (width, 1)))
    g = cvxopt.sparse([sparse(program.a), identity, -identity])
    h = cvxopt.matrix(np.concatenate([program.b, program.high, -program.low]))
    options = {"msg_lev": "GLP_MSG_OFF", "tm_lim": int(time_limit * 1000), "presolve": "GLP_ON"}
    status, x = glpk.ilp(cvxopt.matrix(-program.reward), g, h, sparse(program.c), cvxopt.matrix(program.d), I=set(range(len(program.nodes))), options=options)
    seconds = time.time() - since
    if status == "optimal":
        x = np.array(x).ravel()
        objective = float(program.reward @ x)
        return Answer("optimal", np.round(x, 6), objective, objective, seconds)
    if status in ("feasible", "undefined") or "time" in str(status):
        return timed_out(program, x, seconds)
    return Answer("infeasible", None, -np.inf, -np.inf, seconds)


def timed_out(program: Program, x, seconds: float) -> Answer:
    """the best policy that is known, with the relaxation as bound; never called optimal."""
    relaxed = relaxation(program)
    x = None if x is None else np.round(np.array(x).ravel(), 6)
    return Answer("feasible" if x is not None else "unknown", x, -np.inf if x is None else float(program.reward @ x), relaxed, seconds)


def relaxation(program: Program) -> float:
    """optimum with fractional nodes: an upper bound."""
    from scipy.optimize import linprog

    found = linprog(-program.reward, A_ub=program.a, b_ub=program.b, A_eq=program.c, b_eq=program.d, bounds=np.stack([program.low, program.high], 1))
    return float(-found.fun) if found.status == 0 else np.inf


def solve_highs(program: Program, time_limit: float = 60.0) -> Answer:
    """the same program by scipy's HiGHS, for checks and comparisons."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    since, width = time.time(), len(program.reward)
    integer = np.zeros(width)
    integer[: len(program.nodes)] = 1
    found = milp(
        -program.reward,
        integrality=integer,
        bounds=Bounds(program.low, program.high),
        options={"time_limit": time_limit, "mip_rel_gap": 0},
        constraints=[LinearConstraint(program.a, -np.inf, program.b), LinearConstraint(program.c, program.d, program.d)],
    )
    seconds = time.time() - since
    if found.x is None:
        return Answer("infeasible" if found.status == 2 else "unknown", None, -np.inf, np.inf, seconds)
    bound = -found.mip_dual_bound if found.mip_dual_bound is not None else -found.fun
    return Answer("optimal" if found.status == 0 else "feasible", np.round(found.x, 6), float(-found.fun), float(bound), seconds)


def sparse(matrix):
    """scipy's sparse matrix as cvxopt's."""
    import cvxopt

    coo = matrix.tocoo()
    return cvxopt.spmatrix(coo.data.tolist(), coo.row.tolist(), coo.col.tolist(), coo.shape)
