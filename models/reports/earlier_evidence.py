"""Evidence of earlier code in the words of this one, so that older runs are drawn like any other.

Earlier code said "transferred" of all targets that are not their own labels, those from scratch
among them. Where none were on offer both are the same; elsewhere the mean over transfers alone is
taken from the edges where they lie beside it, and is not known otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from models.reports.words import mean

if TYPE_CHECKING:
    # which reads evidence through this module
    from models.reports.run_files import Facts

# What parts of the evidence say today and did not always, each with what stands for "not said".
LATER: dict[str, Facts] = {
    "stability": {"quality": None, "unit": "image", "units": None, "resamples": None},
    "served": {"crossfit": None},
}


def in_present_words(evidence: Facts) -> Facts:
    """the evidence with every key that the page reads of a part that is there."""
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
    """numbers of `crossfit.means_of`, whose "transferred" was the mean of all that are not bought.

    transferred: what takes its place.
    """
    if "not_bought" in facts:
        return facts
    return {**facts, "transferred": transferred, "not_bought": facts.get("transferred")}


def cross_fitted(row: Facts) -> Facts:
    def known(facts: Facts) -> float | None:
        return None if row.get("scratch") else facts.get("transferred")

    own = row["in_sample"]
    return {**means(row, known(row)), "in_sample": means(own, known(own))}


def served(facts: Facts, scratch: bool) -> Facts:
    edges, apart = facts["edges"], facts["crossfit"]
    forms = {
        form: means(facts[form], mean(edge[form]["quality"] for edge in edges))
        for form in ("measured", "served")
    }
    halves = apart and {
        form: means(apart[form], None if scratch else apart[form].get("transferred"))
        for form in forms
    }
    return {**facts, **forms, "crossfit": apart and {"shared": None, **apart, **halves}}


def curve(row: Facts, scratch: bool) -> Facts:
    """a point of the curves, whose band of transferred targets had those from scratch inside."""
    band = row.get("random_transferred")
    if "random_not_bought" in row:
        return {**row, "random_transferred": band}
    return {**row, "random_transferred": None if scratch else band, "random_not_bought": band}


def saving(row: Facts) -> Facts:
    """a row of the savings, of which the part without bought targets had another name."""
    if "not_bought" in row:
        return row
    return {**row, "not_bought": row.get("transferred")}
