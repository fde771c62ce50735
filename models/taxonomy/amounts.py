"""What less data costs: the same first-order transfers, measured with several amounts of it."""

from __future__ import annotations

import numpy as np

from models.taxonomy.affinities import Affinities, Row
from models.taxonomy.similarity import spearman


def by_amount(table: Affinities) -> list[dict]:
    """of a table with several regimes, a row a target that all of them measured: {"target",
    "spearman": regime -> rank correlation of its affinities with those of the regime named "" (None
    where all are equal), "best": regime -> {"source", "gain", "quality"} of the best source}.

    First order, a task's own encoder left out.
    """
    into: dict[str, dict[str, dict[str, Row]]] = {}
    for row in table.rows:
        transfer = row.transfer
        if transfer.order == 1 and transfer.target not in transfer.sources:
            into.setdefault(transfer.target, {}).setdefault(transfer.regime, {})[
                transfer.sources[0]
            ] = row
    made = []
    for target, found in into.items():
        shared = sorted(set.intersection(*(set(rows) for rows in found.values())))
        if set(found) != set(table.regimes) or len(shared) < 4:
            continue
        affinity = {
            regime: np.array([rows[source].affinity for source in shared])
            for regime, rows in found.items()
        }
        best = {
            regime: found[regime][shared[int(values.argmax())]]
            for regime, values in affinity.items()
        }
        made.append(
            {
                "target": target,
                "spearman": {
                    regime: agreement(values, affinity[""])
                    for regime, values in affinity.items()
                    if regime
                },
                "best": {
                    regime: {
                        "source": row.transfer.sources[0],
                        "gain": row.gain,
                        "quality": row.quality,
                    }
                    for regime, row in best.items()
                },
            }
        )
    return made


def agreement(values: np.ndarray, others: np.ndarray) -> float | None:
    """rank correlation; None where one side is constant."""
    found = float(spearman(np.stack([values, others])))
    return found if np.isfinite(found) else None
