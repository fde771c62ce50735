"""network.json: the record of a trained network, written beside its weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NotRequired, TypedDict, TypeVar


class NetworkRecord(TypedDict):
    """What a network is of, what it cost, and how good it is."""

    task: str
    # Of everything that the network depends on.
    address: str
    # Side of the images in pixels.
    size: int
    # Fields of the NetworkConfig that it was trained by.
    config: dict[str, Any]
    # Of training; from scratch, of judging the network too.
    seconds: float
    # Of the optimiser.
    steps: int
    # Weights of encoder and head.
    parameters: int
    # Mean loss of the test samples; None for the untrained control.
    loss: float | None
    # Mean losses: of training, a window each; from scratch, of held-out samples at each stop.
    curve: list[float]
    # Factor by which the answer was pulled towards the average; 1 for none.
    shrinkage: float


class TaskRecord(NetworkRecord):
    """The record of a task network."""

    # Address of the network that it began from; None for a cold start.
    start: NotRequired[str | None]
    # Share of the test samples on which it beats the best constant answer; ties count half.
    win_average: float


class ScratchRecord(NetworkRecord):
    """The record of a network from scratch."""

    # Name of the amount of data; "" for the largest.
    regime: str
    # Labelled samples that taught and stopped it.
    images: int
    # Mean losses on the samples that stopped it: of the "network" and, in closed form, of the
    # "readout" of pixels.
    held_out: dict[str, float]
    # Cells of a side, where the readout of pixels took the network's place; else None.
    grid: int | None


class ShareRecord(NetworkRecord):
    """The record of a network that a share of the labels taught."""

    # Of the views of train, and of val.
    share: float
    # Views of the train split in the share.
    views: int
    # Samples of the train split in the share.
    samples: int
    # Mean and deviation [k] of the share's train targets, in which the network answers; (0, 1)
    # where they are not whitened.
    whitening: tuple[Any, Any]


Record = TypeVar("Record", TaskRecord, ScratchRecord)


def read_record(folder: str | Path) -> Any:
    """Returns the record of the network in a folder: a TaskRecord, a ScratchRecord or a
    ShareRecord.
    """
    return json.loads((Path(folder) / "network.json").read_text())


def read_back(record: Record) -> Record:
    """Returns a record as it is read from the ledger, where tuples have become lists."""
    copy: Record = json.loads(json.dumps(record))
    return copy
