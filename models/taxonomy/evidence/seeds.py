"""Asks the same question of several measurements that differ only in their seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.taxonomy.affinities import Affinities
from models.taxonomy.evidence.stability import judged_by
from models.taxonomy.evidence.standing import seed_agreement
from models.taxonomy.facts import Facts
from models.taxonomy.program.answers import attempt
from models.taxonomy.program.request import Request
from models.taxonomy.program.taxonomy import Edge, Taxonomy


def seed_rows(tables: Sequence[Affinities], request: Request, reference: Taxonomy) -> list[Facts]:
    """Returns one row for each measurement, the policy's own first: "measurement" (from 1),
    "supervised" (its own choice), "same_sources", "edges_again" (share of the policy's edges that
    its own choice has too), "spearman" (mean over targets of its first-order affinities' rank
    correlation with the first measurement), "quality" (of its own choice), "quality_of_this_policy"
    (the policy judged by it). Numbers are None if they were not measured or the measurement has no
    policy.
    """
    return [
        seed_row(number, table, tables[0], request, reference)
        for number, table in enumerate(tables, 1)
    ]


def seed_row(
    number: int, table: Affinities, first: Affinities, request: Request, reference: Taxonomy
) -> Facts:
    policy = attempt(table, request)
    # the first agrees with itself by definition
    scores = list(seed_agreement([first, table]).values()) if number > 1 else []
    return {
        "measurement": number,
        "supervised": [] if policy is None else list(policy.supervised),
        "same_sources": same_sources(policy, reference),
        "edges_again": None if policy is None else edges_again(policy, reference),
        "spearman": float(np.mean(scores)) if scores else None,
        "quality": None if policy is None else policy.quality,
        "quality_of_this_policy": judged_by(table, reference)["quality"],
    }


def same_sources(policy: Taxonomy | None, reference: Taxonomy) -> str:
    """Returns "yes" if both policies supervise the same tasks, otherwise "no"."""
    return "yes" if policy is not None and policy.supervised == reference.supervised else "no"


def edges_again(policy: Taxonomy, reference: Taxonomy) -> float:
    """Returns the share of the chosen policy's edges that `policy` has too."""
    ways = {edge.transfer.target: way_of(edge) for edge in policy.edges}
    again = [ways.get(edge.transfer.target) == way_of(edge) for edge in reference.edges]
    return float(np.mean(again))


def way_of(edge: Edge) -> tuple[str, frozenset[str], str]:
    """Returns how an edge reaches its target, as a key that does not depend on the order of the
    sources.
    """
    return edge.way, frozenset(edge.transfer.sources), edge.transfer.regime
