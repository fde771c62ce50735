"""Supervised networks by amount of labels: what a target's own network reaches when it is trained
anew on shares of the train split, beside itself with all labels, which has 0.5 by definition.
"""

from __future__ import annotations

import numpy as np

from models.tasks.arrays import Floats
from models.taxonomy.evidence.curves import (
    comparable_losses,
    drawing_of,
    interval,
    supervised_row,
)
from models.taxonomy.facts import Facts
from models.taxonomy.tournament.losses import TransferLosses
from models.taxonomy.tournament.measurement import Stores
from models.taxonomy.tournament.tournament import wins_over


def supervised_curves(stores: Stores, *, resamples: int = 1000, seed: int = 0) -> Facts:
    """Returns {"targets": rows of target, views (of the train split, that taught the network),
    quality, low, high; "mean": rows of views, targets (how many) and the same means over the
    targets that have every amount that any has}, the smallest amount first. Both are empty where no
    shares of the labels were asked for. Intervals are those of `curves` with the same resamples and
    seed.
    """
    rows: list[Facts] = []
    drawn: dict[int, dict[str, Floats]] = {}
    comparable = comparable_losses(stores)
    if not comparable:
        return {"targets": [], "mean": []}
    drawing = drawing_of(comparable, resamples, seed)
    for one in comparable:
        target = one.transfers[0].target
        for views, wins in wins_by_views(one).items():
            means = drawing.means(one.images, wins)
            drawn.setdefault(views, {})[target] = means
            rows.append({"target": target, "views": views, **interval(float(wins.mean()), means)})
    return {"targets": rows, "mean": mean_rows(rows, drawn)}


def wins_by_views(one: TransferLosses) -> dict[int, Floats]:
    """Returns views -> wins [image] of the network that they taught over the one that all labels
    taught, the fewest views first.
    """
    own = supervised_row(one)
    if own is None:
        return {}
    rows = {transfer.share_views: i for i, transfer in enumerate(one.transfers)}
    amounts = sorted(views for views in rows if views is not None)
    return {views: wins_over(one.losses[rows[views]], own) for views in amounts}


def mean_rows(rows: list[Facts], drawn: dict[int, dict[str, Floats]]) -> list[Facts]:
    """Returns the rows of the means. drawn: views -> target -> resampled means [resample]."""
    if not drawn:
        return []
    # the same targets at every amount, because otherwise the mean would change with its targets
    shared = sorted(set.intersection(*(set(targets) for targets in drawn.values())))
    if not shared:
        return []
    quality = {(row["target"], row["views"]): row["quality"] for row in rows}
    means = []
    for views in sorted(drawn):
        value = float(np.mean([quality[name, views] for name in shared]))
        # averaged draw by draw, because targets share their buildings and so their noise
        averaged = np.mean([drawn[views][name] for name in shared], 0)
        means.append({"views": views, "targets": len(shared), **interval(value, averaged)})
    return means
