"""The boolean integer program of a taxonomy (paper, section 3.4), in a form that solvers can
finish.

Maximise r.x subject to A x <= b, C x = d, low <= x <= high, x binary where `integer`. There is one
variable for each node (task that may be supervised), then one for each edge (transfer on offer).
Constraints: every target has exactly one of its edges or, if it may be supervised, itself; for
every target t and source s, the edges into t that use s sum to at most x_s; the budgets. Because a
target has one edge, the second constraint is the disaggregated x_e <= x_s, tighter and with fewer
rows. The paper's aggregated form |S| x_e <= sum x_s with all variables integer admits the same
policies, and GLPK does not finish it at order 4.

If a request offers training from scratch, a target's network trained from scratch on few labels is
an edge without a source: it needs no node, and costs the labels of its amount of data.

Only nodes need be integer, because given them each target takes its best allowed edge. That fails
if the edges of one target differ in cost (half a dear edge and half a cheap one could fit the
budget), so such edges are integer too.

Edges that no optimum needs are left out: an edge is dominated by another into the same target whose
sources are among its own, whose reward is at least as high and which costs no more. Edges that cost
more than a budget are left out as well, and a node that does has an upper bound of 0. Budgets below
1 or above `MOST_LIMIT` are scaled to near 1 by powers of two, because solvers tolerate errors that
are small beside 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_matrix, vstack

from models.tasks.arrays import Bools, Floats
from models.taxonomy.affinities import Affinities
from models.taxonomy.program.offers import LEAST, Offer, check_names, offered, undominated
from models.taxonomy.program.request import Request
from models.taxonomy.transfer import Transfer

# Relative tolerance of limits: floating-point sums of costs that meet a limit exactly may exceed it
# by rounding. Far below any cost beside the limit.
SLACK = 1e-12
MOST_LIMIT = 64.0  # budgets of tasks are counted as they are; those of labels are not
# Largest ratio of two targets' values. Solvers tell objectives apart to about 1e-7 of them, and
# beyond this ratio the answers for the smaller value would be lost.
MOST_VALUES = 1e4
Budget = tuple[Callable[[str], float], Callable[[Transfer], float], float]


@dataclass(frozen=True)
class Program:
    """A program in the form of the module's docstring. nodes: tasks that may be supervised. edges:
    transfers on offer. targets: tasks to be reached. own: targets that their own supervision
    reaches.

    reward, low, high: [nodes + edges] float64. integer: [nodes + edges] bool. a, b, c, d: A, b, C,
    d; matrices are sparse.
    """

    nodes: tuple[str, ...]
    edges: tuple[Transfer, ...]
    targets: tuple[str, ...]
    own: frozenset[str]
    reward: Floats
    a: csr_matrix
    b: Floats
    c: csr_matrix
    d: Floats
    low: Floats
    high: Floats
    integer: Bools

    def __post_init__(self) -> None:
        width = len(self.nodes) + len(self.edges)
        vectors = (self.reward, self.low, self.high, self.integer)
        matrices = (self.a, self.c)
        if any(vector.shape != (width,) for vector in vectors) or any(
            matrix.shape[1] != width for matrix in matrices
        ):
            raise ValueError(
                f"a program over {width} variables got matrices of {self.a.shape}, "
                f"{self.c.shape} and rewards of {self.reward.shape}"
            )


def make_program(table: Affinities, request: Request, *, reduced: bool = True) -> Program:
    """Returns the program of a request. reduced: leave out dominated edges. Raises KeyError for
    names that the table does not know, with the closest known ones, and ValueError for values that
    no solver can tell apart.
    """
    check_names(table, request)
    offer = offered(table, request)
    check_values(request, offer.targets)
    edges = {
        target: undominated(pairs, request) if reduced else pairs
        for target, pairs in offer.edges.items()
    }
    # the web solver's reward of a node that reaches no target by itself
    nothing = LEAST if request.variant == "web" else 0.0
    node_reward = [offer.own.get(name, nothing) for name in offer.nodes]
    budgets = budgets_of(request)
    chosen = [
        (value, edge)
        for pairs in edges.values()
        for value, edge in pairs
        if all(affordable(of_edge(edge), limit) for _, of_edge, limit in budgets)
    ]
    reward = np.array(node_reward + [value for value, _ in chosen])
    return assembled(request, offer, [edge for _, edge in chosen], reward)


def check_values(request: Request, targets: Iterable[str]) -> None:
    """Raises ValueError for values of targets so far apart that a proof would not hold for the
    smaller ones.
    """
    values = {name: (request.value or {}).get(name, 1.0) for name in targets}
    positive = [name for name in values if values[name] > 0]
    if not positive:
        return
    least, most = min(positive, key=values.__getitem__), max(positive, key=values.__getitem__)
    if values[most] > MOST_VALUES * values[least]:
        raise ValueError(
            f"the value of {most} ({values[most]:g}) is more than {MOST_VALUES:g} times that of "
            f"{least} ({values[least]:g}): no solver tells apart what the lesser one adds; bring "
            "them closer, or give 0 to what does not count"
        )


def affordable(cost: float, limit: float) -> bool:
    """Returns whether a single cost fits a limit, up to rounding."""
    return cost <= limit * (1 + SLACK)


def unit_of(limit: float) -> float:
    """Returns the factor that a budget's row is multiplied by: a power of two, so that no digit
    changes.
    """
    if limit == 0 or 1 <= limit <= MOST_LIMIT:
        return 1.0
    return 2.0 ** -math.floor(math.log2(limit))


class Rows:
    """Rows of a sparse matrix, collected one by one."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.count = 0
        self.rows: list[int] = []
        self.columns: list[int] = []
        self.values: list[float] = []

    def add(self, entries: Iterable[tuple[int, float]]) -> None:
        for column, value in entries:
            self.rows.append(self.count)
            self.columns.append(column)
            self.values.append(value)
        self.count += 1

    def matrix(self) -> csr_matrix:
        return csr_matrix((self.values, (self.rows, self.columns)), shape=(self.count, self.width))


def assembled(request: Request, offer: Offer, edges: list[Transfer], reward: Floats) -> Program:
    """Returns the program with its matrices and bounds. reward: [nodes + edges]."""
    at = {name: i for i, name in enumerate(offer.nodes)}
    budgets = budgets_of(request)
    a, b = inequalities(offer, edges, at, budgets)
    low = np.zeros(len(reward))
    low[[at[name] for name in request.forced]] = 1
    high = np.ones(len(reward))
    # a target-only task is no node, so that to forbid it changes nothing
    high[[at[name] for name in request.forbidden if name in at]] = 0
    for of_node, _, limit in budgets:
        high[[at[name] for name in offer.nodes if not affordable(of_node(name), limit)]] = 0
    return Program(
        offer.nodes,
        tuple(edges),
        offer.targets,
        frozenset(offer.own),
        reward,
        a,
        b,
        exactly_one(offer, edges, at),
        np.ones(len(offer.targets)),
        low,
        high,
        integer_variables(offer, edges, budgets),
    )


def budgets_of(request: Request) -> list[Budget]:
    """Returns (cost of a node, cost of an edge, limit) of the label budget and of the second
    budget, if there is one.
    """
    budgets: list[Budget] = [(request.cost_of, request.edge_cost_of, request.budget)]
    if request.second:
        budgets.append((request.second.of_node, request.second.of_edge, request.second.limit))
    return budgets


def into(edges: Sequence[Transfer], targets: Iterable[str], first: int = 0) -> dict[str, list[int]]:
    """Returns target -> positions of its edges, counted from `first`."""
    columns: dict[str, list[int]] = {target: [] for target in targets}
    for j, edge in enumerate(edges, first):
        columns[edge.target].append(j)
    return columns


def inequalities(
    offer: Offer, edges: list[Transfer], at: dict[str, int], budgets: list[Budget]
) -> tuple[csr_matrix, Floats]:
    """Returns A [rows, nodes + edges] and b [rows]: first the rows by which an edge needs its
    sources, then the budgets.
    """
    using: dict[tuple[str, str], list[int]] = {}
    for j, edge in enumerate(edges, len(at)):
        for source in edge.sources:
            using.setdefault((edge.target, source), []).append(j)
    a = Rows(len(at) + len(edges))
    for (_, source), columns in using.items():
        # sum of x_e <= x_s: a target takes one edge, so all its edges that use the source share a
        # row
        a.add([*((j, 1.0) for j in columns), (at[source], -1.0)])
    limits = [0.0] * a.count
    for of_node, of_edge, limit in budgets:
        prices = [of_node(name) for name in offer.nodes] + [of_edge(edge) for edge in edges]
        unit = unit_of(limit)
        # Zero costs need no entry. Neither do things that never fit: beside a small limit their
        # large costs would hide all others from a solver.
        a.add(
            (j, price * unit)
            for j, price in enumerate(prices)
            if price and affordable(price, limit)
        )
        limits.append(limit * unit)
    return a.matrix(), np.array(limits)


def extended(program: Program, rows: Rows, limits: Floats) -> Program:
    """Returns the program with more rows of A x <= b, whose limits are [rows]."""
    if not rows.count:
        return program
    a = vstack([program.a, rows.matrix()]).tocsr()
    return replace(program, a=a, b=np.append(program.b, limits))


def exactly_one(offer: Offer, edges: list[Transfer], at: dict[str, int]) -> csr_matrix:
    """Returns C: every target has one edge, or is supervised itself."""
    c = Rows(len(at) + len(edges))
    for target, columns in into(edges, offer.targets, len(at)).items():
        itself = [(at[target], 1.0)] if target in offer.own else []
        c.add([*((j, 1.0) for j in columns), *itself])
    return c.matrix()


def integer_variables(offer: Offer, edges: list[Transfer], budgets: list[Budget]) -> Bools:
    """Returns a mask [nodes + edges] of all nodes and of the edges of targets whose edges differ in
    cost.
    """
    count = len(offer.nodes)
    integer = np.arange(count + len(edges)) < count
    for columns in into(edges, offer.targets).values():
        for _, of_edge, _ in budgets:
            # differing costs: half a dear and half a cheap edge could fit the budget
            if len({of_edge(edges[j]) for j in columns}) > 1:
                integer[[count + j for j in columns]] = True
    return integer
