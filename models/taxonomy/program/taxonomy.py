"""A taxonomy: which tasks to supervise, and how every other task is reached. It checks itself
without any matrix or solver.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.taxonomy.affinities import Affinities, Row
from models.taxonomy.facts import Facts
from models.taxonomy.program.choices import check_choice
from models.taxonomy.program.program import SLACK, affordable
from models.taxonomy.program.request import Request
from models.taxonomy.transfer import Transfer

# The ways to reach a target, as they are named in files and tables.
WAYS = ("supervised", "share", "transferred", "scratch")


@dataclass(frozen=True)
class Edge:
    """The way one target is reached: by `transfer`, by its own supervision (control "supervised"),
    by its own network on a share of its labels ("share"), or by its network trained from scratch on
    few labels ("scratch").
    """

    transfer: Transfer
    affinity: float
    gain: float | None = None
    quality: float | None = None

    @property
    def way(self) -> str:
        """The kind of the edge: one of WAYS."""
        return self.transfer.control or "transferred"


@dataclass(frozen=True)
class Certificate:
    """What the solver says about its answer: status, objective, and a bound that no policy can
    exceed.
    """

    status: str
    objective: float
    bound: float


@dataclass(frozen=True)
class Taxonomy:
    """A policy: the tasks to supervise and one edge for each target.

    budget, order: those of the request. status, objective, bound, gap: the certificate. supervised:
    tasks whose labels are bought in full, sorted. edges: one for each target. gain, quality: means
    over all targets (a supervised target counts its own network's), None if one was not measured.
    spent: label cost of tasks and edges.
    """

    budget: float
    order: int
    status: str
    objective: float
    bound: float
    supervised: tuple[str, ...]
    edges: tuple[Edge, ...]
    spent: float = 0.0

    def __post_init__(self) -> None:
        reached = [edge.transfer.target for edge in self.edges]
        if len(set(reached)) != len(reached):
            raise ValueError(f"every target is reached once, got {reached}")
        for edge in self.edges:
            self.check_edge(edge.transfer)
        # `covers` keeps the budget exactly; here a sum in another order may differ by rounding
        if not affordable(self.spent, self.budget * (1 + SLACK)):
            raise ValueError(f"the taxonomy costs {self.spent}, the budget is {self.budget}")
        if self.status == "optimal" and self.gap > 1e-6:
            raise ValueError(f"a taxonomy with a gap of {self.gap:g} is not optimal")

    def check_edge(self, transfer: Transfer) -> None:
        """Raises ValueError unless the taxonomy supervises what the edge needs and its order admits
        the edge.
        """
        missing = set(transfer.sources) - set(self.supervised)
        if missing:
            raise ValueError(
                f"{transfer} needs {', '.join(sorted(missing))}, which the taxonomy "
                "does not supervise"
            )
        if transfer.control == "supervised" and transfer.target not in self.supervised:
            raise ValueError(
                f"{transfer.target} is said to be supervised and is not among {self.supervised}"
            )
        # these controls are never served
        if transfer.control in ("average", "pixels"):
            raise ValueError(f"{transfer.target} cannot be answered by {transfer.means}")
        if transfer.order > self.order:
            raise ValueError(f"{transfer} has {transfer.order} sources, the order is {self.order}")

    @property
    def gap(self) -> float:
        return self.bound - self.objective

    @property
    def gain(self) -> float | None:
        return mean([edge.gain for edge in self.edges])

    @property
    def quality(self) -> float | None:
        return mean([edge.quality for edge in self.edges])

    @property
    def ways(self) -> dict[str, Facts]:
        """The number and the mean scores of the targets of each way of WAYS that is used: way ->
        {"targets": how many, "gain", "quality": their means}. Targets that are supervised
        themselves have a quality of 0.5 by definition; the others show what the policy is worth.
        """
        return {way: scores(edges) for way in WAYS if (edges := self.by(way))}

    def by(self, way: str) -> list[Edge]:
        """Returns the edges of one way."""
        return [edge for edge in self.edges if edge.way == way]

    def to_json(self) -> Facts:
        edges = [
            {
                **edge.transfer.to_json(),
                "affinity": edge.affinity,
                "gain": edge.gain,
                "quality": edge.quality,
            }
            for edge in self.edges
        ]
        return {
            "budget": self.budget,
            "order": self.order,
            "status": self.status,
            "objective": self.objective,
            "bound": self.bound,
            "gap": self.gap,
            "supervised": list(self.supervised),
            "edges": edges,
            "gain": self.gain,
            "quality": self.quality,
            "ways": self.ways,
            "spent": self.spent,
        }

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Taxonomy:
        edges = tuple(
            Edge(Transfer.from_json(edge), edge["affinity"], edge["gain"], edge["quality"])
            for edge in entry["edges"]
        )
        return cls(
            entry["budget"],
            entry["order"],
            entry["status"],
            entry["objective"],
            entry["bound"],
            tuple(entry["supervised"]),
            edges,
            entry["spent"],
        )


def scores(edges: Sequence[Edge]) -> Facts:
    """Returns {"targets", "gain", "quality"} of some edges: their number and mean values."""
    return {
        "targets": len(edges),
        "gain": mean([edge.gain for edge in edges]),
        "quality": mean([edge.quality for edge in edges]),
    }


def mean(values: Iterable[float | None]) -> float | None:
    """Returns the mean of the values, or None if one was not measured or there are none."""
    numbers = list(values)
    measured = [value for value in numbers if value is not None]
    # leaving some out would make it a mean over other targets
    return float(np.mean(measured)) if numbers and len(measured) == len(numbers) else None


def read_policy(
    table: Affinities,
    request: Request,
    nodes: frozenset[str],
    edges: Sequence[Transfer],
    certificate: Certificate,
) -> Taxonomy:
    """Returns a solver's choice as a taxonomy. Supervised targets without an edge are reached by
    their own labels. Raises ValueError for a choice that breaks a rule of the request.
    """
    check_choice(table, request, nodes, edges)
    edge_by_target = {edge.target: edge for edge in edges}
    for target in table.targets:
        own = table.supervised(target)
        # a supervised target that has an edge keeps it: its labels then serve others
        if target not in edge_by_target and target in nodes and own is not None:
            edge_by_target[target] = own.transfer
    costs = [request.cost_of(name) for name in nodes]
    costs += [request.edge_cost_of(edge) for edge in edges]
    reached = [
        table.of[edge_by_target[target]] for target in table.targets if target in edge_by_target
    ]
    return Taxonomy(
        request.budget,
        request.order,
        certificate.status,
        certificate.objective,
        certificate.bound,
        tuple(sorted(nodes)),
        tuple(Edge(row.transfer, row.affinity, row.gain, quality_of(row)) for row in reached),
        # fsum rounds only once, so that the order of a set does not matter
        math.fsum(costs),
    )


def quality_of(row: Row) -> float | None:
    """Returns the quality of a row; 0.5 for a supervised network, which ties with itself."""
    return 0.5 if row.transfer.control == "supervised" else row.quality
