"""Prepares label-efficiency curves and the next labels for the page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from models.reports.words import count, titles
from models.taxonomy.facts import Facts

WIDTH, HEIGHT = 300.0, 150.0  # size of the chart, in SVG units
TOP = 0.6  # least quality at the chart's top; 0.5 is as good as all labels
# way -> (words, colour of the page)
WAYS: Mapping[str, tuple[str, str]] = {
    "transfer": ("transfer from the best source", "--s0"),
    "own_code": ("readout of the task's own code, which saw all labels", "--s2"),
    "scratch": ("from scratch", "--s1"),
    "pixels": ("readout of pixels", "--s3"),
}


def label_curves(facts: Facts | None) -> Facts | None:
    """Returns a chart of the means over targets with one line for each way, the rows of the
    targets, and the units of the intervals. Returns None if no curve was measured.
    """
    curves = (facts or {}).get("curves")
    if not facts or not curves or not curves["targets"]:
        return None
    images: dict[str, float] = facts["images"]
    names = sorted(images, key=lambda name: images[name])
    by_regime = {row["regime"]: row for row in curves["mean"]}
    top = max([TOP, *(row[way]["high"] for row in curves["mean"] for way in WAYS if row[way])])
    lines = [drawn(way, names, images, by_regime, top) for way in WAYS]
    return {
        "columns": [images[name] for name in names],
        "ticks": [(across(images[name], images), images[name]) for name in names],
        "levels": [(down(level, top), level) for level in (0.0, 0.25, 0.5)],
        "lines": [line for line in lines if line],
        "targets": target_rows(curves["targets"], names),
        "unit": curves["unit"],
        "units": curves["units"],
    }


def across(amount: float, images: Mapping[str, float]) -> float:
    """Returns the horizontal position of an amount, on a logarithmic scale."""
    low, high = math.log(min(images.values())), math.log(max(images.values()))
    # a single amount has no scale
    return WIDTH / 2 if high == low else (math.log(amount) - low) / (high - low) * WIDTH


def down(quality: float, top: float) -> float:
    """Returns the vertical position of a quality; `top` is at the chart's upper end."""
    return HEIGHT * (1 - quality / top)


def drawn(
    way: str,
    names: Sequence[str],
    images: Mapping[str, float],
    rows: Mapping[str, Facts],
    top: float,
) -> Facts | None:
    """Returns the line and band of one way, over the amounts at which it was measured; None if it
    was not.
    """
    here = [(images[name], rows[name]) for name in names if name in rows and rows[name][way]]
    if not here:
        return None
    places = [(across(amount, images), row[way]) for amount, row in here]
    upper = [f"{x:.1f},{down(value['high'], top):.1f}" for x, value in places]
    # backwards, so that the upper and lower edge make one outline
    lower = [f"{x:.1f},{down(value['low'], top):.1f}" for x, value in reversed(places)]
    words, colour = WAYS[way]
    return {
        "words": words,
        "colour": colour,
        "targets": here[0][1]["targets"][way],
        "points": [(x, down(value["quality"], top)) for x, value in places],
        "band": " ".join([*upper, *lower]),
        "values": [(amount, row[way]) for amount, row in here],
    }


def target_rows(rows: Sequence[Facts], names: Sequence[str]) -> list[Facts]:
    """Returns one row for each target: its ways that were measured, with values in the order of
    `names`.
    """
    targets: dict[str, dict[str, Facts]] = {}
    for row in rows:
        targets.setdefault(row["target"], {})[row["regime"]] = row
    return [
        {
            "target": target,
            "ways": [
                (words, [here[name][way] if name in here else None for name in names])
                for way, (words, _) in WAYS.items()
                if any(row[way] for row in here.values())
            ],
        }
        for target, here in targets.items()
    ]


def next_words(facts: Facts | None) -> list[str]:
    """Returns one sentence for each number of next labels that says what to buy; empty if it was
    not computed.
    """
    spending = (facts or {}).get("spending") or {}
    return [sentence(row) for row in spending.get("next", [])]


def sentence(row: Facts) -> str:
    """Returns a sentence that says which labels to buy next and what they are expected to gain."""
    more = f"The next {count(row['more'])} labels"
    if not row["buy"]:
        if not row["alone"]:
            return f"{more} are best kept: no step of any task gains anything."
        step = row["alone"][0]
        return (
            f"{more} buy nothing: no step of that size makes any target better. The step that "
            f"gains most for its cost is {titles([step['task']])} up to {count(step['amount'])} "
            f"({count(step['labels'])} labels{gain_words(step)})."
        )
    bought = [f"{count(one['labels'])} of {titles([one['task']])}" for one in row["buy"]]
    return f"{more}: {', '.join(bought)}{gain_words(row['gain'] or {})}."


def gain_words(gain: Facts) -> str:
    """Returns in words the expected change of objective and mean quality, as far as they
    are known.
    """
    if "objective" not in gain:
        return ""
    quality = gain.get("quality")
    quality_words = "" if quality is None else f", of mean quality {quality:+.3f}"
    return f"; expected change of the objective {gain['objective']:+.3f}{quality_words}"


def budget_rows(facts: Facts | None) -> list[Facts]:
    """Returns what the same labels reach with one amount and with any."""
    spending = (facts or {}).get("spending") or {}
    rows: list[Facts] = spending.get("budgets", [])
    return rows


def counted_before(facts: Facts | None, targets: int) -> bool:
    """Returns whether the rows of `budget_rows` were written by earlier code, which counted the
    largest amount for all of the `targets`, including those that are labelled in full. Such rows
    all have that sum, and some policy leaves the part that it does not need.
    """
    rows = budget_rows(facts)
    spending: Facts = (facts or {}).get("spending") or {}
    if not rows:
        return False
    others = targets * max(spending["amounts"].values())
    has_sum = [row["labels"] == row["tasks"] * spending["full"] + others for row in rows]
    has_rest = [row["fixed"] is not None and row["fixed"]["spent"] < row["labels"] for row in rows]
    return all(has_sum) and any(has_rest)
