"""What less data costs: the same first-order transfers, measured with several amounts of it."""

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
    """the number that an amount's name states (48, 16k); None for other names, and for "", the
    largest.
    """
    found = SPELLED.fullmatch(regime)
    return float(found[1]) * FACTORS[(found[2] or "").lower()] if found else None


def by_size(regimes: Iterable[str]) -> list[str]:
    """names of amounts, the least first: by the number that they state, names without one after
    those, by letter; "", the largest, last.
    """

    def place(name: str) -> tuple[bool, float, str]:
        number = stated(name)
        return name == "", float("inf") if number is None else number, name

    return sorted(set(regimes), key=place)


def by_amount(table: Affinities) -> list[Facts]:
    """of a table with several regimes, a row a target that all of them measured: {"target",
    "spearman": regime -> rank correlation of its affinities with those of the regime named "" (None
    where all are equal), "best": regime -> {"source", "gain", "quality"} of the best source}.

    First order, a task's own encoder left out.
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
    """{"spearman", "best"} of one target over the sources that all regimes measured."""
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
        # the regime named "" is the one that the others are held against
        if regime
    }
    return {"spearman": agreed, "best": best}


def spearman_or_none(values: Floats, others: Floats) -> float | None:
    """Returns the rank correlation; None where one side is constant."""
    score = float(spearman(np.stack([values, others])))
    return score if np.isfinite(score) else None


def efficiency(table: Affinities) -> list[Facts]:
    """label-efficiency curves, a row a target and regime (amount of data, the least first):
    {"target", "regime", "source" of the best first-order transfer, "transfer", "scratch",
    "supervised": {"quality", "low", "high"} each, None where not measured}.

    Best by affinity; quality against the fully supervised network, which is 0.5 by definition.
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
                    # it ties with itself
                    "supervised": {"quality": 0.5, "low": 0.5, "high": 0.5}
                    if table.supervised(target)
                    else None,
                }
            )
    return rows


def of_regime(table: Affinities, target: str, regime: str, control: str) -> Row | None:
    """the row of a control of this regime; None where it has none of its own."""
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
