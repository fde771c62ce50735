"""The boolean integer program of a taxonomy (paper, section 3.4), in the form that solvers finish.

maximise r.x subject to A x <= b, C x = d, 0 <= x <= 1, node variables binary. Variables: one a supervised node, then one an edge.
Constraints: every target has exactly one of its edges or, where it may be supervised, itself; an edge needs each of its sources: x_e <= x_s, one
row a source. (The paper's aggregated |S| x_e <= sum x_s with all variables integer is the same set of policies, and stalls GLPK at order 4.)
With binary nodes an optimal x_e is 0 or 1 by itself: given the nodes, each target takes its best allowed edge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from models.taxonomy.affinities import Affinities
from models.taxonomy.transfer import Transfer

VARIANTS = ("web", "paper")
LEAST, MOST = 1e-5, 1.0


@dataclass(frozen=True)
class Request:
    """What a person asks. budget: total cost allowed. order: most sources of an edge.

    variant: "web" (the authors' solver: reward sqrt(affinity), own-encoder edges dropped, a supervised target needs no edge) or "paper" (reward the
    affinity itself, every target reached by exactly one transfer, own-encoder edges kept). value: importance of a target; cost: of labelling a
    source fully; transfer_cost: of the little data that reaching a target by transfer needs; defaults 1, 1, 0. forced, forbidden: sources.
    source_only, target_only: roles beside those that the table implies. time_limit: seconds.
    """

    budget: float
    order: int = 2
    variant: str = "web"
    value: Mapping[str, float] | None = None
    cost: Mapping[str, float] | None = None
    transfer_cost: Mapping[str, float] | None = None
    forced: frozenset[str] = frozenset()
    forbidden: frozenset[str] = frozenset()
    source_only: frozenset[str] = frozenset()
    target_only: frozenset[str] = frozenset()
    time_limit: float = 60.0

    def __post_init__(self) -> None:
        if self.variant not in VARIANTS:
            raise ValueError(f"variant is one of {', '.join(VARIANTS)}; got {self.variant!r}")
        if not (np.isfinite(self.budget) and self.budget > 0):
            raise ValueError(f"a budget is a positive number, got {self.budget}")
        if self.order < 1:
            raise ValueError(f"the order is at least 1, got {self.order}")
        for name in ("value", "cost", "transfer_cost"):
            if any(not np.isfinite(number) or number < 0 for number in (getattr(self, name) or {}).values()):
                raise ValueError(f"every {name} is finite and not negative; got {dict(getattr(self, name))}")
        for first, second in (("forced", "forbidden"), ("forced", "target_only"), ("source_only", "target_only")):
            both = getattr(self, first) & getattr(self, second)
            if both:
                raise ValueError(f"{', '.join(sorted(both))} cannot be both {first} and {second}")

    def cost_of(self, name: str) -> float:
        return (self.cost or {}).get(name, 1.0)


@dataclass(frozen=True)
class Program:
    """nodes: tasks that may be supervised; edges: the transfers on offer; reward [nodes + edges]; A, b, C, d as above (sparse)."""

    nodes: tuple[str, ...]
    edges: tuple[Transfer, ...]
    targets: tuple[str, ...]
    reward: np.ndarray
    a: csr_matrix
    b: np.ndarray
    c: csr_matrix
    d: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def __post_init__(self) -> None:
        width = len(self.nodes) + len(self.edges)
        if not (self.reward.shape == self.low.shape == self.high.shape == (width,)) or self.a.shape[1] != width or self.c.shape[1] != width:
            raise ValueError(f"a program over {width} variables got matrices of {self.a.shape}, {self.c.shape} and rewards of {self.reward.shape}")


def make_program(table: Affinities, request: Request) -> Program:
    """Raises KeyError for names that the table does not know, closest ones first."""
    known = sorted(set(table.sources) | set(table.targets))
    for name in {
        *(request.value or {}),
        *(request.cost or {}),
        *(request.transfer_cost or {}),
        *request.forced,
        *request.forbidden,
        *request.source_only,
        *request.target_only,
    }:
        check_name(name, known)
    targets = [name for name in table.targets if name not in request.source_only]
    nodes = [name for name in known if name not in request.target_only]
    web = request.variant == "web"
    rewards = {row.transfer: row.affinity for row in table.rows}
    edges = [
        row.transfer
        for row in table.rows
        if row.transfer.control is None
        and row.transfer.target in targets
        and row.transfer.order <= request.order
        and set(row.transfer.sources) <= set(nodes)
        and not (web and row.transfer.target in row.transfer.sources)
    ]
    worth = lambda transfer: (request.value or {}).get(transfer.target, 1.0) * (np.clip(np.sqrt(rewards[transfer]), LEAST, MOST) if web else rewards[transfer])
    own = {row.transfer.target: row.transfer for row in table.rows if row.transfer.control == "supervised"} if web else {}
    node_reward = [worth(own[name]) if name in own and name in targets else LEAST if web else 0.0 for name in nodes]
    return assembled(request, nodes, edges, targets, np.array(node_reward + [worth(edge) for edge in edges]), own)


def assembled(request: Request, nodes: list, edges: list, targets: list, reward: np.ndarray, own: Mapping) -> Program:
    """the matrices."""
    at, width = {name: i for i, name in enumerate(nodes)}, len(nodes) + len(edges)
    uses = [(j, at[source]) for j, edge in enumerate(edges) for source in edge.sources]
    rows, columns, values = [], [], []
    for row, (j, node) in enumerate(uses):  # x_e - x_s <= 0
        rows += [row, row]
        columns += [len(nodes) + j, node]
        values += [1.0, -1.0]
    budget = len(uses)
    for name, i in at.items():
        rows.append(budget)
        columns.append(i)
        values.append(request.cost_of(name))
    for j, edge in enumerate(edges):
        extra = (request.transfer_cost or {}).get(edge.target, 0.0)
        if extra:
            rows.append(budget)
            columns.append(len(nodes) + j)
            values.append(extra)
    a = csr_matrix((values, (rows, columns)), shape=(budget + 1, width))
    place = {name: i for i, name in enumerate(targets)}
    reached = [(place[edge.target], len(nodes) + j) for j, edge in enumerate(edges)]
    reached += [(place[name], at[name]) for name in targets if name in own and name in at]
    c = csr_matrix((np.ones(len(reached)), tuple(zip(*reached)) if reached else ([], [])), shape=(len(targets), width))
    low, high = np.zeros(width), np.ones(width)
    for name in request.forced:
        low[at[name]] = 1
    for name in request.forbidden:
        if name in at:
            high[at[name]] = 0
    return Program(tuple(nodes), tuple(edges), tuple(targets), reward, a, np.append(np.zeros(budget), request.budget), c, np.ones(len(targets)), low, high)


def check_name(name: str, known: list[str]) -> None:
    if name not in known:
        import difflib

        close = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
        raise KeyError(f"unknown task {name!r}; " + (f"did you mean {' or '.join(close)}? " if close else "") + f"the table knows {', '.join(known)}")
