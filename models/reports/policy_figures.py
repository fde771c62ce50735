"""A policy in numbers, with supervised targets separate from those that a transfer reaches.

The page computes the same numbers for requests that are solved in it (`explorer/src/policy.js`); a
test in the browser compares the two.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from models.reports.words import mean
from models.taxonomy.facts import Facts


@dataclass(frozen=True)
class PolicyFigures:
    """Numbers of a policy; scores are means over targets, None if not measured. quality: win rate
    against full supervision (0.5: as good). gain: win rate against training from scratch.
    scratch_quality: what training from scratch reaches on the transferred targets. feeds: source ->
    number of targets that use it. alone: targets that are bought for their own answer and feed no
    other.
    """

    targets: int
    transferred: int
    supervised: int
    scratch: int
    quality: float | None
    quality_transferred: float | None
    scratch_quality: float | None
    gain_transferred: float | None
    feeds: dict[str, int]
    alone: frozenset[str]


def policy_figures(policy: Facts, rows: Iterable[Facts]) -> PolicyFigures:
    """Returns the figures of a policy as `Taxonomy.to_json` writes it. rows: those of the table,
    whose controls are needed.
    """
    edges: list[Facts] = policy["edges"]
    transferred = [edge for edge in edges if edge["sources"]]
    scratch = [edge for edge in edges if edge.get("control") == "scratch"]
    controls = scratch_qualities(rows)
    feeds = dict.fromkeys(policy["supervised"], 0)
    for edge in transferred:
        for name in edge["sources"]:
            feeds[name] = feeds.get(name, 0) + 1
    return PolicyFigures(
        targets=len(edges),
        transferred=len(transferred),
        supervised=len(edges) - len(transferred) - len(scratch),
        scratch=len(scratch),
        quality=mean(edge["quality"] for edge in edges),
        quality_transferred=mean(edge["quality"] for edge in transferred),
        scratch_quality=mean(controls.get(edge["target"]) for edge in transferred),
        gain_transferred=mean(edge["gain"] for edge in transferred),
        feeds=feeds,
        alone=frozenset(edge["target"] for edge in edges if feeds.get(edge["target"]) == 0),
    )


def scratch_qualities(rows: Iterable[Facts]) -> dict[str, float | None]:
    """Returns target -> win rate of training from scratch against full supervision: measured, or 1
    minus the supervised network's gain.
    """
    qualities: dict[str, float | None] = {}
    for row in rows:
        if row.get("control") == "supervised" and row.get("gain") is not None:
            qualities.setdefault(row["target"], 1 - row["gain"])
    for row in rows:
        # in a second pass, so that measured values replace derived ones
        if row.get("control") == "scratch" and row.get("quality") is not None:
            qualities[row["target"]] = row["quality"]
    return qualities
