"""A policy in numbers: supervised targets apart from those that a transfer reaches.

The page computes the same for requests that are solved in it (`explorer/src/policy.js`); a test in
the browser holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from models.reports.run_files import Facts
from models.reports.words import mean


@dataclass(frozen=True)
class PolicyFigures:
    """Means over targets. quality: win rate against full supervision (0.5: as good); gain: win
    rate against training from scratch; scratch_quality: what scratch itself reaches on the targets
    that are transferred. None: not measured. feeds: source -> targets it feeds; alone: those bought
    for their own answer, which feed none.
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
    """The figures of a `Taxonomy.to_json` beside the table's controls."""
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
    """target -> win rate of training from scratch against full supervision: measured, or one less
    the supervised network's gain.
    """
    qualities: dict[str, float | None] = {}
    for row in rows:
        if row.get("control") == "supervised" and row.get("gain") is not None:
            qualities.setdefault(row["target"], 1 - row["gain"])
    for row in rows:
        # after the other rows: what was measured takes the place of what was derived
        if row.get("control") == "scratch" and row.get("quality") is not None:
            qualities[row["target"]] = row["quality"]
    return qualities
