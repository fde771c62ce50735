"""What resamples say about a table: intervals for its rows, and for its diagnostics how far a
ranking can be trusted.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.tasks.arrays import Floats
from models.tasks.ranks import ranks_of
from models.taxonomy.affinities import Affinities, Row, Spread
from models.taxonomy.facts import Facts
from models.taxonomy.tournament.resamples import Resamples
from models.taxonomy.tournament.resampling import LEVEL
from models.taxonomy.tournament.scale import named
from models.taxonomy.transfer import Transfer

OF_MORE = {"building": ", of more buildings", "image": ""}
NOISE = 0.5  # rank correlation below which a ranking is called noise


def with_spread(table: Affinities, resamples: Resamples) -> Affinities:
    """Returns the table with intervals in its rows. Its diagnostics then say how much a ranking of
    first-order transfers means ("reliability": mean Spearman correlation of a resample's ranking
    with the measured one), with a warning if the ranking cannot be told from noise.
    """
    spreads = spreads_of(table, resamples)
    rows = [
        replace(row, spread=spreads[row.transfer]) if row.transfer in spreads else row
        for row in table.rows
    ]
    facts = {
        target: {**own, **reliability(target, table, resamples, own)}
        for target, own in table.diagnostics.items()
    }
    return Affinities(tuple(rows), facts)


def spreads_of(table: Affinities, resamples: Resamples) -> dict[Transfer, Spread]:
    """Returns the intervals of all rows that were resampled, except "average", which has no
    affinity.
    """
    # NaN of a control that was not measured stays NaN
    affinity = np.quantile(resamples.affinity, LEVEL, axis=0)
    gain = np.quantile(resamples.gain, LEVEL, axis=0)
    quality = np.quantile(resamples.quality, LEVEL, axis=0)
    expected = resamples.affinity.mean(0)
    # among transfers of one order, because pairs have the advantage of two sources
    ranks = rank_bounds(table, resamples)
    spreads = {}
    for row in table.rows:
        i = resamples.column.get(row.transfer)
        if i is None or row.transfer.control == "average":
            continue
        spreads[row.transfer] = Spread(
            float(affinity[0, i]),
            float(affinity[1, i]),
            float(expected[i]),
            *map(measured, gain[:, i]),
            *map(measured, quality[:, i]),
            *ranks.get(row.transfer, (None, None)),
        )
    return spreads


def measured(value: float) -> float | None:
    """Returns the value, or None for NaN."""
    return None if np.isnan(value) else float(value)


def rank_bounds(table: Affinities, resamples: Resamples) -> dict[Transfer, tuple[float, float]]:
    """Returns the interval of each transfer's rank (1 is best) among those of its order, target and
    regime.
    """
    groups: dict[tuple[str, str, int], list[Transfer]] = {}
    for row in table.rows:
        transfer = row.transfer
        if transfer.control is None and transfer in resamples.column:
            peers = (transfer.target, transfer.regime, transfer.order)
            groups.setdefault(peers, []).append(transfer)
    bounds = {}
    for members in groups.values():
        columns = [resamples.column[transfer] for transfer in members]
        # negated, because rank 1 is the largest affinity
        low, high = np.quantile(ranks_of(-resamples.affinity[:, columns]), LEVEL, axis=0)
        for i, transfer in enumerate(members):
            bounds[transfer] = (float(low[i]), float(high[i]))
    return bounds


def reliability(name: str, table: Affinities, resamples: Resamples, diagnostics: Facts) -> Facts:
    """Returns {"reliability", "best_share" (how often the best first-order source is best again),
    "warning" or None} of one tournament.
    """
    rows = first_order_rows(table, name)
    # two sources are too few for a ranking
    if len(rows) < 3:
        return {"reliability": None, "best_share": None, "warning": None}
    values = resamples.affinity[:, [resamples.column[row.transfer] for row in rows]]
    measured_ranks = ranks_of(np.array([row.affinity for row in rows]))
    # each resample's ranking with the measured one, not with the others'
    score = mean_rank_correlation(ranks_of(values), measured_ranks)
    best = float((values.argmax(1) == measured_ranks.argmax()).mean())
    # imported tables have no p-value
    friedman = diagnostics.get("friedman") or 0.0
    warning = (
        "the ranking of sources is not distinguishable from noise (rank correlation over "
        f"resamples {score:.2f}); measure more test images{OF_MORE[resamples.unit]}"
    )
    noise = friedman > 0.01 or score < NOISE
    return {
        "reliability": score,
        "best_share": best,
        "warning": warning if noise else None,
    }


def first_order_rows(table: Affinities, name: str) -> list[Row]:
    """Returns the first-order rows of the tournament with this name."""
    return [
        row
        for row in table.rows
        if row.transfer.order == 1 and named(row.transfer.target, row.transfer.regime) == name
    ]


def mean_rank_correlation(ranks: Floats, reference: Floats) -> float:
    """Returns the mean, over the rows of ranks [resample, n], of the correlation with
    reference [n].
    """
    centred = ranks - ranks.mean(-1, keepdims=True)
    point = reference - reference.mean()
    norm = np.sqrt((centred**2).sum(1) * (point**2).sum()) + 1e-12
    return float((centred @ point / norm).mean())
