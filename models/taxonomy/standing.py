"""Which targets have a ranking of sources at all? One whose best source does not beat its average,
or whose seeds disagree, is "not ranked": its order of sources is noise, wherever it is used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from models.taxonomy.affinities import Affinities
from models.taxonomy.agreement import agreement
from models.taxonomy.facts import Facts

SEEDS_AGREE = 0.5  # mean rank correlation of two seeds below which an order is called noise
# one side: being better is asked
CHANCE = 1.645  # standard errors: one side, 5 %


def not_ranked(table: Affinities, seeds: Sequence[Affinities] = ()) -> dict[str, str]:
    """target -> why its sources are not ranked; targets that are ranked, or of which the table does
    not know, are left out. seeds: tables of the same measurement with other seeds, two or more with
    `table` itself.
    """
    reasons = {}
    for name, facts in table.diagnostics.items():
        reason = beaten_by_average(facts)
        if reason:
            reasons[name] = reason
    for target, score in seed_agreement([table, *seeds]).items():
        if score < SEEDS_AGREE:
            reasons.setdefault(target, f"seeds disagree on its sources (Spearman {score:.2f})")
    return reasons


def beaten_by_average(facts: Facts) -> str | None:
    """does the best source beat the average on more images than luck gives? A win rate of 0.5 is
    none; its standard error is at least that of independent images.
    """
    rate = facts.get("over_average")
    images = facts.get("images")
    if rate is None or not images:
        return None
    # standard error of a rate of one half over independent images
    needed = 0.5 + CHANCE * 0.5 / np.sqrt(images)
    if rate >= needed:
        return None
    return (
        f"its best source beats the average on {100 * rate:.0f} % of the test images "
        f"({100 * needed:.0f} % would not be luck)"
    )


def seed_agreement(tables: Sequence[Affinities]) -> dict[str, float]:
    """target -> mean Spearman of its first-order affinities over all pairs of tables; empty for one
    table.
    """
    scores: dict[str, list[float]] = {}
    for first, second in combinations(tables, 2):
        # one draw: the correlation is wanted, not its interval
        for target, facts in agreement(first, second, resamples=1)["targets"].items():
            if np.isfinite(facts["spearman"]):
                scores.setdefault(target, []).append(facts["spearman"])
    return {target: float(np.mean(values)) for target, values in scores.items()}


def mark(target: str, reasons: Mapping[str, str]) -> str:
    """the target's name, with a star if it is not ranked."""
    return f"{target} *" if target in reasons else target
