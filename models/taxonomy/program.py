"""The boolean integer program of a taxonomy (paper, section 3.4), in the form that solvers finish.

maximise r.x subject to A x <= b, C x = d, low <= x <= high, x binary where `integer`. Variables:
one a node (task that may be supervised), then one an edge (transfer on offer). Constraints: every
target has exactly one of its edges or, where it may be supervised, itself; for every target t and
source s, the edges into t that use s sum to at most x_s (a target has one edge, so this is the
disaggregated x_e <= x_s, tighter and with fewer rows; the paper's aggregated |S| x_e <= sum x_s
with all variables integer admits the same policies, and stalls GLPK at order 4); the budgets.

Only nodes need be integer: given them, each target takes its best allowed edge. That fails where
the edges of one target differ in cost (half a dear edge and half a cheap one would fit the budget);
such edges are made integer too.

Edges that no optimum needs are left out: one is dominated by another into the same target whose
sources are among its own, whose reward is at least as high and which costs no more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from models.taxonomy.affinities import Affinities
from models.taxonomy.request import Request
from models.taxonomy.transfer import Transfer

LEAST, MOST = 1e-5, 1.0


@dataclass(frozen=True)
class Program:
    """nodes: tasks that may be supervised; edges: the transfers on offer; targets: tasks to be
    reached; own: targets that own supervision reaches.

    reward, low, high [nodes + edges] float64, integer [nodes + edges] bool; a, b, c, d as above
    (sparse).
    """

    nodes: tuple[str, ...]
    edges: tuple[Transfer, ...]
    targets: tuple[str, ...]
    own: frozenset[str]
    reward: np.ndarray
    a: csr_matrix
    b: np.ndarray
    c: csr_matrix
    d: np.ndarray
    low: np.ndarray
    high: np.ndarray
    integer: np.ndarray

    def __post_init__(self) -> None:
        width = len(self.nodes) + len(self.edges)
        if (
            any(
                array.shape != (width,)
                for array in (self.reward, self.low, self.high, self.integer)
            )
            or self.a.shape[1] != width
            or self.c.shape[1] != width
        ):
            raise ValueError(
                f"a program over {width} variables got matrices of {self.a.shape}, "
                f"{self.c.shape} and rewards of {self.reward.shape}"
            )


def make_program(table: Affinities, request: Request, *, reduced: bool = True) -> Program:
    """The program of a request. reduced: without dominated edges. Raises KeyError for names that
    the table does not know, closest ones first.
    """
    known = sorted(set(table.sources) | set(table.targets))
    for name in request.names():
        check_name(name, known)
    for regime in {*request.regimes, *(request.regime_cost or {})}:
        check_name(regime, table.regimes, "regime")
    targets = [name for name in table.targets if name not in request.source_only]
    nodes = [name for name in known if name not in request.target_only]
    web, allowed = request.variant == "web", set(nodes)
    value = request.value or {}
    worth = lambda row: (
        value.get(row.transfer.target, 1.0)
        * (min(max(row.affinity**0.5, LEAST), MOST) if web else row.affinity)
    )
    offered: dict[str, list[tuple[float, Transfer]]] = {target: [] for target in targets}
    for row in table.rows:
        transfer = row.transfer
        if (
            transfer.control
            or transfer.target not in offered
            or transfer.order > request.order
            or (web and transfer.target in transfer.sources)
        ):
            continue
        if allowed.issuperset(transfer.sources) and (
            not request.regimes or transfer.regime in request.regimes
        ):
            offered[transfer.target].append((worth(row), transfer))
    if reduced:
        offered = {target: undominated(edges, request) for target, edges in offered.items()}
    own = {name: table.supervised(name) for name in targets if name in allowed} if web else {}
    own = {name: row for name, row in own.items() if row is not None}
    node_reward = [worth(own[name]) if name in own else LEAST if web else 0.0 for name in nodes]
    edges = [edge for found in offered.values() for edge in found]
    return assembled(
        request,
        nodes,
        [edge for _, edge in edges],
        targets,
        np.array(node_reward + [reward for reward, _ in edges]),
        frozenset(own),
    )


def undominated(
    edges: Iterable[tuple[float, Transfer]], request: Request
) -> list[tuple[float, Transfer]]:
    """edges into one target that some optimum may need; of equals the first in order of size and
    name stays.
    """
    bit: dict[str, int] = {}
    kept: list[tuple[int, float, float]] = []
    found = []
    for reward, edge in sorted(
        edges,
        key=lambda pair: (-pair[0], request.edge_cost_of(pair[1]), pair[1].order, pair[1].sources),
    ):
        mask, cost = (
            sum(bit.setdefault(name, 1 << len(bit)) for name in edge.sources),
            request.edge_cost_of(edge),
        )
        extra = request.second.of_edge(edge) if request.second else 0.0
        if not any(
            other & mask == other and price <= cost and more <= extra for other, price, more in kept
        ):
            kept.append((mask, cost, extra))
            found.append((reward, edge))
    return found


class Rows:
    """rows of a sparse matrix, gathered one by one."""

    def __init__(self, width: int) -> None:
        self.width, self.count = width, 0
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


def assembled(
    request: Request,
    nodes: list,
    edges: list,
    targets: list,
    reward: np.ndarray,
    own: frozenset[str],
) -> Program:
    """the matrices."""
    at, width = {name: i for i, name in enumerate(nodes)}, len(nodes) + len(edges)
    into: dict[str, list[int]] = {target: [] for target in targets}
    using: dict[tuple[str, str], list[int]] = {}
    for j, edge in enumerate(edges, len(nodes)):
        into[edge.target].append(j)
        for source in edge.sources:
            using.setdefault((edge.target, source), []).append(j)
    a, c = Rows(width), Rows(width)
    for (_, source), columns in using.items():
        a.add([*((j, 1.0) for j in columns), (at[source], -1.0)])
    limits = [0.0] * a.count
    budgets = [(request.cost_of, request.edge_cost_of, request.budget)]
    if request.second:
        budgets.append((request.second.of_node, request.second.of_edge, request.second.limit))
    for of_node, of_edge, limit in budgets:
        prices = [of_node(name) for name in nodes] + [of_edge(edge) for edge in edges]
        a.add((j, price) for j, price in enumerate(prices) if price)
        limits.append(limit)
    for target in targets:
        c.add([*((j, 1.0) for j in into[target]), *([(at[target], 1.0)] if target in own else [])])
    integer = np.arange(width) < len(nodes)
    for columns in into.values():
        if any(
            len({of_edge(edges[j - len(nodes)]) for j in columns}) > 1 for _, of_edge, _ in budgets
        ):
            integer[columns] = True
    low, high = np.zeros(width), np.ones(width)
    low[[at[name] for name in request.forced]] = 1
    high[[at[name] for name in request.forbidden if name in at]] = 0
    return Program(
        tuple(nodes),
        tuple(edges),
        tuple(targets),
        own,
        reward,
        a.matrix(),
        np.array(limits),
        c.matrix(),
        np.ones(len(targets)),
        low,
        high,
        integer,
    )


def check_name(name: str, known: list[str], kind: str = "task") -> None:
    if name not in known:
        import difflib

        close = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
        raise KeyError(
            f"unknown {kind} {name!r}; "
            + (f"did you mean {' or '.join(close)}? " if close else "")
            + f"the table knows {', '.join(known)}"
        )
