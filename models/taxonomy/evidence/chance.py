"""Random feasible policies: what a budget buys without thinking (paper, section 4.3).

Which policies these are, exactly. Tasks that may be supervised stand in a row, the forced ones
first, the others in an order of which each is equally likely. Along the row each is taken whose own
price still fits into the budgets; what does not fit is passed over. Of those taken, the longest
beginning counts that leaves enough for a way to every target. So a task's chance to be supervised
does not hang on what the ways into it cost; a beginning shorter by a task or two pays for ways.
Targets that are supervised are their own labels. The others take turns, in an order of which each
is equally likely: each draws evenly among the ways that the sources open and that leave enough for
the cheapest ways of those after it. Where ways cost nothing, this is an even draw for each. Rows of
which no beginning reaches every target are drawn again.
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
TRIES = 20  # draws a policy, before feasible ones are called too rare


@dataclass(frozen=True)
class Drawn:
    """objective, gain, quality: [policy] float64 of random policies; gain and quality NaN where a
    control was not measured. transferred, not_bought [policy]: mean quality of the targets that are
    reached by transfer, and of those that are not their own labels (by transfer or from scratch);
    NaN where there are none.
    """

    objective: Floats
    gain: Floats
    quality: Floats
    transferred: Floats
    not_bought: Floats

    def __len__(self) -> int:
        return len(self.objective)


class Lottery:
    """Draws of one program's policies, vector by vector."""

    def __init__(self, table: Affinities, request: Request) -> None:
        self.request = request
        # edges that no optimum needs are drawn, too: a random policy is not a clever one
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
        # sums of decimal costs miss the budget by rounding
        self.limits = limits * (1 + SLACK)
        # where ways cost nothing, more sources never reach fewer targets
        self.priced = bool(self.fares.any())
        # edges of one target lie side by side: a draw slices them instead of searching
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
        """a policy [nodes + edges]; None if the drawn sources do not reach every target."""
        # sources first: edges are only open where their sources are supervised
        nodes = self.sources(rng)
        if nodes is None:
            return None
        if best_edges:
            return self.policies.best(nodes)
        open_edges = self.policies.open_edges(nodes)
        # rewards and random numbers are never negative, so that -1 marks a closed edge
        key = np.where(open_edges, rng.random(len(open_edges)), -1.0)
        wanted = np.flatnonzero(~self.reached(nodes))
        if self.priced:
            wanted = rng.permutation(wanted)
        chosen = self.edges(key, wanted, self.limits - self.prices @ nodes)
        if chosen is None:
            return None
        x = self.policies.vector(nodes)
        x[self.count + chosen] = 1
        return x if self.policies.allowed(x) else None

    def sources(self, rng: np.random.Generator) -> Bools | None:
        """[nodes]: the longest beginning of a random row of sources that leaves enough for a way to
        every target; None if there is none.
        """
        forced = self.program.low[: self.count] > 0
        taken = self.row(forced, rng.permutation(self.count))
        for length in range(len(taken), -1, -1):
            nodes = forced.copy()
            nodes[taken[:length]] = True
            if self.completable(nodes):
                return nodes
            if not self.priced:
                break
        return None

    def row(self, forced: Bools, order: Integers) -> list[int]:
        """the nodes in this order whose prices fit into the budgets beside the forced ones."""
        taken: list[int] = []
        left = self.limits - self.prices @ forced
        for node in order.tolist():
            open_node = not forced[node] and self.program.high[node] > 0
            if open_node and (self.prices[:, node] <= left).all():
                taken.append(node)
                left = left - self.prices[:, node]
        return taken

    def completable(self, nodes: Bools) -> bool:
        """do these nodes and the cheapest way to every other target fit into each budget?"""
        ways = self.cheapest(self.policies.open_edges(nodes))[:, ~self.reached(nodes)]
        return bool((self.prices @ nodes + ways.sum(1) <= self.limits).all())

    def cheapest(self, open_edges: Bools) -> Floats:
        """[budget, target]: what the cheapest open edge of each target costs; infinite without."""
        costs = np.full((len(self.limits), len(self.program.targets)), np.inf)
        some = self.starts < self.ends
        if some.any():
            open_costs = np.where(open_edges, self.fares, np.inf)[:, self.by_target]
            # groups without an edge left out: the next one begins where the last one ends
            costs[:, some] = np.minimum.reduceat(open_costs, self.starts[some], axis=1)
        return costs

    def reached(self, nodes: Bools) -> Bools:
        """[targets]: those that these nodes reach by themselves."""
        itself = np.zeros(len(self.program.targets), bool)
        itself[self.policies.own[self.own_nodes(nodes)]] = True
        return itself

    def own_nodes(self, nodes: Bools) -> Integers:
        """positions of the nodes that reach a target by themselves."""
        return np.flatnonzero(nodes & (self.policies.own >= 0))

    def edges(self, key: Floats, wanted: Integers, left: Floats) -> Integers | None:
        """of each wanted target in turn, its edge with the largest key [edges] of 0 or more that
        leaves enough of `left` [budget] for the cheapest of those after it; None if one has none.
        """
        chosen = []
        ways = self.cheapest(key >= 0)[:, wanted]
        # [budget, wanted]: what those after each target need at least
        needed = ways[:, ::-1].cumsum(1)[:, ::-1] - ways
        for place, target in enumerate(wanted.tolist()):
            group = self.by_target[self.starts[target] : self.ends[target]]
            if self.priced:
                fits = self.fares[:, group] <= (left - needed[:, place])[:, None]
                group = group[fits.all(0)]
            if not len(group):
                return None
            edge = group[np.argmax(key[group])]
            if key[edge] < 0:
                return None
            chosen.append(edge)
            left = left - self.fares[:, edge]
        return np.array(chosen, int)

    def scores(self, x: Floats) -> tuple[float, ...]:
        """the numbers of `Drawn`, in its order."""
        own = self.own_nodes(x[: self.count] > 0)
        edges = np.flatnonzero(x[self.count :] > 0)
        gain = np.concatenate([self.own_gain[own], self.edge_gain[edges]])
        quality = np.concatenate([self.own_quality[own], self.edge_quality[edges]])
        apart = [edges[self.by_transfer[edges]], edges]
        return (
            float(self.program.reward @ x),
            float(gain.mean()),
            float(quality.mean()),
            # no mean of nothing
            *(float(self.edge_quality[some].mean()) if len(some) else np.nan for some in apart),
        )


def numbers(values: list[float | None]) -> Floats:
    """NaN for what was not measured."""
    return np.array([np.nan if value is None else value for value in values], float)


def random_policies(
    table: Affinities,
    request: Request,
    count: int,
    rng: np.random.Generator,
    *,
    best_edges: bool = False,
) -> Drawn:
    """up to `count` policies of the population above; `best_edges`: the same sources, whose targets
    take the best ways that fit (`Policies.best`). Fewer if feasible ones are too rare to draw.
    """
    lottery = Lottery(table, request)
    scores: list[tuple[float, ...]] = []
    # feasible ones may be rare: a bound on the tries, not on the draws
    for _ in range(TRIES * count):
        if len(scores) == count:
            break
        x = lottery.draw(rng, best_edges=best_edges)
        if x is not None:
            scores.append(lottery.scores(x))
    columns = np.array(scores, float).reshape(-1, len(fields(Drawn))).T
    return Drawn(*columns)


def significance(
    table: Affinities, request: Request, chosen: Taxonomy, *, policies: int = 1000, seed: int = 0
) -> Facts:
    """the chosen policy against random feasible ones of the same budget (the population above): p =
    share at least as good (with the usual one added), verdict at 1 %; no p where none was found.

    {"measure" ("quality" if it was measured, else "objective"), "observed", "random" {"mean",
    "low", "high"}, "policies", "p", "floor" (the least p that so many draws can give), "verdict",
    "best_edges": the same against random sources whose targets take their best edges, a harder test
    of the sources alone}.
    """
    tests = []
    for best in (False, True):
        # a generator a test: one does not move the other's draws
        rng = np.random.default_rng([seed, int(best)])
        drawn = random_policies(table, request, policies, rng, best_edges=best)
        tests.append(compared(chosen, drawn, TRIES * policies))
    return {**tests[0], "best_edges": tests[1]}


def compared(chosen: Taxonomy, drawn: Drawn, tries: int) -> Facts:
    """tries: draws after which none counts as not to be found."""
    # with one unmeasured edge the means would be over different targets
    measured = len(drawn) > 0 and not np.isnan(drawn.quality).any()
    name = "quality" if measured and chosen.quality is not None else "objective"
    observed = float(getattr(chosen, name))
    values: Floats = getattr(drawn, name)
    if not len(drawn):
        return {
            "measure": name,
            # no observation of chance: no p
            "observed": observed,
            "policies": 0,
            "verdict": f"none of {tries} random draws reaches every target within the budget; "
            "nothing to compare with",
        }
    # the observed policy counts among the draws: finite draws never show a p of 0; ties count
    # against it
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
    """in words; a p at its floor is "at most", since more draws could only show it smaller."""
    value = (
        f"p = {p:.3f}" if p > floor else f"p <= {floor:.3f}, the least that these draws can show"
    )
    if p <= LEVEL:
        return f"better than random policies ({value})"
    return f"not distinguishable from random policies at 1 % ({value})"


def band(values: Floats) -> dict[str, float] | None:
    """mean and 5 to 95 % range; None without values."""
    values = np.asarray(values, float)
    if not len(values) or np.isnan(values).any():
        return None
    return {
        "mean": float(values.mean()),
        "low": float(np.quantile(values, 0.05)),
        "high": float(np.quantile(values, 0.95)),
    }
