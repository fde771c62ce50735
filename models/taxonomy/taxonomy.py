"""A taxonomy: which tasks to supervise, and how every other task is reached. It checks itself, in
words, apart from any matrix or solver.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.taxonomy.affinities import Affinities
from models.taxonomy.request import Request
from models.taxonomy.transfer import Transfer


@dataclass(frozen=True)
class Edge:
    """How one target is reached: by `transfer`, or by its own supervision (control "supervised")."""

    transfer: Transfer
    affinity: float
    gain: float | None = None
    quality: float | None = None


@dataclass(frozen=True)
class Taxonomy:
    """budget, order: as asked. status, objective, bound, gap: the certificate. supervised: tasks
    whose labels are bought in full, sorted.

    edges: one a target. gain, quality: means over all targets (a supervised target counts its own
    network's), None where they were not measured.
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
            missing = set(edge.transfer.sources) - set(self.supervised)
            if missing:
                raise ValueError(
                    f"{edge.transfer} needs {', '.join(sorted(missing))}, which the taxonomy "
                    "does not supervise"
                )
            if edge.transfer.control and edge.transfer.target not in self.supervised:
                raise ValueError(
                    f"{edge.transfer.target} is said to be supervised and is not among "
                    f"{self.supervised}"
                )
            if edge.transfer.order > self.order:
                raise ValueError(
                    f"{edge.transfer} has {edge.transfer.order} sources, the order is {self.order}"
                )
        if self.spent > self.budget + 1e-6:
            raise ValueError(f"the taxonomy costs {self.spent}, the budget is {self.budget}")
        if self.status == "optimal" and self.bound - self.objective > 1e-6:
            raise ValueError(
                f"a taxonomy with a gap of {self.bound - self.objective:g} is not optimal"
            )

    @property
    def gap(self) -> float:
        return self.bound - self.objective

    @property
    def gain(self) -> float | None:
        return mean([edge.gain for edge in self.edges])

    @property
    def quality(self) -> float | None:
        return mean([edge.quality for edge in self.edges])

    def to_json(self) -> dict:
        edges = [
            {
                "sources": list(edge.transfer.sources),
                "target": edge.transfer.target,
                "control": edge.transfer.control,
                "regime": edge.transfer.regime,
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
            "spent": self.spent,
        }

    @classmethod
    def from_json(cls, entry: dict) -> Taxonomy:
        edges = tuple(
            Edge(
                Transfer(
                    tuple(edge["sources"]),
                    edge["target"],
                    edge.get("regime") or "",
                    edge.get("control"),
                ),
                edge["affinity"],
                edge["gain"],
                edge["quality"],
            )
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


def mean(values: list) -> float | None:
    """None if any value was not measured."""
    return None if not values or any(value is None for value in values) else float(np.mean(values))


def read_policy(
    table: Affinities,
    request: Request,
    nodes: frozenset[str],
    edges: list[Transfer],
    certificate: tuple[str, float, float],
) -> Taxonomy:
    """a solver's choice as a taxonomy; supervised targets without an edge are reached by
    themselves.
    """
    rows = table.of
    chosen = {edge.target: edge for edge in edges}
    for target in table.targets:
        own = table.supervised(target)
        if target not in chosen and target in nodes and own is not None:
            chosen[target] = own.transfer
    spent = sum(request.cost_of(name) for name in nodes) + sum(
        request.edge_cost_of(edge) for edge in edges
    )
    made = tuple(
        Edge(
            chosen[target],
            rows[chosen[target]].affinity,
            rows[chosen[target]].gain,
            half(rows[chosen[target]]),
        )
        for target in table.targets
        if target in chosen
    )
    return Taxonomy(
        request.budget,
        request.order,
        certificate[0],
        certificate[1],
        certificate[2],
        tuple(sorted(nodes)),
        made,
        spent,
    )


def half(row) -> float | None:
    """quality of a row; a supervised network ties with itself."""
    return 0.5 if row.transfer.control == "supervised" else row.quality
