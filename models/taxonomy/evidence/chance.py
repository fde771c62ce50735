"""Random feasible policies: what a budget buys without choosing well (paper, section 4.3).

They are drawn as follows. The tasks that may be supervised are put in a row, the forced ones first,
the others in random order. Along the row each task is taken whose own price still fits the budgets;
the others are passed over. Of the tasks taken, the longest beginning is kept that leaves enough for
a way to every target. So a task's chance to be supervised does not depend on what the ways into it
cost: these are paid for by leaving out a task or two at the end.

Targets that are supervised are reached by their own labels. The others choose one after the other
in random order: each draws uniformly among the ways that the sources open and that leave enough for
the cheapest ways of the targets after it. If ways cost nothing, this is a uniform draw for each
target. A row of which no beginning reaches every target is drawn again.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from models.tasks.arrays import Bools, Floats, Integers
from models.taxonomy.affinities import Affinities
from models.taxonomy.facts import Facts
from models.taxonomy.program.policies import Policies
from models.taxonomy.program.program import SLACK, budgets_of, make_program
from models.taxonomy.program.request import Request
from models.taxonomy.program.taxonomy import Taxonomy, quality_of

LEVEL = 0.01
TRIES = 20  # draws for each policy, after which feasible policies are called too rare


@dataclass(frozen=True)
class Drawn:
    """Scores of random policies. objective, gain, quality: [policy] float64; gain and quality are
    NaN where a control was not measured. transferred: [policy], mean quality of the targets that
    are reached by transfer. not_bought: [policy], mean quality of the targets that are reached by
    transfer or from scratch. Both are NaN where there are no such targets.
    """

    objective: Floats
    gain: Floats
    quality: Floats
    transferred: Floats
    not_bought: Floats

    def __len__(self) -> int:
        return len(self.objective)


class Lottery:
    """Draws random policies of one program as vectors."""

    def __init__(self, table: Affinities, request: Request) -> None:
        self.request = request
        # with the edges that no optimum needs, because a random policy may take them
        self.program = make_program(table, request, reduced=False)
        self.policies = Policies(self.program)
        self.count = len(self.program.nodes)
        budgets = budgets_of(request)
        # [budget, node], [budget, edge], [budget]
        self.prices = np.array(
            [[of_node(name) for name in self.program.nodes] for of_node, _, _ in budgets]
        )
        self.fares = np.array(
            [[of_edge(edge) for edge in self.program.edges] for _, of_edge, _ in budgets]
        )
        limits = np.array([limit for *_, limit in budgets])
        # sums of decimal costs may exceed the budget by rounding
        self.limits = limits * (1 + SLACK)
        # if ways cost nothing, more sources never reach fewer targets
        self.priced = bool(self.fares.any())
        # sorted by target, so that a draw slices the edges of a target
        self.by_target = np.argsort(self.policies.target_of, kind="stable")
        targets = np.arange(len(self.program.targets))
        self.starts = np.searchsorted(self.policies.target_of[self.by_target], targets)
        self.ends = np.append(self.starts[1:], len(self.by_target))
        edges = [table.of[edge] for edge in self.program.edges]
        own = [
            table.supervised(name) if name in self.program.own else None
            for name in self.program.nodes
        ]
        self.edge_gain = numbers([row.gain for row in edges])
        self.edge_quality = numbers([row.quality for row in edges])
        self.by_transfer = np.array([row.transfer.control is None for row in edges], bool)
        self.own_gain = numbers([row.gain if row else None for row in own])
        self.own_quality = numbers([quality_of(row) if row else None for row in own])

    def draw(self, rng: np.random.Generator, *, best_edges: bool) -> Floats | None:
        """Returns a random policy [nodes + edges], or None if the drawn sources do not reach every
        target. best_edges: take the best edges that the sources open instead of random ones.
        """
        # sources first, because edges are open only if their sources are supervised
        nodes = self.sources(rng)
        if nodes is None:
            return None
        if best_edges:
            return self.policies.best(nodes)
        open_edges = self.policies.open_edges(nodes)
        # rewards and random numbers are never negative, so that -1 marks a closed edge
        key = np.where(open_edges, rng.random(len(open_edges)), -1.0)
        targets = np.flatnonzero(~self.reached(nodes))
        if self.priced:
            targets = rng.permutation(targets)
        edges = self.edges(key, targets, self.limits - self.prices @ nodes)
        if edges is None:
            return None
        x = self.policies.vector(nodes)
        x[self.count + edges] = 1
        return x if self.policies.allowed(x) else None

    def sources(self, rng: np.random.Generator) -> Bools | None:
        """Returns a mask [nodes] of the longest beginning of a random row of sources that leaves
        enough for a way to every target, or None if there is none.
        """
        forced = self.program.low[: self.count] > 0
        draw = self.row(forced, rng.permutation(self.count))
        for length in range(len(draw), -1, -1):
            nodes = forced.copy()
            nodes[draw[:length]] = True
            if self.completable(nodes):
                return nodes
            if not self.priced:
                break
        return None

    def row(self, forced: Bools, order: Integers) -> list[int]:
        """Returns the nodes, in this order, whose prices fit the budgets in addition to the forced
        ones. forced: [nodes] bool; order: [nodes] positions.
        """
        row: list[int] = []
        resources_left = self.limits - self.prices @ forced
        for node in order.tolist():
            open_node = not forced[node] and self.program.high[node] > 0
            if open_node and (self.prices[:, node] <= resources_left).all():
                row.append(node)
                resources_left = resources_left - self.prices[:, node]
        return row

    def completable(self, nodes: Bools) -> bool:
        """Returns whether these nodes ([nodes] bool) and the cheapest way to every other target fit
        each budget.
        """
        ways = self.cheapest(self.policies.open_edges(nodes))[:, ~self.reached(nodes)]
        return bool((self.prices @ nodes + ways.sum(1) <= self.limits).all())

    def cheapest(self, open_edges: Bools) -> Floats:
        """Returns the cost of each target's cheapest open edge, [budget, target]; infinite if it
        has none.
        """
        costs = np.full((len(self.limits), len(self.program.targets)), np.inf)
        some = self.starts < self.ends
        if some.any():
            open_costs = np.where(open_edges, self.fares, np.inf)[:, self.by_target]
            # only targets with edges, because reduceat needs groups that are not empty
            costs[:, some] = np.minimum.reduceat(open_costs, self.starts[some], axis=1)
        return costs

    def reached(self, nodes: Bools) -> Bools:
        """Returns a mask [targets] of those that these nodes reach by their own supervision."""
        itself = np.zeros(len(self.program.targets), bool)
        itself[self.policies.own[self.own_nodes(nodes)]] = True
        return itself

    def own_nodes(self, nodes: Bools) -> Integers:
        """Returns [n], the positions of those of the nodes ([nodes] bool) that reach a target by
        their own supervision.
        """
        return np.flatnonzero(nodes & (self.policies.own >= 0))

    def edges(self, key: Floats, targets: Integers, resources_left: Floats) -> Integers | None:
        """Returns one edge for each of the `targets` [n]: the one with the largest key [edges]
        of 0 or more that leaves enough of `resources_left` [budget] for the cheapest edges of the
        targets after it. Returns None if a target has none.
        """
        selection = []
        ways = self.cheapest(key >= 0)[:, targets]
        # [budget, target]: what those after each target need at least
        needed = ways[:, ::-1].cumsum(1)[:, ::-1] - ways
        for place, target in enumerate(targets.tolist()):
            group = self.by_target[self.starts[target] : self.ends[target]]
            if self.priced:
                fits = self.fares[:, group] <= (resources_left - needed[:, place])[:, None]
                group = group[fits.all(0)]
            if not len(group):
                return None
            edge = group[np.argmax(key[group])]
            if key[edge] < 0:
                return None
            selection.append(edge)
            resources_left = resources_left - self.fares[:, edge]
        return np.array(selection, int)

    def scores(self, x: Floats) -> tuple[float, ...]:
        """Returns the numbers of `Drawn` for one policy x [nodes + edges], in its order."""
        own = self.own_nodes(x[: self.count] > 0)
        edges = np.flatnonzero(x[self.count :] > 0)
        gain = np.concatenate([self.own_gain[own], self.edge_gain[edges]])
        quality = np.concatenate([self.own_quality[own], self.edge_quality[edges]])
        parts = [edges[self.by_transfer[edges]], edges]
        return (
            float(self.program.reward @ x),
            float(gain.mean()),
            float(quality.mean()),
            # NaN instead of the mean of nothing
            *(float(self.edge_quality[some].mean()) if len(some) else np.nan for some in parts),
        )


def numbers(values: list[float | None]) -> Floats:
    """Returns the values as an array [n], with NaN for those that were not measured."""
    return np.array([np.nan if value is None else value for value in values], float)


def random_policies(
    table: Affinities,
    request: Request,
    count: int,
    rng: np.random.Generator,
    *,
    best_edges: bool = False,
) -> Drawn:
    """Returns the scores of up to `count` random policies as the module's docstring describes them;
    fewer if feasible ones are rare. best_edges: draw only the sources, and let targets take the
    best ways that fit (`Policies.best`).
    """
    lottery = Lottery(table, request)
    scores: list[tuple[float, ...]] = []
    # feasible policies may be rare, so the number of tries is bounded
    for _ in range(TRIES * count):
        if len(scores) == count:
            break
        x = lottery.draw(rng, best_edges=best_edges)
        if x is not None:
            scores.append(lottery.scores(x))
    columns = np.array(scores, float).reshape(-1, len(fields(Drawn))).T
    return Drawn(*columns)


def significance(
    table: Affinities, request: Request, policy: Taxonomy, *, policies: int = 1000, seed: int = 0
) -> Facts:
    """Returns a test of the chosen policy against random feasible ones of the same budget.

    p is the share that is at least as good, with the chosen policy counted among the draws; the
    verdict is at 1 %. The result is {"measure" ("quality" if it was measured, else "objective"),
    "observed", "random" {"mean", "low", "high"}, "policies", "p", "floor" (the least p that so many
    draws can give), "verdict", "best_edges": the same test against random sources whose targets
    take their best edges, which is harder and tests the sources alone}. If no random policy was
    found, "random", "p" and "floor" are missing.
    """
    tests = []
    for best in (False, True):
        # a generator for each test, so that one does not change the draws of the other
        rng = np.random.default_rng([seed, int(best)])
        draws = random_policies(table, request, policies, rng, best_edges=best)
        tests.append(compared(policy, draws, TRIES * policies))
    return {**tests[0], "best_edges": tests[1]}


def compared(policy: Taxonomy, draws: Drawn, tries: int) -> Facts:
    """Returns one test of `significance`. tries: number of draws, named if none of them was
    feasible.
    """
    # with one unmeasured edge the means would be over different targets
    measured = len(draws) > 0 and not np.isnan(draws.quality).any()
    name = "quality" if measured and policy.quality is not None else "objective"
    observed = float(getattr(policy, name))
    values: Floats = getattr(draws, name)
    if not len(draws):
        return {
            "measure": name,
            # nothing to compare with, so no p
            "observed": observed,
            "policies": 0,
            "verdict": f"none of {tries} random draws reaches every target within the budget; "
            "nothing to compare with",
        }
    # the observed policy counts among the draws, so that p is never 0; ties count against it
    p = float((1 + (values >= observed - 1e-12).sum()) / (1 + len(values)))
    floor = 1 / (1 + len(values))
    return {
        "measure": name,
        "observed": observed,
        "random": band(values),
        "policies": len(values),
        "p": p,
        "floor": floor,
        "verdict": verdict(p, floor),
    }


def verdict(p: float, floor: float) -> str:
    """Returns the verdict in words. A p at its floor is given as "at most", because more draws
    could only lower it.
    """
    value = (
        f"p = {p:.3f}" if p > floor else f"p <= {floor:.3f}, the least that these draws can show"
    )
    if p <= LEVEL:
        return f"better than random policies ({value})"
    return f"not distinguishable from random policies at 1 % ({value})"


def band(values: Floats) -> dict[str, float] | None:
    """Returns {"mean", "low", "high"} with the 5 to 95 % range of values [n], or None without
    values or if one is NaN.
    """
    values = np.asarray(values, float)
    if not len(values) or np.isnan(values).any():
        return None
    return {
        "mean": float(values.mean()),
        "low": float(np.quantile(values, 0.05)),
        "high": float(np.quantile(values, 0.95)),
    }
