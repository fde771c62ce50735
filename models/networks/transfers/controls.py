"""The controls that transfers are compared with, beside the readout of pixels, which is measured as
a transfer is: the supervised network, of all its labels and of shares of them, networks from
scratch, and the best constant answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from models.examples.label_store import LabelStore
from models.networks.config import NetworkConfig
from models.networks.task_networks.label_shares import share_folder
from models.networks.task_networks.records import ShareRecord
from models.networks.transfers.bench import Bench
from models.networks.transfers.regimes import Regime
from models.networks.transfers.results import MeasuredTransfer, RecordLosses, share_regime
from models.networks.transfers.scratch import scratch_folder


def regimes_with_scratch(config: NetworkConfig, regimes: Sequence[Regime]) -> list[Regime]:
    """Returns those of the regimes in which networks are trained from scratch."""
    asked = [regime for regime in regimes if config.scratch_regimes or not regime.name]
    return asked if config.scratch_steps else []


def record_controls(
    bench: Bench, name: str, regimes: Sequence[Regime], ledger: Path, record: RecordLosses
) -> None:
    """Calls `record` for the controls of one target: from scratch and average of each regime, and
    the supervised network, which belongs to none.
    """
    losses = {("supervised", ""): bench.supervised(name)}
    for regime in regimes_with_scratch(bench.config, regimes):
        folder = scratch_folder(ledger, name, regime)
        losses["scratch", regime.name] = np.load(folder / "test_losses.npy")
    for regime in regimes:
        losses["average", regime.name] = bench.average(name, regime)
    samples = bench.store.sample_names(name, "test")
    for (control, regime_name), values in losses.items():
        transfer: MeasuredTransfer = {
            "sources": [],
            "target": name,
            "regime": regime_name,
            "control": control,
        }
        record(transfer, samples, values)


def record_shares(
    store: LabelStore, ledger: Path, shares: Iterable[ShareRecord], record: RecordLosses
) -> None:
    """Calls `record` for networks that shares of the labels taught."""
    for network in shares:
        transfer: MeasuredTransfer = {
            "sources": [],
            "target": network["task"],
            "regime": share_regime(network["views"]),
            "control": "supervised",
        }
        folder = share_folder(ledger, network["task"], network["share"])
        samples = store.sample_names(network["task"], "test")
        record(transfer, samples, np.load(folder / "test_losses.npy"))
