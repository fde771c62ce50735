"""Brings the evidence of earlier code to the present form, so that older runs are drawn like any
other.

Earlier code used "transferred" for all targets that are not their own labels, including those from
scratch. If no training from scratch was on offer, both are the same. Otherwise the mean over
transfers alone is computed from the edges where they are stored with it, and is unknown elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from models.reports.words import mean
from models.taxonomy.facts import Facts

# Keys that parts of the evidence have today but earlier code did not write, with their defaults.
LATER: dict[str, Facts] = {
    "stability": {"quality": None, "unit": "image", "units": None, "resamples": None},
    "served": {"crossfit": None},
}


def in_present_words(evidence: Facts) -> Facts:
    """Returns the evidence in which every part that exists has all keys that the page reads."""
    scratch = bool(evidence.get("scratch"))
    change: dict[str, Callable[[Any], Any]] = {
        "crossfit": lambda rows: [cross_fitted(row) for row in rows],
        "served": lambda facts: served(facts, scratch),
        "curves": lambda rows: [curve(row, scratch) for row in rows],
        "headline": lambda rows: [saving(row) for row in rows],
    }
    present = {
        name: {**LATER[name], **facts} if name in LATER and facts else facts
        for name, facts in evidence.items()
    }
    return {
        name: change[name](facts) if name in change and facts else facts
        for name, facts in present.items()
    }


def means(facts: Facts, transferred: float | None) -> Facts:
    """Returns the numbers of `crossfit.means_of` in the present form. In the earlier form
    "transferred" was the mean of all targets that are not bought, and `transferred` now takes its
    place.
    """
    if "not_bought" in facts:
        return facts
    return {**facts, "transferred": transferred, "not_bought": facts.get("transferred")}


def cross_fitted(row: Facts) -> Facts:
    def transferred(facts: Facts) -> float | None:
        return None if row.get("scratch") else facts.get("transferred")

    own = row["in_sample"]
    return {**means(row, transferred(row)), "in_sample": means(own, transferred(own))}


def served(facts: Facts, scratch: bool) -> Facts:
    edges, crossfit = facts["edges"], facts["crossfit"]
    forms = {
        form: means(facts[form], mean(edge[form]["quality"] for edge in edges))
        for form in ("measured", "served")
    }
    halves = crossfit and {
        form: means(crossfit[form], None if scratch else crossfit[form].get("transferred"))
        for form in forms
    }
    return {**facts, **forms, "crossfit": crossfit and {"shared": None, **crossfit, **halves}}


def curve(row: Facts, scratch: bool) -> Facts:
    """Returns a point of the curves in the present form. In the earlier form the band of
    transferred targets included those from scratch.
    """
    band = row.get("random_transferred")
    if "random_not_bought" in row:
        return {**row, "random_transferred": band}
    return {**row, "random_transferred": None if scratch else band, "random_not_bought": band}


def saving(row: Facts) -> Facts:
    """Returns a row of the savings in the present form. In the earlier form the part without bought
    targets was called "transferred".
    """
    if "not_bought" in row:
        return row
    return {**row, "not_bought": row.get("transferred")}
