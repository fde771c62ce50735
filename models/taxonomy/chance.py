"""Random feasible policies: what a budget buys without thinking (paper, section 4.3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.taxonomy.affinities import Affinities
from models.taxonomy.policies import Policies
from models.taxonomy.program import make_program
from models.taxonomy.request import Request
from models.taxonomy.taxonomy import Taxonomy

LEVEL = 0.01


@dataclass(frozen=True)
class Drawn:
    """objective, gain, quality: [policy] float64 of random policies; gain and quality NaN where a
    control was not measured.
    """

    objective: np.ndarray
    gain: np.ndarray
    quality: np.ndarray

    def __len__(self) -> int:
        return len(self.objective)


def random_policies(
    table: Affinities,
    request: Request,
    count: int,
    rng: np.random.Generator,
    *,
    best_edges: bool = False,
) -> Drawn:
    """up to `count` feasible policies: sources drawn evenly one by one while the budget lasts;
    every target by an evenly drawn transfer of those that the sources allow (`best_edges`: by the
    best of them), or by itself if it is supervised. Fewer if feasible ones are too rare to draw.
    """
    program = make_program(table, request, reduced=False)
    policies, nodes, rewards = Policies(program), len(program.nodes), program.reward
    by_target = np.argsort(policies.target_of, kind="stable")
    starts = np.searchsorted(policies.target_of[by_target], np.arange(len(program.targets)))
    reach = np.bincount(policies.target_of, minlength=len(program.targets)) > 0
    prices = np.array([request.cost_of(name) for name in program.nodes])
    numbers = edge_numbers(table, program)
    found: dict[str, list[float]] = {"objective": [], "gain": [], "quality": []}
    for _ in range(20 * count):
        if len(found["objective"]) == count:
            break
        x = np.zeros(len(rewards))
        x[:nodes] = drawn_sources(program, prices, request.budget, rng)
        open_ = (np.asarray(policies.uses @ x[:nodes]).ravel() == policies.order) & (
            program.high[nodes:] > 0
        )
        key = np.where(open_, rewards[nodes:] if best_edges else rng.random(len(open_)), -1.0)
        own = np.zeros(len(program.targets), bool)
        own[policies.own[(x[:nodes] > 0) & (policies.own >= 0)]] = True
        chosen = chosen_edges(key, by_target, starts, reach, ~own)
        if chosen is None:
            continue
        x[nodes + chosen] = 1
        if not policies.allowed(x):
            continue
        found["objective"].append(float(rewards @ x))
        for name in ("gain", "quality"):
            alone = numbers[name][0][(x[:nodes] > 0) & (policies.own >= 0)]
            found[name].append(float(np.concatenate([alone, numbers[name][1][chosen]]).mean()))
    return Drawn(*(np.array(found[name]) for name in ("objective", "gain", "quality")))


def drawn_sources(
    program, prices: np.ndarray, budget: float, rng: np.random.Generator
) -> np.ndarray:
    """[nodes] bool: forced sources, then others in random order as long as they fit into the
    budget.
    """
    nodes = program.low[: len(prices)] > 0
    left = budget - prices[nodes].sum()
    for node in rng.permutation(len(prices)):
        if not nodes[node] and program.high[node] > 0 and prices[node] <= left + 1e-9:
            nodes[node] = True
            left -= prices[node]
    return nodes


def chosen_edges(
    key: np.ndarray,
    by_target: np.ndarray,
    starts: np.ndarray,
    reach: np.ndarray,
    wanted: np.ndarray,
) -> np.ndarray | None:
    """edge with the largest key of every wanted target; None if one has no edge with a key of 0 or
    more.
    """
    if (wanted & ~reach).any():
        return None
    ends = np.append(starts[1:], len(by_target))
    chosen = np.array(
        [
            by_target[a + np.argmax(key[by_target[a:b]])]
            for a, b, want in zip(starts, ends, wanted)
            if want
        ],
        int,
    )
    return chosen if (key[chosen] >= 0).all() else None


def edge_numbers(table: Affinities, program) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """ "gain", "quality" -> ([nodes] of the supervised networks, [edges]), NaN where not measured."""
    number = lambda value: np.nan if value is None else value
    own = [table.supervised(name) if name in program.own else None for name in program.nodes]
    return {
        "gain": (
            np.array([np.nan if row is None else number(row.gain) for row in own]),
            np.array([number(table.of[edge].gain) for edge in program.edges]),
        ),
        "quality": (
            np.full(len(own), 0.5),
            np.array([number(table.of[edge].quality) for edge in program.edges]),
        ),
    }


def significance(
    table: Affinities, request: Request, chosen: Taxonomy, *, policies: int = 1000, seed: int = 0
) -> dict:
    """the chosen policy against random feasible ones of the same budget: p = share at least as good
    (with the usual one added), verdict at 1 %.

    {"measure" ("quality" if it was measured, else "objective"), "observed", "random" {"mean",
    "low", "high"}, "policies", "p", "verdict", "best_edges": the same against random sources whose
    targets take their best edges, a harder test of the sources alone}.
    """
    tests = [
        compared(
            chosen,
            random_policies(
                table, request, policies, np.random.default_rng([seed, best]), best_edges=bool(best)
            ),
        )
        for best in (0, 1)
    ]
    return {**tests[0], "best_edges": tests[1]}


def compared(chosen: Taxonomy, drawn: Drawn) -> dict:
    measured = chosen.quality is not None and len(drawn) and not np.isnan(drawn.quality).any()
    name = "quality" if measured else "objective"
    own, values = (
        (chosen.quality, drawn.quality) if measured else (chosen.objective, drawn.objective)
    )
    if not len(drawn):
        return {
            "measure": name,
            "observed": own,
            "policies": 0,
            "verdict": "no random policy of this budget reaches every target; nothing to compare "
            "with",
        }
    p = float((1 + (values >= own - 1e-12).sum()) / (1 + len(values)))
    verdict = (
        f"better than random policies (p = {p:.3f})"
        if p <= LEVEL
        else f"not distinguishable from random policies at 1 % (p = {p:.3f})"
    )
    return {
        "measure": name,
        "observed": own,
        "random": band(values),
        "policies": len(values),
        "p": p,
        "verdict": verdict,
    }


def band(values: np.ndarray) -> dict | None:
    """mean and 5 to 95 % range; None without values."""
    values = np.asarray(values, float)
    if not len(values) or np.isnan(values).any():
        return None
    return {
        "mean": float(values.mean()),
        "low": float(np.quantile(values, 0.05)),
        "high": float(np.quantile(values, 0.95)),
    }
