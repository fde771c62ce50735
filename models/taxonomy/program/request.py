"""What a person asks of a taxonomy: budget, order, roles, costs and values of targets."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from models.taxonomy.transfer import Transfer

VARIANTS = ("web", "paper")


@dataclass(frozen=True)
class Resource:
    """A second budget, such as serving latency or parameters: at most `limit` in total.

    node: cost of each supervised task's network (`each_node` if not named). edge: cost of a
    transfer, by target (`each_edge` if not named).
    """

    name: str
    limit: float
    node: Mapping[str, float] | None = None
    edge: Mapping[str, float] | None = None
    each_node: float = 1.0
    each_edge: float = 0.0

    def __post_init__(self) -> None:
        check_costs(
            {"limit": self.limit, "each_node": self.each_node, "each_edge": self.each_edge},
            self.name,
        )
        check_costs(self.node or {}, f"{self.name} of a node")
        check_costs(self.edge or {}, f"{self.name} of an edge")

    def of_node(self, name: str) -> float:
        return (self.node or {}).get(name, self.each_node)

    def of_edge(self, transfer: Transfer) -> float:
        return (self.edge or {}).get(transfer.target, self.each_edge)


@dataclass(frozen=True)
class Request:
    """What a person asks of a taxonomy.

    budget: total label cost allowed. order: most sources of an edge. variant: "web" (the authors'
    solver: reward sqrt(affinity), own-encoder edges left out, a supervised target needs no edge) or
    "paper" (reward the affinity itself, every target reached by exactly one transfer, own-encoder
    edges kept).

    value: importance of a target. cost: of labelling a source fully. transfer_cost: of the few
    labels that reaching a target by transfer needs. regime_cost: of these labels by amount of data
    (regime name). edge_cost: of single transfers. Their defaults are 1, 1, 0, 0, 0; the costs of an
    edge add up. free: tasks whose labels cost nothing, neither all of them nor the few of a
    transfer (`costs.free_tasks`: an algorithm makes them from the picture); a cost that `cost` or
    `transfer_cost` names counts all the same.

    regimes: the amounts of data to choose among, all if empty. scratch: whether a target may be
    answered by its network trained from scratch on a regime's data, at that regime's label cost (an
    edge without a source; needs a table that places such networks on its scale). forced, forbidden:
    sources. source_only, target_only: roles in addition to those that the table implies. second:
    another budget besides labels. time_limit: seconds.
    """

    budget: float
    order: int = 2
    variant: str = "web"
    value: Mapping[str, float] | None = None
    cost: Mapping[str, float] | None = None
    transfer_cost: Mapping[str, float] | None = None
    regime_cost: Mapping[str, float] | None = None
    edge_cost: Mapping[Transfer, float] | None = None
    free: frozenset[str] = frozenset()
    regimes: frozenset[str] = frozenset()
    scratch: bool = False
    forced: frozenset[str] = frozenset()
    forbidden: frozenset[str] = frozenset()
    source_only: frozenset[str] = frozenset()
    target_only: frozenset[str] = frozenset()
    second: Resource | None = None
    time_limit: float = 60.0

    def __post_init__(self) -> None:
        if self.variant not in VARIANTS:
            raise ValueError(f"variant is one of {', '.join(VARIANTS)}; got {self.variant!r}")
        if not (np.isfinite(self.budget) and self.budget > 0):
            raise ValueError(f"a budget is a positive number, got {self.budget}")
        if self.order < 1:
            raise ValueError(f"the order is at least 1, got {self.order}")
        if not self.time_limit > 0:
            raise ValueError(f"a time limit is a positive number of seconds, got {self.time_limit}")
        for name in ("value", "cost", "transfer_cost", "regime_cost", "edge_cost"):
            # infinite or negative prices would make programs without an optimum
            check_costs(getattr(self, name) or {}, name)
        for first, second in (
            ("forced", "forbidden"),
            ("forced", "target_only"),
            ("source_only", "target_only"),
        ):
            both = getattr(self, first) & getattr(self, second)
            if both:
                raise ValueError(f"{', '.join(sorted(both))} cannot be both {first} and {second}")

    def cost_of(self, name: str) -> float:
        """Returns the label cost of supervising a task fully."""
        # a named price counts even for a task that is otherwise free
        return (self.cost or {}).get(name, 0.0 if name in self.free else 1.0)

    def edge_cost_of(self, transfer: Transfer) -> float:
        """Returns the label cost of reaching a target by this transfer, without the cost of its
        sources.
        """
        # three kinds of cost add up, though a request has one as a rule; tables that are not there
        # are not looked into, since a transfer's hash takes its time, and there are thousands
        cost = 0.0
        if self.transfer_cost:
            cost += self.transfer_cost.get(transfer.target, 0.0)
        if self.regime_cost and transfer.target not in self.free:
            cost += self.regime_cost.get(transfer.regime, 0.0)
        if self.edge_cost:
            cost += self.edge_cost.get(transfer, 0.0)
        return cost

    def offers(self, transfer: Transfer) -> bool:
        """Returns whether order, variant, amount of data and the rule about training from scratch
        allow to reach a target by this transfer, whichever tasks are supervised.
        """
        if self.regimes and transfer.regime not in self.regimes:
            return False
        if transfer.control == "share":
            # at no price it would be the whole network for nothing: who asks names its amount
            return transfer.regime in self.regimes
        if transfer.control is not None:
            return transfer.control == "scratch" and self.scratch
        # a task's own encoder knows its labels: the web solver leaves it out
        dropped = self.variant == "web" and transfer.own_encoder
        return len(transfer.sources) <= self.order and not dropped

    def names(self) -> set[str]:
        """Returns every task that the request mentions."""
        mentioned: list[Iterable[str]] = [
            self.value or {},
            self.cost or {},
            self.transfer_cost or {},
            self.free,
            self.forced,
            self.forbidden,
            self.source_only,
            self.target_only,
        ]
        if self.second:
            mentioned += [self.second.node or {}, self.second.edge or {}]
        return {name for names in mentioned for name in names}

    def within(self, tasks: Collection[str], regimes: Collection[str]) -> Request:
        """Returns the request for a part of a table that holds only these tasks and amounts of
        data; the others are no longer mentioned. The cost of forced tasks that the part lacks is
        taken from the budget.
        """
        strangers = self.forced.difference(tasks)
        second = self.second and replace(
            self.second,
            node=_of(self.second.node, tasks),
            edge=_of(self.second.edge, tasks),
        )
        return replace(
            self,
            budget=self.budget - sum(self.cost_of(name) for name in strangers),
            value=_of(self.value, tasks),
            cost=_of(self.cost, tasks),
            transfer_cost=_of(self.transfer_cost, tasks),
            regime_cost=_of(self.regime_cost, regimes),
            regimes=self.regimes.intersection(regimes),
            free=self.free.intersection(tasks),
            forced=self.forced.intersection(tasks),
            forbidden=self.forbidden.intersection(tasks),
            source_only=self.source_only.intersection(tasks),
            target_only=self.target_only.intersection(tasks),
            second=second,
        )


def _of(numbers: Mapping[str, float] | None, names: Collection[str]) -> dict[str, float] | None:
    """Returns the entries of `numbers` for these names, or None if `numbers` is None."""
    if numbers is None:
        return None
    return {name: number for name, number in numbers.items() if name in names}


def check_costs(numbers: Mapping[Any, float], name: str) -> None:
    """Raises ValueError unless all numbers are finite and not negative."""
    bad = {str(key): value for key, value in numbers.items() if not np.isfinite(value) or value < 0}
    if bad:
        raise ValueError(f"every {name} is finite and not negative; got {bad}")
