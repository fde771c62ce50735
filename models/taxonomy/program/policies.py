"""Policies by hand: the best edges for given supervised tasks, and a good set of tasks by greed. No
solver; nothing here is proven.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from scipy.sparse import csr_matrix

from models.tasks.arrays import Bools, Floats, Integers
from models.taxonomy.program.program import SLACK, Program

# Rewards that a whole budget is worth, cheapest edges alone at last.
PRICES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 1e12)
FREE = 1e-3  # a price that is as good as none
HALVINGS = 8  # of the step between a price that is too low and one that is not


class Policies:
    """Answers of one program, vector by vector. x: float64 [nodes + edges], 0 or 1."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.count = len(program.nodes)
        at = {name: i for i, name in enumerate(program.nodes)}
        place = {name: i for i, name in enumerate(program.targets)}
        self.target_of = np.array([place[edge.target] for edge in program.edges], int)
        self.order = np.array([edge.order for edge in program.edges], int)
        pairs = [(j, at[source]) for j, edge in enumerate(program.edges) for source in edge.sources]
        positions = np.array(pairs, int).reshape(-1, 2).T
        self.uses = csr_matrix(
            (np.ones(len(pairs)), tuple(positions)),
            shape=(len(program.edges), self.count),
        )
        # node -> the target that it reaches by itself, -1 for none
        self.own = np.array(
            [place[name] if name in program.own else -1 for name in program.nodes], int
        )

    @cached_property
    def ranked(self) -> Integers:
        """edges, best reward first."""
        # stable: ties fall to the first edge, in every process
        return np.argsort(-self.program.reward[self.count :], kind="stable")

    def open_edges(self, nodes: Floats | Bools) -> Bools:
        """[edges]: whose sources are all among `nodes` [nodes]; those without a source always."""
        supervised = np.asarray(self.uses @ nodes.astype(float)).ravel()
        # barred edges have an upper bound of 0
        return (supervised == self.order) & (self.program.high[self.count :] > 0)

    def vector(self, nodes: Bools) -> Floats:
        """x with these nodes and no edges."""
        x = np.zeros(len(self.program.reward))
        x[: self.count] = nodes
        return x

    def best(self, nodes: Bools) -> Floats | None:
        """the best policy that supervises exactly `nodes` [nodes] bool; None if a target is out of
        reach or a rule is broken.

        Targets take their best edge in reward; where these pass a budget, edges by reward less a
        price on what they cost, the lowest at which they fit. So with one budget a policy is found
        wherever there is one, the best or one whose budget has a rest; with two it may be missed.
        """
        open_edges = self.open_edges(nodes)
        x = self._by(self.ranked, nodes, open_edges)
        if x is None or self.allowed(x):
            return x
        # tasks that pass a budget alone: no choice of edges helps
        if not self.affordable(self.vector(nodes)):
            return None
        low = FREE
        for price in PRICES:
            x = self._at(price, nodes, open_edges)
            if x is not None:
                return self._cheaper(low, price, nodes, open_edges, x)
            low = price
        return None

    def _at(self, price: float, nodes: Bools, open_edges: Bools) -> Floats | None:
        """the policy whose edges are chosen at a price; None if it breaks a rule."""
        some = np.flatnonzero(open_edges)
        worth = price * self.load[some] - self.program.reward[self.count :][some]
        x = self._by(some[np.argsort(worth, kind="stable")], nodes, open_edges)
        return x if x is not None and self.allowed(x) else None

    def _cheaper(
        self, low: float, high: float, nodes: Bools, open_edges: Bools, best: Floats
    ) -> Floats:
        """the policy at the lowest price that fits, between `low`, which does not, and `high`,
        which does and gives `best`.
        """
        for _ in range(HALVINGS):
            # geometric: the last step goes over ten powers of ten
            price = (low * high) ** 0.5
            x = self._at(price, nodes, open_edges)
            if x is None:
                low = price
                continue
            high = price
            # with two budgets a lower price may be worth less
            if self.value(x) > self.value(best):
                best = x
        return best

    def _by(self, ranked: Integers, nodes: Bools, open_edges: Bools) -> Floats | None:
        """x with each target's first open edge in the order `ranked`; None where one has none."""
        x = self.vector(nodes)
        reached = np.zeros(len(self.program.targets), bool)
        reached[self.own[nodes & (self.own >= 0)]] = True
        ranked = ranked[open_edges[ranked]]
        # the first edge of a target in this order is its best one
        targets, first = np.unique(self.target_of[ranked], return_index=True)
        chosen = ranked[first][~reached[targets]]
        x[self.count + chosen] = 1
        reached[self.target_of[chosen]] = True
        return x if reached.all() else None

    @cached_property
    def load(self) -> Floats:
        """[edges]: what each costs, in parts of the budgets."""
        program = self.program
        # other rows, of an edge and its sources, have a limit of 0
        budgets = program.b > 0
        edges = program.a[budgets][:, self.count :]
        return np.asarray(edges.T @ (1.0 / program.b[budgets])).ravel()

    def allowed(self, x: Floats, slack: float = SLACK) -> bool:
        """does x keep every rule of the program, each target reached once among them?"""
        program = self.program
        above = (x >= program.low - slack).all()
        below = (x <= program.high + slack).all()
        once = (np.abs(program.c @ x - program.d) <= slack).all()
        return bool(above and below and once and self.affordable(x, slack))

    def affordable(self, x: Floats, slack: float = SLACK) -> bool:
        limits = self.program.b + slack * np.maximum(1.0, np.abs(self.program.b))
        return bool((self.program.a @ x <= limits).all())

    def greedy(self) -> Floats | None:
        """sources added one by one, each the best addition for its price until the budget is spent
        (reach before reward).
        """
        nodes = self.program.low[: self.count] > 0
        best = self.best(nodes)
        while True:
            node = self.addition(nodes)
            if node is None:
                return best
            nodes[node] = True
            x = self.best(nodes)
            # better or first: a larger set may be worse where edges cost
            if x is not None and (best is None or self.value(x) > self.value(best)):
                best = x

    def addition(self, nodes: Bools) -> int | None:
        """the node that is the best addition to `nodes`; None if the budget allows none."""
        candidates = []
        for node in np.flatnonzero(~nodes & (self.program.high[: self.count] > 0)):
            more = nodes.copy()
            more[node] = True
            value = self.partial(more)
            if value is not None:
                # the place is negative, so that of equal additions the first one wins
                candidates.append((*value, -int(node)))
        return -max(candidates)[2] if candidates else None

    def partial(self, nodes: Bools) -> tuple[int, float] | None:
        """(targets reached, reward) of `nodes` although some targets may be out of reach; None if
        the nodes alone break a budget.
        """
        program = self.program
        if not self.affordable(self.vector(nodes)):
            return None
        open_edges = self.open_edges(nodes)
        # no edge at all is minus infinity
        best = np.full(len(program.targets), -np.inf)
        rewards = program.reward[self.count :][open_edges]
        np.maximum.at(best, self.target_of[open_edges], rewards)
        # its reward stands with the node, below
        best[self.own[nodes & (self.own >= 0)]] = 0.0
        reached = np.isfinite(best)
        total = best[reached].sum() + program.reward[: self.count] @ nodes
        # reach first: more targets before more reward
        return int(reached.sum()), float(total)

    def value(self, x: Floats) -> float:
        return float(self.program.reward @ x)
