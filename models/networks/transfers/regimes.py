"""Regimes: amounts of data that transfers learn from (the 1k and 16k images of the paper), nested
in each other, and what is held out of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.networks.config import NetworkConfig

FEWEST = 10  # views, below which nothing is held out


@dataclass(frozen=True)
class Regime:
    """name: "" of the regime that decides, that of `transfer_images`; the number asked for of a
    smaller one. order: transfers of at most so many sources are measured.

    limit: most samples of several views. views [n]: sorted positions in the transfer split; held
    [n] bool: views that choose between fits and teach none of the candidates (the last fifth of the
    buildings, whole; of the views, where there is one building; none of fewer than `FEWEST`).
    """

    name: str
    order: int
    limit: int
    views: np.ndarray
    held: np.ndarray

    def samples(self, data, seed: int) -> np.ndarray:
        """sorted rows of `data` (TaskSamples of the transfer split) that teach: the regime's views;
        of several views, the first `limit` of one shuffle.
        """
        if data.views.shape[1] == 1:
            return np.flatnonzero(np.isin(np.asarray(data.views)[:, 0], self.views))
        return np.sort(np.random.default_rng(seed).permutation(len(data))[: self.limit])


def known(data, rows: np.ndarray) -> np.ndarray:
    """those of the `rows` of `data` (TaskSamples) that have a label anywhere: the others would only
    take part in means.
    """
    return rows[[bool((np.asarray(data.mask[row]) > 0).any()) for row in rows]]


def regimes_of(store, config: NetworkConfig) -> list[Regime]:
    """smallest first, the one that decides last. Smaller ones for which the split holds too few
    views to be smaller are left out.
    """
    keys = store.views(config.transfer_split)
    order, found = np.random.default_rng(config.seed).permutation(len(keys)), []
    for amount in sorted({*config.regimes, config.transfer_images}):
        views, last = np.sort(order[:amount]), amount == config.transfer_images
        if last or amount < len(keys):
            name, most = ("", config.transfer_order) if last else (str(amount), config.regime_order)
            found.append(Regime(name, most, amount, views, held_out([keys[i] for i in views])))
    return found


def held_out(keys: list[str]) -> np.ndarray:
    """[len(keys)] bool: the views of the last fifth of the buildings."""
    buildings = [str(key).split("/")[0] for key in keys]
    names = sorted(set(buildings))
    if len(keys) < FEWEST:
        return np.zeros(len(keys), bool)
    if len(names) < 2:
        return np.arange(len(keys)) >= len(keys) - len(keys) // 5
    return np.isin(buildings, names[-max(1, len(names) // 5) :])
