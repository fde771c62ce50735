"""How much of a taxonomy is luck of the test images: the program solved again on every resample."""

from __future__ import annotations

from collections import Counter

import numpy as np

from models.taxonomy.affinities import Affinities
from models.taxonomy.infeasibility import Infeasible
from models.taxonomy.request import Request
from models.taxonomy.resampling import LEVEL, Resamples
from models.taxonomy.solving import answer
from models.taxonomy.taxonomy import Taxonomy


def stability(
    table: Affinities, found: Resamples, request: Request, chosen: Taxonomy, *, solves: int = 100
) -> dict:
    """{"solves", "chosen" (source -> share of resamples whose taxonomy supervises it, most often
    first), "same" (share with exactly the chosen sources), "gain", "quality" (intervals of the
    chosen policy over all resamples, None where not measured), "warning" or None}.
    """
    count = min(solves, len(found))
    supervised = []
    for number in range(count):
        try:
            supervised.append(frozenset(answer(found.table(table, number), request).supervised))
        except Infeasible:
            continue
    times = Counter(name for names in supervised for name in names)
    shares = {
        name: times[name] / len(supervised)
        for name in sorted(times, key=lambda name: (-times[name], name))
    }
    doubtful = [name for name in chosen.supervised if shares.get(name, 0) < 0.5]
    columns = [found.column.get(edge.transfer) for edge in chosen.edges]
    return {
        "solves": len(supervised),
        "chosen": shares,
        "same": float(np.mean([names == frozenset(chosen.supervised) for names in supervised])),
        "gain": interval(found.gain, columns),
        "quality": interval(found.quality, columns),
        "warning": f"{', '.join(doubtful)}: chosen here, but in fewer than half of the resampled "
        "test sets; their choice is luck"
        if doubtful
        else None,
    }


def interval(values: np.ndarray, columns: list[int | None]) -> dict | None:
    """{"low", "high"}: 95 % interval of the mean over `columns` of values [resample, transfer];
    None if something was not measured.
    """
    if None in columns or np.isnan(values[:, columns]).any():
        return None
    low, high = np.quantile(values[:, columns].mean(1), LEVEL)
    return {"low": float(low), "high": float(high)}
