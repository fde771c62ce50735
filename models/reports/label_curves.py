"""Prepares label-efficiency curves and the next labels for the page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.reports.words import count, titles
from models.taxonomy.facts import Facts

WIDTH, HEIGHT = 300.0, 150.0  # size of the chart, in SVG units
TOP = 0.6  # least quality at the chart's top; 0.5 is as good as all labels
NARROWEST = 24.0  # least distance of two amounts that are named below the chart, in SVG units
# way -> (words, colour of the page)
WAYS: Mapping[str, tuple[str, str]] = {
    "transfer": ("transfer from the best source", "--s0"),
    "own_code": ("readout of the task's own code, which saw all labels", "--s2"),
    "scratch": ("from scratch", "--s1"),
    "pixels": ("readout of pixels", "--s3"),
}
SUPERVISED = ("supervised, the task's own network by train views", "--ink")
ALL_LABELS = 0.5  # quality of the network that all labels taught, by definition
# An amount of labels, and its {"quality", "low", "high"}.
Point = tuple[float, Facts]


def label_curves(facts: Facts | None) -> Facts | None:
    """Returns a chart of the means over targets with one line for each way, the rows of the
    targets, those of the networks that shares of the labels taught, and the units of the intervals.
    Returns None if no curve was measured.
    """
    curves = (facts or {}).get("curves")
    if not facts or not curves or not curves["targets"]:
        return None
    images: dict[str, float] = facts["images"]
    names = sorted(images, key=lambda name: images[name])
    means = {row["regime"]: row for row in curves["mean"]}
    lines = {
        way: [(images[name], means[name][way]) for name in names if name in means] for way in WAYS
    }
    # earlier runs have none
    shares = curves.get("supervised") or {"targets": [], "mean": []}
    own = supervised_points(shares["mean"], (facts.get("spending") or {}).get("full"))
    amounts = sorted({*images.values(), *(amount for amount, _ in own)})
    every = [value for points in (*lines.values(), own) for _, value in points if value]
    scale = Scale(amounts[0], amounts[-1], max([TOP, *(value["high"] for value in every)]))
    drawn_lines = [
        drawn(*WAYS[way], counted(way, means), points, scale) for way, points in lines.items()
    ]
    if own:
        drawn_lines.append(drawn(*SUPERVISED, shares["mean"][0]["targets"], own, scale))
    return {
        "columns": [images[name] for name in names],
        "ticks": ticks(amounts, scale),
        "levels": [(scale.down(level), level) for level in (0.0, 0.25, 0.5)],
        "lines": [line for line in drawn_lines if line],
        "targets": target_rows(curves["targets"], names),
        "shares": share_rows(shares["targets"]),
        "share_columns": sorted({row["views"] for row in shares["targets"]}),
        "unit": curves["unit"],
        "units": curves["units"],
    }


def supervised_points(rows: Sequence[Facts], full: float | None) -> list[Point]:
    """Returns the means of the networks that shares of the labels taught, and the one that all
    `full` labels did; empty where no share was asked for.
    """
    points: list[Point] = [(row["views"], row) for row in rows]
    if points and full is not None:
        points.append((full, dict.fromkeys(("quality", "low", "high"), ALL_LABELS)))
    return points


def counted(way: str, means: Mapping[str, Facts]) -> int:
    """Returns over how many targets the means of a way are; 0 for a way that has none."""
    return next((row["targets"][way] for row in means.values() if row[way]), 0)


@dataclass(frozen=True)
class Scale:
    """From amounts, logarithmic, and qualities to places in the chart."""

    low: float
    high: float
    top: float  # quality at the chart's upper end

    def across(self, amount: float) -> float:
        """Returns the horizontal position of an amount."""
        # a single amount has no scale
        if self.high == self.low:
            return WIDTH / 2
        return math.log(amount / self.low) / math.log(self.high / self.low) * WIDTH

    def down(self, quality: float) -> float:
        """Returns the vertical position of a quality."""
        return HEIGHT * (1 - quality / self.top)


def ticks(amounts: Sequence[float], scale: Scale) -> list[tuple[float, float]]:
    """Returns (horizontal position, amount) of the amounts [n], rising, that have room for their
    number; the last one is among them.
    """
    chosen: list[tuple[float, float]] = []
    for amount in reversed(amounts):
        x = scale.across(amount)
        if not chosen or chosen[-1][0] - x >= NARROWEST:
            chosen.append((x, amount))
    return chosen[::-1]


def drawn(
    words: str, colour: str, targets: int, points: Sequence[Point], scale: Scale
) -> Facts | None:
    """Returns the line and band of one way, over the amounts at which it was measured; None if it
    was not.
    """
    here = [(amount, value) for amount, value in points if value]
    if not here:
        return None
    places = [(scale.across(amount), value) for amount, value in here]
    upper = [f"{x:.1f},{scale.down(value['high']):.1f}" for x, value in places]
    # backwards, so that the upper and lower edge make one outline
    lower = [f"{x:.1f},{scale.down(value['low']):.1f}" for x, value in reversed(places)]
    return {
        "words": words,
        "colour": colour,
        "targets": targets,
        "points": [(x, scale.down(value["quality"])) for x, value in places],
        "band": " ".join([*upper, *lower]),
        "values": here,
    }


def share_rows(rows: Sequence[Facts]) -> list[Facts]:
    """Returns one row for each target that has networks of shares of its labels: its values in the
    order of the amounts, None for one that it lacks.
    """
    amounts = sorted({row["views"] for row in rows})
    by_target: dict[str, dict[int, Facts]] = {}
    for row in rows:
        by_target.setdefault(row["target"], {})[row["views"]] = row
    return [
        {"target": target, "values": [here.get(views) for views in amounts]}
        for target, here in by_target.items()
    ]


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
    # earlier code did not say which amount decides
    if not rows or "decides" in spending:
        return False
    others = targets * max(spending["amounts"].values())
    has_sum = [row["labels"] == row["tasks"] * spending["full"] + others for row in rows]
    has_rest = [row["fixed"] is not None and row["fixed"]["spent"] < row["labels"] for row in rows]
    return all(has_sum) and any(has_rest)
