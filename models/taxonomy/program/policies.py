"""Builds policies without a solver: the best edges for given supervised tasks, and a good set of
tasks chosen greedily. Nothing here is proven to be best.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from scipy.sparse import csr_matrix

from models.tasks.arrays import Bools, Floats, Integers
from models.taxonomy.program.program import SLACK, Program

# The prices tried: rewards that spending a whole budget must bring. At the last one only cost
# counts.
PRICES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 1e12)
FREE = 1e-3  # a price that has almost no effect
HALVINGS = 8  # halvings of the step between a price that is too low and one that is not


class Policies:
    """Builds and checks policies of one program as vectors x: float64 [nodes + edges], 0 or 1."""

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
        """The positions [edges] of the edges, best reward first."""
        # stable, so that the first of equal edges always comes first
        return np.argsort(-self.program.reward[self.count :], kind="stable")

    def open_edges(self, nodes: Floats | Bools) -> Bools:
        """Returns a mask [edges] bool of the edges whose sources are all among `nodes` [nodes].
        Edges without a source are always in it; edges that the program bars never are.
        """
        supervised = np.asarray(self.uses @ nodes.astype(float)).ravel()
        # barred edges have an upper bound of 0
        return (supervised == self.order) & (self.program.high[self.count :] > 0)

    def vector(self, nodes: Bools) -> Floats:
        """Returns x [nodes + edges] with these nodes ([nodes] bool) and no edges."""
        x = np.zeros(len(self.program.reward))
        x[: self.count] = nodes
        return x

    def best(self, nodes: Bools) -> Floats | None:
        """Returns the best policy found that supervises exactly `nodes` [nodes] bool, or None if a
        target is out of reach or a rule is broken.

        Each target takes its edge with the highest reward. If these edges exceed a budget, edges
        are chosen by reward minus a price on their cost, with the lowest price at which the policy
        fits. So with one budget a policy is found whenever there is one, and it is the best or
        leaves a part of the budget unspent; with two budgets a policy may be missed.
        """
        open_edges = self.open_edges(nodes)
        x = self._by(self.ranked, nodes, open_edges)
        if x is None or self.allowed(x):
            return x
        # if the tasks alone exceed a budget, no choice of edges helps
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
        """Returns the policy whose edges are chosen at a price, or None if it breaks a rule."""
        some = np.flatnonzero(open_edges)
        worth = price * self.load[some] - self.program.reward[self.count :][some]
        x = self._by(some[np.argsort(worth, kind="stable")], nodes, open_edges)
        return x if x is not None and self.allowed(x) else None

    def _cheaper(
        self, low: float, high: float, nodes: Bools, open_edges: Bools, best: Floats
    ) -> Floats:
        """Returns the best policy found at prices between `low`, at which no policy fits, and
        `high`, at which `best` fits.
        """
        for _ in range(HALVINGS):
            # geometric mean, because the last of `PRICES` is ten powers of ten above the one before
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
        """Returns x with each target's first open edge in the order `ranked`, or None if a target
        has none.
        """
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
        """The cost of each edge as a share of the budgets, summed over them: [edges]."""
        program = self.program
        # rows that tie an edge to its sources have a limit of 0
        budgets = program.b > 0
        edges = program.a[budgets][:, self.count :]
        return np.asarray(edges.T @ (1.0 / program.b[budgets])).ravel()

    def allowed(self, x: Floats, slack: float = SLACK) -> bool:
        """Returns whether x [nodes + edges] keeps every rule of the program, including that each
        target is reached once.
        """
        program = self.program
        above = (x >= program.low - slack).all()
        below = (x <= program.high + slack).all()
        once = (np.abs(program.c @ x - program.d) <= slack).all()
        return bool(above and below and once and self.affordable(x, slack))

    def affordable(self, x: Floats, slack: float = SLACK) -> bool:
        """Returns whether x [nodes + edges] keeps the rows of A x <= b."""
        limits = self.program.b + slack * np.maximum(1.0, np.abs(self.program.b))
        return bool((self.program.a @ x <= limits).all())

    def greedy(self) -> Floats | None:
        """Returns the best policy [nodes + edges] found while sources are added one by one until
        the budget is spent, or None. The source that is added reaches the most targets, and among
        equals brings the most reward.
        """
        nodes = self.program.low[: self.count] > 0
        best = self.best(nodes)
        while True:
            node = self.addition(nodes)
            if node is None:
                return best
            nodes[node] = True
            x = self.best(nodes)
            # compared, because a larger set may be worse if edges cost something
            if x is not None and (best is None or self.value(x) > self.value(best)):
                best = x

    def addition(self, nodes: Bools) -> int | None:
        """Returns the position of the node that is the best addition to `nodes` ([nodes] bool), or
        None if the budget allows none.
        """
        candidates = []
        for node in np.flatnonzero(~nodes & (self.program.high[: self.count] > 0)):
            more = nodes.copy()
            more[node] = True
            value = self.partial(more)
            if value is not None:
                # the position is negative, so that of equal additions the first one wins
                candidates.append((*value, -int(node)))
        return -max(candidates)[2] if candidates else None

    def partial(self, nodes: Bools) -> tuple[int, float] | None:
        """Returns (targets reached, reward) of `nodes` ([nodes] bool) even if some targets are out
        of reach, or None if the nodes alone exceed a budget.
        """
        program = self.program
        if not self.affordable(self.vector(nodes)):
            return None
        open_edges = self.open_edges(nodes)
        # minus infinity means that the target has no edge
        best = np.full(len(program.targets), -np.inf)
        rewards = program.reward[self.count :][open_edges]
        np.maximum.at(best, self.target_of[open_edges], rewards)
        # the reward of a supervised target is counted with its node, below
        best[self.own[nodes & (self.own >= 0)]] = 0.0
        reached = np.isfinite(best)
        total = best[reached].sum() + program.reward[: self.count] @ nodes
        # reach first: more targets before more reward
        return int(reached.sum()), float(total)

    def value(self, x: Floats) -> float:
        """Returns the reward of x [nodes + edges]."""
        return float(self.program.reward @ x)
