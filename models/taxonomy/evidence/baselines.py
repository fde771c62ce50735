"""Other ways to spend the same budget: greedy choice, one good source, features learned by
classification, training everything from scratch.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.tasks.arrays import Floats
from models.taxonomy.affinities import Affinities
from models.taxonomy.facts import Facts
from models.taxonomy.program.answers import taxonomy_of
from models.taxonomy.program.policies import Policies
from models.taxonomy.program.program import Program, make_program
from models.taxonomy.program.request import Request
from models.taxonomy.program.solver import Answer
from models.taxonomy.program.taxonomy import Taxonomy

# The object classification tasks, in our spelling and that of the released files: the counterpart
# of "ImageNet features".
CLASSIFICATION = ("class_object", "class_1000")


def baselines(table: Affinities, request: Request, chosen: Taxonomy) -> list[Facts]:
    """Returns rows of name, supervised, objective, gain, quality, ways for: the taxonomy; greedy
    addition of sources; the one source that is best for all targets; the classification network for
    all targets; every target from scratch, if the table has that. A baseline that does not reach
    every target is left out.
    """
    policies = {
        "this taxonomy": chosen,
        "greedy": greedy(table, request),
        "single best source": best_single(table, request),
        "object classification features": classification(table, request),
        "everything from scratch": all_from_scratch(table, request),
    }
    return [
        {
            "name": name,
            "supervised": list(policy.supervised),
            "objective": policy.objective,
            "gain": policy.gain,
            "quality": policy.quality,
            "ways": policy.ways,
        }
        for name, policy in policies.items()
        if policy is not None
    ]


def alone(request: Request, name: str) -> Request:
    """Returns the request for a policy with one source: a budget that suffices for it, first-order
    transfers only, no second budget and no forced sources.
    """
    # an upper bound, because the edges are not chosen yet
    little = sum((request.transfer_cost or {}).values())
    # more than all edges together cost, because the edges are not chosen yet
    dear_edges = 1e6 if request.regime_cost or request.edge_cost else 0.0
    enough = max(request.cost_of(name) + little + dear_edges, 1e-6)
    # no second budget and no forced sources, because the question is about this source
    return replace(request, budget=enough, order=1, forced=frozenset(), second=None)


def greedy(table: Affinities, request: Request) -> Taxonomy | None:
    program = make_program(table, request)
    return as_taxonomy(table, request, program, Policies(program).greedy())


def classification(table: Affinities, request: Request) -> Taxonomy | None:
    """Returns the policy with the network of object classes as the only source, or None if there is
    none.
    """
    names = [name for name in CLASSIFICATION if name in table.sources]
    return with_sources(table, alone(request, names[0]), {names[0]}) if names else None


def all_from_scratch(table: Affinities, request: Request) -> Taxonomy | None:
    """Returns the policy without any source, or None if the table does not place training from
    scratch.
    """
    if not table.knows_scratch:
        return None
    # a forced source would be supervised, and this baseline supervises nothing
    return with_sources(table, replace(request, scratch=True, forced=frozenset()), set())


def with_sources(table: Affinities, request: Request, nodes: set[str]) -> Taxonomy | None:
    """Returns the best policy that supervises exactly `nodes`, or None if they do not reach every
    target.
    """
    program = make_program(table, request)
    if not nodes <= set(program.nodes):
        return None
    supervised = np.array([name in nodes for name in program.nodes])
    # with the best edges that the sources allow, so that the baseline is not needlessly weak
    return as_taxonomy(table, request, program, Policies(program).best(supervised))


def best_single(table: Affinities, request: Request) -> Taxonomy | None:
    """Returns the policy of the one source whose transfers into all targets have the highest
    objective, or None if no single source reaches every target.
    """
    barred = request.forbidden | request.target_only
    policies = [
        with_sources(table, alone(request, name), {name})
        for name in table.sources
        if name not in barred
    ]
    reaching = [policy for policy in policies if policy is not None]
    return max(reaching, key=lambda policy: policy.objective, default=None)


def as_taxonomy(
    table: Affinities, request: Request, program: Program, x: Floats | None
) -> Taxonomy | None:
    """Returns a vector [nodes + edges] as a taxonomy that is not proven best; None for None."""
    if x is None:
        return None
    # an infinite bound, because nothing is proven
    solution = Answer("feasible", x, float(program.reward @ x), np.inf, 0.0)
    return taxonomy_of(table, request, program, solution)
