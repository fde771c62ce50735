"""Policies by hand: the best edges for given supervised tasks, and a good set of tasks by greed. No
solver; nothing here is proven.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from scipy.sparse import csr_matrix

from models.taxonomy.program import Program


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
        self.uses = csr_matrix(
            (np.ones(len(pairs)), tuple(zip(*pairs)) if pairs else ([], [])),
            shape=(len(program.edges), self.count),
        )
        self.own = np.array(
            [place[name] if name in program.own else -1 for name in program.nodes], int
        )  # node -> the target that it reaches by itself

    @cached_property
    def ranked(self) -> np.ndarray:
        """edges, best reward first."""
        return np.argsort(-self.program.reward[self.count :], kind="stable")

    def best(self, nodes: np.ndarray) -> np.ndarray | None:
        """the best policy that supervises exactly `nodes` [nodes] bool; None if a target is out of
        reach or a rule is broken.

        Targets take their best edge in reward whatever it costs, so that where edges of a target
        differ in cost this may miss a policy, never invent one.
        """
        program = self.program
        x = np.zeros(len(program.reward))
        x[: self.count] = nodes
        open_ = np.asarray(self.uses @ x[: self.count] == self.order).ravel() & (
            program.high[self.count :] > 0
        )
        reached = np.zeros(len(program.targets), bool)
        reached[self.own[nodes & (self.own >= 0)]] = True
        ranked = self.ranked[open_[self.ranked]]
        targets, first = np.unique(self.target_of[ranked], return_index=True)
        chosen = ranked[first][~reached[targets]]
        x[self.count + chosen] = 1
        reached[self.target_of[chosen]] = True
        return x if reached.all() and self.allowed(x) else None

    def allowed(self, x: np.ndarray) -> bool:
        """does x keep every rule of the program?"""
        program = self.program
        return bool(
            (x >= program.low - 1e-9).all()
            and (x <= program.high + 1e-9).all()
            and (program.a @ x <= program.b + 1e-9).all()
        )

    def greedy(self, *, steps: int | None = None) -> np.ndarray | None:
        """sources added one by one, each the best addition for its price until the budget is spent
        (reach before reward).
        """
        nodes, found = self.program.low[: self.count] > 0, None
        for _ in range(self.count if steps is None else steps):
            tried = []
            for node in np.flatnonzero(~nodes & (self.program.high[: self.count] > 0)):
                more = nodes.copy()
                more[node] = True
                value = self.partial(more)
                if value is not None:
                    tried.append((*value, -node))
            if not tried:
                break
            nodes[-max(tried)[2]] = True
            x = self.best(nodes)
            if x is not None and (found is None or self.value(x) > self.value(found)):
                found = x
        return found

    def partial(self, nodes: np.ndarray) -> tuple[int, float] | None:
        """(targets reached, reward) of `nodes` although some targets may be out of reach; None if
        the nodes alone break a budget.
        """
        program = self.program
        x = np.zeros(len(program.reward))
        x[: self.count] = nodes
        if not (program.a @ x <= program.b + 1e-9).all():
            return None
        open_ = np.asarray(self.uses @ x[: self.count] == self.order).ravel() & (
            program.high[self.count :] > 0
        )
        best = np.full(len(program.targets), -np.inf)
        np.maximum.at(best, self.target_of[open_], program.reward[self.count :][open_])
        own = self.own[nodes & (self.own >= 0)]
        best[own] = 0.0
        reached = np.isfinite(best)
        return int(reached.sum()), float(best[reached].sum() + program.reward[: self.count] @ nodes)

    def value(self, x: np.ndarray) -> float:
        return float(self.program.reward @ x)
