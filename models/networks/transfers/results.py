"""What measuring transfers gives its caller: rows of losses, one after the other, and a summary."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypedDict

from models.networks.transfers.calibration import CalibrationRow
from models.networks.transfers.ceiling import CeilingRow
from models.tasks.arrays import Floats


class MeasuredTransfer(TypedDict):
    """A transfer, or a control in its place."""

    # Names; none of a control.
    sources: list[str]
    target: str
    # Name of the amount of data; "" for the largest. Of a supervised network: "" for all labels,
    # else how many train views taught it (`share_regime`).
    regime: str
    # "pixels", "scratch", "average" or "supervised"; None for a transfer.
    control: str | None


# record(transfer, names of the target's test samples, losses [sample]).
RecordLosses = Callable[[MeasuredTransfer, Sequence[str], Floats], None]


class ScratchCost(TypedDict):
    """What a network from scratch has cost; fields as in `records.ScratchRecord`."""

    task: str
    regime: str
    images: int
    steps: int
    seconds: float


class ShareCost(TypedDict):
    """What a network of a share of the labels has cost; fields as in `records.ShareRecord`."""

    task: str
    share: float
    views: int
    samples: int
    steps: int
    seconds: float


def share_regime(views: int) -> str:
    """Returns the name of the amount of data of a supervised network that `views` train views
    taught; `models.taxonomy.evidence.supervised_curves` reads the number.
    """
    return f"{views} train views"


@dataclass(frozen=True)
class TransferSummary:
    """What `measure_transfers` did. Its fields, in this order, are those of `calibration.json`."""

    # Transfers that were recorded, without controls.
    transfers: int
    # Of these, those that were measured now and not taken from the ledger.
    fresh: int
    # Of everything but calibration, ceilings and shares.
    seconds: float
    # A row a target that was trained by gradient too.
    calibration: list[CalibrationRow]
    # A row a network from scratch.
    scratch: list[ScratchCost]
    # A row a network of a share of the labels.
    shares: list[ShareCost]
    # Source from outside -> channels of its codes.
    widths: dict[str, int]
    # A row a target and width of `widths`.
    ceilings: list[CeilingRow]
    # Target -> folder of the ledger that holds its rows.
    ledgers: dict[str, str]
    # Target -> content address of everything that was recorded about it.
    addresses: dict[str, str]
