"""Regimes: amounts of data that transfers learn from (the 1k and 16k images of the paper), nested
in each other, and what is held out of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from models.examples.label_store import LabelStore, TaskSamples
from models.networks.config import NetworkConfig
from models.tasks import building_of
from models.tasks.arrays import Bools, Integers

FEWEST = 10  # views, below which nothing is held out
# Samples that teach, and those that choose when to stop.
Rows = tuple[Integers, Integers]


@dataclass(frozen=True)
class Regime:
    """One amount of data that transfers learn from."""

    # "" of the regime that decides, that of `transfer_images`; the number asked for of a smaller.
    name: str
    # Transfers of at most so many sources are measured.
    order: int
    # Most samples of several views.
    limit: int
    # [n] sorted positions in the transfer split.
    views: Integers
    # [n]: views that choose between fits and teach none of the candidates (`last_buildings`).
    held_out: Bools
    # [m] sorted positions in the transfer split of the other views of the buildings that are held
    # out: pairs and triplets are drawn from the whole split, of which `views` may be a part.
    withheld: Integers = field(default_factory=lambda: np.zeros(0, "int64"))

    def samples(self, data: TaskSamples, seed: int) -> Integers:
        """Returns [n], the sorted rows of `data` (of the transfer split) that teach: the regime's
        views; of several views, the first `limit` of one shuffle.
        """
        if data.views.shape[1] == 1:
            return np.flatnonzero(np.isin(np.asarray(data.views)[:, 0], self.views))
        return np.sort(np.random.default_rng(seed).permutation(len(data))[: self.limit])

    def holds_out(self, data: TaskSamples, rows: Integers) -> Bools:
        """Returns [rows] bool: samples of which a view is held out, or is of a building that is."""
        kept_back = np.union1d(self.views[self.held_out], self.withheld)
        return np.isin(np.asarray(data.views)[rows], kept_back).any(1)


def labelled_rows(data: TaskSamples, rows: Integers) -> Integers:
    """Returns [m], those of the `rows` [n] of `data` that have a label anywhere: the others would
    only take part in means.
    """
    return rows[[bool((np.asarray(data.mask[row]) > 0).any()) for row in rows]]


def teaching_rows(store: LabelStore, regime: Regime, name: str, config: NetworkConfig) -> Rows:
    """Returns (samples that teach, samples that stop) of a target in the transfer split: as the
    regime's views are divided, or the last fifth of the samples where these divide nothing. Raises
    LookupError for a target whose labels cannot teach.
    """
    data = store.samples(name, config.transfer_split)
    picked = labelled_rows(data, regime.samples(data, config.seed))
    if len(picked) < 2:
        raise LookupError(
            f"{len(picked)} samples of {name} with a label that is not masked teach "
            "transfers; at least 2 are needed"
        )
    held_out = regime.holds_out(data, picked)
    if held_out.any() and not held_out.all():
        return picked[~held_out], picked[held_out]
    last = max(1, len(picked) // 5)
    return picked[:-last], picked[-last:]


def regimes_of(store: LabelStore, config: NetworkConfig) -> list[Regime]:
    """Returns the regimes of a configuration, the smallest first, the one that decides last.
    Smaller ones for which the split holds too few views to be smaller are left out.
    """
    keys = store.views(config.transfer_split)
    # one order for all: the smaller amounts are nested in the larger
    order = np.random.default_rng(config.seed).permutation(len(keys))
    smaller = sorted(amount for amount in set(config.regimes) if amount < len(keys))
    regimes = []
    for amount in (*smaller, config.transfer_images):
        decides = amount == config.transfer_images
        views = np.sort(order[:amount])
        held_out = last_buildings([keys[i] for i in views])
        regimes.append(
            Regime(
                name="" if decides else str(amount),
                order=config.transfer_order if decides else config.regime_order,
                limit=amount,
                views=views,
                held_out=held_out,
                withheld=others_of_buildings(keys, views, held_out),
            )
        )
    return regimes


def others_of_buildings(keys: Sequence[str], views: Integers, held_out: Bools) -> Integers:
    """Returns [m] sorted positions in `keys` outside `views`, of the buildings that are held out of
    `views` as a whole (a lone building is cut in two).
    """
    teaching = {building_of(keys[i]) for i in views[~held_out]}
    whole = {building_of(keys[i]) for i in views[held_out]} - teaching
    others = np.setdiff1d(np.arange(len(keys)), views)
    return others[[building_of(keys[i]) in whole for i in others]]


def config_of_one_row(config: NetworkConfig) -> NetworkConfig:
    """Returns the configuration with the fields reset that say which other rows of a ledger are
    measured beside one: further amounts of data, and orders.
    """
    return replace(config, regimes=(), transfer_order=1, regime_order=1)


def last_buildings(keys: Sequence[str]) -> Bools:
    """Returns [len(keys)] bool: the views of the last fifth of the buildings; of the views, where
    there is one building; none of fewer than `FEWEST`.
    """
    if len(keys) < FEWEST:
        return np.zeros(len(keys), bool)
    buildings = [building_of(key) for key in keys]
    names = sorted(set(buildings))
    if len(names) < 2:
        return np.arange(len(keys)) >= len(keys) - len(keys) // 5
    return np.isin(buildings, names[-max(1, len(names) // 5) :])
