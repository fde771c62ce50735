"""Decides which targets have a ranking of sources at all. A target whose best source does not beat
its average, or whose seeds disagree, is "not ranked": its order of sources is noise, wherever it is
used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from scipy.special import stdtrit

from models.taxonomy.affinities import Affinities
from models.taxonomy.evidence.agreement import agreement
from models.taxonomy.facts import Facts

SEEDS_AGREE = 0.5  # mean rank correlation of two seeds below which an order is called noise
# one-sided, because the question is whether the source is better
CHANCE = 0.95
NORMAL = 1.645  # standard errors of many independent images below which that share lies


def not_ranked(table: Affinities, seeds: Sequence[Affinities] = ()) -> dict[str, str]:
    """Returns target -> why its sources are not ranked. Targets that are ranked, or about which the
    table does not say, are left out. seeds: tables of the same measurement with other seeds.
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
    """Returns in words that a target's best source does not beat the average on more images than
    chance gives, or None if it does or was not measured. Chance is a win rate of 0.5; its standard
    error is that over buildings, if images name theirs, and at least that of independent images.
    """
    rate = facts.get("over_average")
    images = facts.get("images")
    if rate is None or not images:
        return None
    # standard error of a rate of one half over independent images
    error, errors, beside = 0.5 / np.sqrt(images), NORMAL, ""
    buildings = facts.get("buildings")
    if buildings:
        error = max(error, facts.get("over_average_error") or 0.0)
        # Student's t, because few buildings estimate their spread badly
        errors = float(stdtrit(buildings - 1, CHANCE))
        beside = f", of {buildings} buildings"
    needed = 0.5 + errors * error
    if rate >= needed:
        return None
    return (
        f"its best source beats the average on {100 * rate:.0f} % of the test images "
        f"({luck_words(needed)}{beside})"
    )


def luck_words(needed: float) -> str:
    """Returns in words which share of images would be enough, if any is."""
    if needed > 1:
        return "no share would be more than luck"
    return f"{100 * needed:.0f} % would not be luck"


def seed_agreement(tables: Sequence[Affinities]) -> dict[str, float]:
    """Returns target -> mean Spearman correlation of its first-order affinities over all pairs of
    tables; empty for one table.
    """
    scores: dict[str, list[float]] = {}
    for first, second in combinations(tables, 2):
        # a single resample, because only the correlation is needed, not its interval
        for target, facts in agreement(first, second, resamples=1)["targets"].items():
            if np.isfinite(facts["spearman"]):
                scores.setdefault(target, []).append(facts["spearman"])
    return {target: float(np.mean(values)) for target, values in scores.items()}


def mark(target: str, reasons: Mapping[str, str]) -> str:
    """Returns the target's name, with a star if it is not ranked."""
    return f"{target} *" if target in reasons else target
