"""Ranks each source among all sources, alone and in pairs, with intervals over test buildings: this
shows what an encoder from outside is worth compared with the tasks' own.

A source is ranked by the share of comparisons that it wins: on every test image all first-order
transfers into a target are ranked by their losses, and sources by the means of these ranks (Borda's
count, the win rate over all others). The target's own encoder takes no part. Pairs are ranked among
all pairs in the same way.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from models.tasks.arrays import Floats, Integers
from models.tasks.ranks import ranks_of
from models.taxonomy.evidence.curves import drawn_means, drawn_weights, interval, supervised_row
from models.taxonomy.facts import Facts
from models.taxonomy.tournament.buildings import group_of
from models.taxonomy.tournament.loss_rows import parts_of, rows_of
from models.taxonomy.tournament.losses import TransferLosses
from models.taxonomy.tournament.measurement import Stores, stores_of
from models.taxonomy.tournament.resampling import LEVEL
from models.taxonomy.tournament.tournament import wins_over


def source_ranks(
    stores: Stores, names: Collection[str], *, resamples: int = 1000, seed: int = 0
) -> Facts:
    """Returns the ranks of the sources `names`, with 95 % intervals over buildings drawn again, the
    same ones for all targets.

    {"unit": what is drawn again ("building", or "image" if there is one building), "units",
    "resamples", "targets": one row for each target and source of {"source", "target", "alone" and
    "pair" (or None): {"rank", "low", "high", "of", "quality": as `interval` gives it}; the pair
    also has "with", its other source}, "mean": one row for every source with its mean rank alone
    over the targets that all sources have: {"source", "rank", "low", "high"}, best first}.
    """
    measured = [store.read(target) for store in stores_of(stores) for target in store.targets()]
    groups = sorted({group_of(image, 1) for one in measured for image in one.images})
    depth = 1 if len(groups) > 1 else 3
    if depth > 1:
        groups = sorted({group_of(image, depth) for one in measured for image in one.images})
    place = {group: i for i, group in enumerate(groups)}
    weights = drawn_weights(len(groups), resamples, seed)
    rows: list[Facts] = []
    alone: dict[str, list[tuple[float, Floats]]] = {}
    for one in measured:
        at = np.array([place[group_of(image, depth)] for image in one.images])
        singles = Ranked(one, 1, at, weights)
        pairs = Ranked(one, 2, at, weights)
        for sources in singles.places:
            alone.setdefault(sources[0], []).append(singles.ranks_of(sources))
        for name in names:
            if (name,) in singles.places:
                both = pairs.best_with(name)
                rows.append(
                    {
                        "source": name,
                        "target": one.transfers[0].target,
                        "alone": singles.facts((name,)),
                        "pair": both and {**pairs.facts(both), "with": other_than(name, both)},
                    }
                )
    return {
        "unit": "building" if depth == 1 else "image",
        "units": len(groups),
        "resamples": resamples,
        "targets": rows,
        "mean": means(alone),
    }


class Ranked:
    """The transfers of one order into one target, ranked on the drawn units. places: sources -> row
    of `measured`, without the target's own encoder.
    """

    def __init__(self, measured: TransferLosses, order: int, at: Integers, weights: Floats) -> None:
        self.measured = measured
        self.at = at
        self.weights = weights
        self.places = {
            transfer.sources: i
            for i, transfer in enumerate(measured.transfers)
            if transfer.control is None
            and not transfer.regime
            and transfer.order == order
            and transfer.target not in transfer.sources
        }
        self.row = {sources: i for i, sources in enumerate(self.places)}
        if not self.places:
            return
        # [unit, transfer]: sums of ranks on images, 1 for the lowest loss.
        sums = np.zeros((weights.shape[1], len(self.places)))
        for images, losses in parts_of(rows_of(measured.losses, list(self.places.values()))):
            np.add.at(sums, at[images], ranks_of(losses.T))
        self.means = sums.sum(0) / len(at)
        # [resample, transfer]: ranks among the means of the drawn images.
        self.drawn = ranks_of(weights @ sums)
        self.ranks = ranks_of(self.means)

    def ranks_of(self, sources: tuple[str, ...]) -> tuple[float, Floats]:
        """Returns (rank, ranks [resample] on the drawn images) of a transfer."""
        row = self.row[sources]
        return float(self.ranks[row]), self.drawn[:, row]

    def best_with(self, name: str) -> tuple[str, ...] | None:
        """Returns the best sources that include `name`, or None if there are none."""
        some = [sources for sources in self.places if name in sources]
        return min(some, key=lambda sources: float(self.means[self.row[sources]]), default=None)

    def facts(self, sources: tuple[str, ...]) -> Facts:
        """Returns a transfer's rank, its interval, the number of transfers ranked, and the quality
        if the target's own network was measured.
        """
        rank, rank_draws = self.ranks_of(sources)
        low, high = np.quantile(rank_draws, LEVEL)
        own = supervised_row(self.measured)
        quality = None
        if own is not None:
            wins = wins_over(self.measured.losses[self.places[sources]], own)
            quality = interval(float(wins.mean()), drawn_means(wins, self.at, self.weights))
        rank_facts = {"rank": rank, "low": float(low), "high": float(high), "of": len(self.places)}
        return {**rank_facts, "quality": quality}


def other_than(name: str, pair: Sequence[str]) -> str:
    """Returns the other source of a pair."""
    return next(source for source in pair if source != name)


def means(alone: Mapping[str, Sequence[tuple[float, Floats]]]) -> list[Facts]:
    """Returns mean ranks over targets, best first, of the sources that were measured into the most
    targets or all of these but one (a task is no source of itself). alone: source -> (rank,
    resampled ranks [resamples]) for every target.
    """
    most = max((len(ranks) for ranks in alone.values()), default=0)
    rows = []
    for source, ranks in alone.items():
        if len(ranks) < most - 1:
            continue
        low, high = np.quantile(np.mean([rank_draws for _, rank_draws in ranks], 0), LEVEL)
        mean = float(np.mean([rank for rank, _ in ranks]))
        rows.append({"source": source, "rank": mean, "low": float(low), "high": float(high)})
    return sorted(rows, key=lambda row: row["rank"])
