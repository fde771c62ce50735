"""Other ways to spend the same budget: greed, one good source, features learned by classification."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.taxonomy.affinities import Affinities
from models.taxonomy.policies import Policies
from models.taxonomy.program import make_program
from models.taxonomy.request import Request
from models.taxonomy.solver import Answer
from models.taxonomy.solving import taxonomy_of
from models.taxonomy.taxonomy import Taxonomy

CLASSIFICATION = (
    "class_object",
    "class_1000",
)  # object classes: what "ImageNet features" stand for here and in the released files


def baselines(table: Affinities, request: Request, chosen: Taxonomy) -> list[dict]:
    """rows of name, supervised, objective, gain, quality: the taxonomy, greedy addition of sources,
    the one source that is best for everything, and the classification network for everything. A
    baseline that does not reach every target is left out.
    """
    found = {
        "this taxonomy": chosen,
        "greedy": greedy(table, request),
        "single best source": best_single(table, request),
    }
    names = [name for name in CLASSIFICATION if name in table.sources]
    if names:
        found["object classification features"] = with_sources(
            table, alone(request, names[0]), {names[0]}
        )
    return [
        {
            "name": name,
            "supervised": list(policy.supervised),
            "objective": policy.objective,
            "gain": policy.gain,
            "quality": policy.quality,
        }
        for name, policy in found.items()
        if policy is not None
    ]


def alone(request: Request, name: str) -> Request:
    """the request for one source: its cost is the budget, first-order transfers."""
    enough = (
        request.cost_of(name)
        + sum((request.transfer_cost or {}).values())
        + 1e6 * bool(request.regime_cost or request.edge_cost)
    )
    return replace(request, budget=max(enough, 1e-6), order=1, forced=frozenset(), second=None)


def greedy(table: Affinities, request: Request) -> Taxonomy | None:
    program = make_program(table, request)
    return as_taxonomy(table, request, program, Policies(program).greedy())


def with_sources(table: Affinities, request: Request, nodes: set[str]) -> Taxonomy | None:
    """the best policy that supervises exactly `nodes`, None if they do not reach every target."""
    program = make_program(table, request)
    if not nodes <= set(program.nodes):
        return None
    return as_taxonomy(
        table,
        request,
        program,
        Policies(program).best(np.array([name in nodes for name in program.nodes])),
    )


def best_single(table: Affinities, request: Request) -> Taxonomy | None:
    """the one source whose transfers into all targets are worth most."""
    names = [name for name in table.sources if name not in request.forbidden | request.target_only]
    found = [
        policy
        for name in names
        if (policy := with_sources(table, alone(request, name), {name})) is not None
    ]
    return max(found, key=lambda policy: policy.objective, default=None)


def as_taxonomy(
    table: Affinities, request: Request, program, x: np.ndarray | None
) -> Taxonomy | None:
    return (
        None
        if x is None
        else taxonomy_of(
            table, request, program, Answer("feasible", x, float(program.reward @ x), np.inf, 0.0)
        )
    )
