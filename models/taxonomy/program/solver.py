"""Solves a `Program` by GLPK's branch and bound with a certificate, and by scipy's HiGHS as an
independent second opinion. Only this module knows cvxopt.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from models.tasks.arrays import Bools, Floats
from models.taxonomy.program.covers import coarse, without_overspending
from models.taxonomy.program.policies import Policies
from models.taxonomy.program.program import Program
from models.taxonomy.program.propagation import contradictory

WHOLE = 1e-4  # a variable that is closer to 0 or 1 than this counts as 0 or 1
NEAR = 1024.0  # a largest reward within this factor of 1 is left as it is
LARGE = 4000  # edges from which fixing variables by reduced costs pays


@dataclass(frozen=True)
class Answer:
    """A solver's answer. status: "optimal" (proven), "feasible" (time ran out; `bound` says how
    much better it could be), "infeasible", "unknown" (time ran out before any policy was found). x:
    0/1 values or None. objective: reward.x. bound: no policy is better than this. gap = bound -
    objective.
    """

    status: str
    x: Floats | None
    objective: float
    bound: float
    seconds: float

    @property
    def gap(self) -> float:
        return self.bound - self.objective


@dataclass(frozen=True)
class Narrowed:
    """A program in which variables are fixed that no better policy can change. columns: [nodes +
    edges] bool, the variables of the whole program that `program` has. policy: a good one [nodes +
    edges] of the whole program, or None. bound: no policy is better.
    """

    program: Program
    columns: Bools
    policy: Floats | None
    bound: float

    def widened(self, part: Floats) -> Floats:
        """Returns values of the variables that are left as values of all [nodes + edges]; the
        others are 0.
        """
        x = np.zeros(len(self.columns))
        x[self.columns] = part
        return x


def solve_glpk(program: Program, time_limit: float = 60.0) -> Answer:
    """Returns the answer of GLPK, through cvxopt, within `time_limit` seconds. It is called optimal
    only if GLPK proved it.

    Large programs are relaxed first: a variable whose reduced cost shows that no policy with it can
    beat a known one is fixed, which loses nothing. Programs whose bounds alone show that their
    rules contradict each other never reach GLPK, whose presolving may not return from them.
    """
    since = time.monotonic()
    if contradictory(program):
        return Answer("infeasible", None, -np.inf, -np.inf, time.monotonic() - since)
    unit = unit_of_rewards(program)
    if unit != 1:
        answer = solve_glpk(replace(program, reward=program.reward * unit), time_limit)
        return replace(answer, objective=answer.objective / unit, bound=answer.bound / unit)
    narrowed = Narrowed(program, np.ones(len(program.reward), bool), None, np.inf)
    # for small programs a relaxation takes more time than it saves
    if len(program.edges) > LARGE:
        # finding a good policy takes little time; most of it is left for the proof
        narrowed = fixed(program, time_limit / 4)
    seconds_left = max(0.001, time_limit - (time.monotonic() - since))
    status, part = branch_and_bound(narrowed.program, seconds_left)
    seconds = time.monotonic() - since
    # fixing variables keeps the best policy, so no policy now means none at all
    if status == "infeasible":
        return Answer("infeasible", None, -np.inf, -np.inf, seconds)
    x = None if part is None else narrowed.widened(part)
    if status == "optimal" and x is not None:
        # computed here, because cvxopt's ilp returns no objective
        objective = float(program.reward @ x)
        return Answer("optimal", x, objective, objective, seconds)
    return unproven(program, narrowed, x, seconds)


def unit_of_rewards(program: Program) -> float:
    """Returns the factor that brings the largest reward near 1, because solvers tolerate errors of
    1e-7 beside 1. It is a power of two, so that no digit changes, and 1 if the reward is near
    enough.
    """
    largest = float(np.abs(program.reward).max(initial=0.0))
    if largest == 0 or 1 / NEAR <= largest <= NEAR:
        return 1.0
    return float(2.0 ** -np.floor(np.log2(largest)))


def unproven(program: Program, narrowed: Narrowed, x: Floats | None, seconds: float) -> Answer:
    """Returns the best policy known when the time ran out, and a bound on how much better another
    could be. x: a policy [nodes + edges], or None.
    """
    other = narrowed.policy if narrowed.policy is not None else Policies(program).greedy()
    policies = [policy for policy in (x, other) if policy is not None]
    # a narrowed program has its bound from the relaxation already
    bound = narrowed.bound if np.isfinite(narrowed.bound) else relaxation(program)[0]
    if not policies:
        return Answer("unknown", None, -np.inf, bound, seconds)
    best = max(policies, key=lambda policy: float(program.reward @ policy))
    return Answer("feasible", best, float(program.reward @ best), bound, seconds)


def branch_and_bound(program: Program, seconds: float) -> tuple[str, Floats | None]:
    """Returns ("optimal" | "infeasible" | "stopped", x [nodes + edges]) for the program with its
    budgets kept exactly. "stopped": the time is over, or GLPK gave no valid answer; x is then the
    best policy found or None.
    """
    since = time.monotonic()
    while True:
        seconds_left = seconds - (time.monotonic() - since)
        status, x = glpk_answer(coarse(program), max(0.001, seconds_left))
        keeps = x is not None and Policies(program).allowed(x)
        if status != "optimal" or x is None or keeps:
            # when GLPK stops early, its vector may break rules
            return status, x if keeps else None
        # GLPK's tolerance let it overspend: solve again with that answer cut off
        narrower = without_overspending(program, x) if seconds_left > 0 else None
        if narrower is None:
            return "stopped", None
        # GLPK may never return from rules that contradict each other
        if contradictory(narrower):
            return "infeasible", None
        program = narrower


def glpk_answer(program: Program, seconds: float) -> tuple[str, Floats | None]:
    """Returns ("optimal" | "infeasible" | "stopped", x [nodes + edges] 0/1 or None) as GLPK gives
    it: rules are kept only to its tolerance.
    """
    from cvxopt import glpk  # here, because the package must load without cvxopt

    width = len(program.reward)
    # milliseconds, at least one: 0 would be no limit
    options = {"msg_lev": "GLP_MSG_OFF", "tm_lim": max(1, int(seconds * 1000))}
    integer = set(np.flatnonzero(program.integer).tolist())
    status, solution = glpk.ilp(*standard_form(program), I=integer, options=options)
    x = None if solution is None else np.round(np.array(solution).ravel()[:width], 6)
    whole = None if x is None else settled(program, x)
    if "infeasible" in status:  # "infeasible problem", "LP relaxation is primal infeasible"
        return "infeasible", None
    return "optimal" if status == "optimal" else "stopped", whole


def standard_form(program: Program) -> tuple[Any, Any, Any, Any, Any]:
    """Returns cvxopt's (c, G, h, A, b): minimise c.x with G x <= h, A x = b.

    cvxopt always presolves, and GLPK aborts the process if presolving leaves no column; two idle
    variables with y + z <= 1 prevent that.
    """
    import cvxopt

    width = len(program.reward)
    idle = cvxopt.spmatrix(1.0, [0, 0], [width, width + 1], (1, width + 2))
    # cvxopt knows no bounds of variables: they are rows of G, the upper ones an identity and the
    # lower ones its negative
    identity = cvxopt.spdiag(cvxopt.matrix(1.0, (width + 2, 1)))
    g = cvxopt.sparse([with_idle(program.a), idle, identity, -identity])
    limits: list[Any] = [program.b, [1.0], program.high, [1.0, 1.0], -program.low, [0.0, 0.0]]
    # cvxopt minimises
    costs = cvxopt.matrix(-np.concatenate([program.reward, [1.0, 1.0]]))
    h = cvxopt.matrix(np.concatenate(limits))
    return costs, g, h, with_idle(program.c), cvxopt.matrix(program.d)


def with_idle(matrix: csr_matrix) -> Any:
    """Returns scipy's sparse matrix as cvxopt's, with two empty columns for the idle variables."""
    import cvxopt

    coo = matrix.tocoo()
    entries = (coo.data.tolist(), coo.row.tolist(), coo.col.tolist())
    return cvxopt.spmatrix(*entries, (coo.shape[0], coo.shape[1] + 2))


def settled(program: Program, x: Floats) -> Floats:
    """Returns x [nodes + edges] with whole edges. A solver may split several edges into a target
    that tie; the best of them alone is worth as much. Only edges of equal cost can be split (the
    others are integer variables, see `program`), so no budget changes. Edges that are whole already
    stay, whatever the others are worth.
    """
    whole: Floats = np.round(x)
    # all values are whole up to rounding
    if np.abs(x - whole).max() < WHOLE:
        return whole
    count = len(program.nodes)
    pieces: dict[str, list[int]] = {}
    for j in np.flatnonzero(np.abs(x - whole)[count:] >= WHOLE).tolist():
        pieces.setdefault(program.edges[j].target, []).append(j)
    for places in pieces.values():
        columns = count + np.array(places)
        whole[columns] = 0
        # the first of equal pieces
        whole[columns[np.argmax(program.reward[columns])]] = 1
    return whole


def relaxation(program: Program) -> tuple[float, Floats | None, Floats | None]:
    """Returns (optimum with fractional variables, which is an upper bound; x [nodes + edges];
    reduced costs [nodes + edges]). Without a solution these are infinity, None and None.
    """
    from scipy.optimize import linprog  # here, because its import takes longer than a small program

    program = coarse(program)
    relaxed = linprog(
        -program.reward,
        A_ub=program.a,
        # all inequalities, because the relaxation must bound this program
        b_ub=program.b,
        A_eq=program.c,
        b_eq=program.d,
        bounds=np.stack([program.low, program.high], 1),
        method="highs",
    )
    if relaxed.status != 0:
        return np.inf, None, None
    # a bound that does not hold a variable has a marginal of 0: the sum is the reduced cost
    reduced = np.asarray(relaxed.lower.marginals + relaxed.upper.marginals)
    return float(-relaxed.fun), relaxed.x, reduced


def fixed(program: Program, seconds: float) -> Narrowed:
    """Returns the program without the variables in which no better policy can differ from a good
    one.

    The good policy is the optimum among the tasks that the relaxation supervises at all, even in
    part. It is nearly always the optimum itself.
    """
    bound, x, reduced = relaxation(program)
    count = len(program.nodes)
    whole = Narrowed(program, np.ones(len(program.reward), bool), None, bound)
    if x is None or reduced is None:
        return whole
    # tasks that the relaxation supervises at all; the others only where they are forced
    supervised = np.where(x[:count] > 1e-6, program.high[:count], program.low[:count])
    narrow, columns = closed(program, supervised)
    part = branch_and_bound(narrow, seconds)[1]
    if part is None:
        return whole
    policy = Narrowed(narrow, columns, None, bound).widened(part)
    # 1e-7: what HiGHS itself tolerates
    slack = bound - float(program.reward @ policy) + 1e-7
    # a variable that is dearer than the slack stays at the bound where the relaxation has it
    low = np.where(reduced < -slack, program.high, program.low)
    high = np.where(reduced > slack, program.low, program.high)
    # edges whose sources are fixed at 0 are removed as well
    narrow, columns = closed(replace(program, low=low, high=high), high[:count])
    return Narrowed(narrow, columns, policy, bound)


def closed(program: Program, high: Floats) -> tuple[Program, Bools]:
    """Returns (the program with upper bounds `high` [nodes] and without the edges that are then
    impossible, mask of the variables kept).
    """
    count = len(program.nodes)
    open_edges = Policies(program).open_edges(high > 0)
    # nodes stay even if they are fixed, because rows refer to their positions
    keep = np.concatenate([np.ones(count, bool), open_edges])
    narrow = replace(
        program,
        edges=tuple(edge for edge, stays in zip(program.edges, open_edges) if stays),
        a=program.a[:, keep],
        c=program.c[:, keep],
        reward=program.reward[keep],
        integer=program.integer[keep],
        low=program.low[keep],
        high=np.concatenate([high, program.high[count:]])[keep],
    )
    return narrow, keep


def solve_highs(program: Program, time_limit: float = 60.0, *, presolve: bool = True) -> Answer:
    """Returns the answer of scipy's HiGHS to the same program, for checks and comparisons.

    HiGHS in scipy 1.12 can presolve an infeasible program into an "optimal" answer that breaks a
    constraint (seen here); such an answer is discarded and the program solved again without
    presolving.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    since = time.monotonic()
    solution = milp(
        -program.reward,
        integrality=program.integer.astype(int),
        bounds=Bounds(program.low, program.high),
        # by default HiGHS calls an answer optimal that is within 1e-4 of it
        options={"time_limit": time_limit, "mip_rel_gap": 0, "presolve": presolve},
        constraints=[
            LinearConstraint(program.a, -np.inf, program.b),
            LinearConstraint(program.c, program.d, program.d),
        ],
    )
    seconds = time.monotonic() - since
    if solution.x is None:
        status = "infeasible" if solution.status == 2 else "unknown"
        return Answer(status, None, -np.inf, np.inf, seconds)
    # presolving produced an answer that breaks a rule
    if presolve and (program.a @ solution.x - program.b).max() > 1e-5:
        return solve_highs(program, time_limit, presolve=False)
    bound = solution.fun if solution.mip_dual_bound is None else solution.mip_dual_bound
    status = "optimal" if solution.status == 0 else "feasible"
    x = np.round(solution.x, 6)
    return Answer(status, x, float(-solution.fun), float(-bound), seconds)
