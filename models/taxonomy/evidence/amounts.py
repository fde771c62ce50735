"""Compares the same first-order transfers measured with several amounts of data: what less data
costs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from models.tasks.arrays import Floats
from models.tasks.ranks import spearman
from models.taxonomy.affinities import Affinities, Row
from models.taxonomy.facts import Facts

SPELLED = re.compile(r"(\d+(?:\.\d+)?)(k|m)?", re.IGNORECASE)
FACTORS = {"": 1.0, "k": 1e3, "m": 1e6}
Measured = dict[str, dict[str, Row]]  # regime -> source -> row


def stated(regime: str) -> float | None:
    """Returns the number that an amount's name states (48, 16k), or None for other names and for
    "".
    """
    match = SPELLED.fullmatch(regime)
    return float(match[1]) * FACTORS[(match[2] or "").lower()] if match else None


def by_size(regimes: Iterable[str]) -> list[str]:
    """Returns the names of amounts, smallest amount first: by the number that they state, then
    names without a number in alphabetical order, and "", the largest, last.
    """

    def place(name: str) -> tuple[bool, float, str]:
        number = stated(name)
        return name == "", float("inf") if number is None else number, name

    return sorted(set(regimes), key=place)


def by_amount(table: Affinities) -> list[Facts]:
    """Returns one row for each target that all regimes of the table measured: {"target",
    "spearman": regime -> rank correlation of its affinities with those of the regime named "" (None
    if one side is constant), "best": regime -> {"source", "gain", "quality"} of the best source}.
    First order, without a task's own encoder.
    """
    into: dict[str, Measured] = {}
    for row in table.rows:
        transfer = row.transfer
        if transfer.order == 1 and not transfer.own_encoder:
            by_regime = into.setdefault(transfer.target, {})
            by_regime.setdefault(transfer.regime, {})[transfer.sources[0]] = row
    rows = []
    for target, by_regime in into.items():
        shared = sorted(set.intersection(*(set(sources) for sources in by_regime.values())))
        # all regimes must have measured it: a mean over other sources would compare other things;
        # with fewer sources a rank correlation says nothing (`agreement.FEWEST`)
        if set(by_regime) == set(table.regimes) and len(shared) >= 4:
            rows.append({"target": target, **of_target(by_regime, shared)})
    return rows


def of_target(by_regime: Measured, shared: list[str]) -> Facts:
    """Returns {"spearman", "best"} of one target over the sources that all regimes measured."""
    affinity = {
        regime: np.array([rows[source].affinity for source in shared])
        for regime, rows in by_regime.items()
    }
    best = {}
    for regime, values in affinity.items():
        row = by_regime[regime][shared[int(values.argmax())]]
        best[regime] = {
            "source": row.transfer.sources[0],
            "gain": row.gain,
            "quality": row.quality,
        }
    agreed = {
        regime: spearman_or_none(values, affinity[""])
        for regime, values in affinity.items()
        # the others are compared with the regime named ""
        if regime
    }
    return {"spearman": agreed, "best": best}


def spearman_or_none(values: Floats, others: Floats) -> float | None:
    """Returns the rank correlation of two rows [n], or None if one side is constant."""
    score = float(spearman(np.stack([values, others])))
    return score if np.isfinite(score) else None


def efficiency(table: Affinities) -> list[Facts]:
    """Returns label-efficiency curves, one row for each target and regime (smallest amount of data
    first): {"target", "regime", "source" of the best first-order transfer, "transfer", "scratch",
    "supervised": {"quality", "low", "high"} each, None if not measured}.

    The best transfer is the one with the highest affinity. Quality is against the fully supervised
    network, whose own quality is 0.5 by definition.
    """
    rows = []
    for target in table.targets:
        for regime in by_size(table.regimes):
            transfers = [
                row
                for row in table.rows
                if row.transfer.target == target
                and row.transfer.regime == regime
                and row.transfer.order == 1
                and not row.transfer.own_encoder
            ]
            # by affinity, which compares sources with each other; quality is only said of the
            # winner
            best = max(transfers, key=lambda row: row.affinity, default=None)
            scratch = of_regime(table, target, regime, "scratch")
            rows.append(
                {
                    "target": target,
                    "regime": regime,
                    "source": best.transfer.sources[0] if best else None,
                    "transfer": quality_facts(best),
                    "scratch": quality_facts(scratch),
                    # the supervised network ties with itself
                    "supervised": {"quality": 0.5, "low": 0.5, "high": 0.5}
                    if table.supervised(target)
                    else None,
                }
            )
    return rows


def of_regime(table: Affinities, target: str, regime: str, control: str) -> Row | None:
    """Returns the row of a control of this regime, or None if the regime has none of its own."""
    for row in table.rows:
        transfer = row.transfer
        if (transfer.target, transfer.regime, transfer.control) == (target, regime, control):
            return row
    return None


def quality_facts(row: Row | None) -> Facts | None:
    if row is None or row.quality is None:
        return None
    low = row.spread.quality_low if row.spread else None
    high = row.spread.quality_high if row.spread else None
    return {"quality": row.quality, "low": low, "high": high}
