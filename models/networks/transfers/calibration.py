"""How far the closed form can be trusted: a sample of transfers trained by gradient until
converged, with two seeds, beside the closed form's losses.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TextIO, TypedDict

import numpy as np

from models.examples.label_store import LabelStore
from models.networks.config import NetworkConfig
from models.networks.transfers.gradient.learner import learn
from models.networks.transfers.gradient.programs import StackPrograms
from models.networks.transfers.gradient.samples import Maps
from models.networks.transfers.gradient.schedule import schedule_of
from models.tasks.arrays import Floats
from models.tasks.ranks import spearman

SEEDS = (11, 12)


class CalibrationRow(TypedDict):
    """How the closed form's ranking of some first-order transfers into a target agrees with that by
    gradient training.
    """

    target: str
    # Transfers that were trained by gradient.
    transfers: int
    # Spearman with the mean of the seeds, and between the two seeds; 0 where one side is constant.
    closed_against_gradient: float
    between_seeds: float
    # Median ratio of mean losses.
    gradient_over_closed: float
    # Median of the networks' best epochs.
    epochs: int
    # Share of networks that converged (`converged_share`).
    converged: float
    # By gradient, stacked, building and tracing included.
    seconds_a_network: float
    # None where all losses in closed form came from the ledger.
    closed_seconds_a_transfer: float | None


def calibrate(
    store: LabelStore,
    maps: Maps,
    sources: Sequence[str],
    name: str,
    closed: Mapping[tuple[str, ...], Floats],
    config: NetworkConfig,
    *,
    programs: StackPrograms | None = None,
    out: TextIO = sys.stderr,
) -> CalibrationRow:
    """Trains some first-order transfers into `name` by gradient and compares them with the closed
    form.

    closed: sources -> test losses [sample] of the closed form. At most `config.calibration_sources`
    sources, evenly over the closed form's ranking, so that good and bad ones are among them.
    programs: compiled stacks that targets share.
    """
    ranked = sorted(
        (key for key in closed if len(key) == 1), key=lambda key: float(closed[key].mean())
    )
    picked = [
        ranked[i]
        for i in np.unique(
            np.linspace(0, len(ranked) - 1, min(config.calibration_sources, len(ranked))).astype(
                int
            )
        )
    ]
    slots = np.array([[sources.index(key[0])] for key in picked for _ in SEEDS])
    schedule = schedule_of(config, name, config.calibration_epochs)
    fit = learn(
        store, maps, name, slots, list(SEEDS) * len(picked), config, schedule, programs=programs
    )
    means = fit.losses.mean(1).reshape(len(picked), len(SEEDS))
    own = np.array([closed[key].mean() for key in picked])
    row: CalibrationRow = {
        "target": name,
        "transfers": len(picked),
        "closed_against_gradient": ranking_agreement(own, means.mean(1)),
        "between_seeds": ranking_agreement(means[:, 0], means[:, 1]),
        "gradient_over_closed": float(np.median(means.mean(1) / np.maximum(own, 1e-9))),
        "epochs": int(np.median(fit.best)),
        "converged": converged_share(fit.validation, schedule.patience),
        "seconds_a_network": fit.seconds / len(slots),
        "closed_seconds_a_transfer": None,
    }
    print(
        f"  calibration {name}: closed form against gradient "
        f"{row['closed_against_gradient']:.2f}, seed against seed {row['between_seeds']:.2f} "
        f"({len(slots)} networks, {fit.seconds:.0f} s)",
        file=out,
        flush=True,
    )
    return row


def converged_share(validation: Floats, patience: int) -> float:
    """Returns the share of networks whose validation loss [epoch, network] fell by less than 1 % in
    the last `patience` epochs; 0 for a run of no more epochs than that.
    """
    if len(validation) <= patience:
        return 0.0
    before = validation[:-patience].min(0)
    return float((before - validation.min(0) < 0.01 * np.abs(before)).mean())


def ranking_agreement(first: Floats, second: Floats) -> float:
    """Returns the rank correlation of two rankings [n] of the same transfers; 0 where one side is
    constant, and so ranks nothing.
    """
    return float(np.nan_to_num(spearman(np.stack([first, second]))))
