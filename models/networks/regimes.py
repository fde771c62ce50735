"""Regimes: amounts of data that transfers learn from (the 1k and 16k images of the paper), nested in each other, and what is held out of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from models.networks.plan import NetworkConfig

FEWEST = 10  # views, below which nothing is held out


@dataclass(frozen=True)
class Regime:
    """name: "" where there is one regime, else the number asked for. order: transfers of at most so many sources are measured.

    limit: most samples of several views. views [n]: sorted positions in the transfer split; held [n] bool: views that choose between fits and teach none of
    the candidates (the last fifth of the buildings, whole; of the views, where there is one building; none of fewer than `FEWEST`).
    """

    name: str
    order: int
    limit: int
    views: np.ndarray
    held: np.ndarray

    def samples(self, data, seed: int) -> np.ndarray:
        """sorted rows of `data` (TaskSamples of the transfer split) that teach: the regime's views; of several views, the first `limit` of one shuffle."""
        if data.views.shape[1] == 1:
            return np.flatnonzero(np.isin(np.asarray(data.views)[:, 0], self.views))
        return np.sort(np.random.default_rng(seed).permutation(len(data))[: self.limit])


def regimes_of(store, config: NetworkConfig) -> list[Regime]:
    """smallest first. Raises ValueError if two regimes have the same views."""
    keys = store.views(config.transfer_split)
    order, found = np.random.default_rng(config.seed).permutation(len(keys)), []
    for amount in sorted(config.regimes or (config.transfer_images,)):
        views = np.sort(order[:amount])
        if found and len(found[-1].views) == len(views):
            raise ValueError(
                f"regimes {found[-1].name} and {amount} are the same {len(views)} views: the {config.transfer_split} split holds {len(keys)}; "
                "name smaller regimes or add data"
            )
        found.append(Regime(str(amount) if config.regimes else "", config.regime_order, amount, views, held_out([keys[i] for i in views])))
    return [*found[:-1], replace(found[-1], order=config.transfer_order)]


def held_out(keys: list[str]) -> np.ndarray:
    """[len(keys)] bool: the views of the last fifth of the buildings."""
    buildings = [str(key).split("/")[0] for key in keys]
    names = sorted(set(buildings))
    if len(keys) < FEWEST:
        return np.zeros(len(keys), bool)
    if len(names) < 2:
        return np.arange(len(keys)) >= len(keys) - len(keys) // 5
    return np.isin(buildings, names[-max(1, len(names) // 5) :])
