"""A bank of tiny networks with their representations, made once a process, and its transfers."""

import functools
import tempfile
from pathlib import Path
from typing import NamedTuple

from tiny_store import TINY, TinyStore

from models.networks.task_networks.ledger import train_tasks
from models.networks.task_networks.representations import RepresentationStore, encode_views
from models.networks.transfers.measure import measure_transfers

SOURCES = ["normal", "class_scene", "colorization", "random_projection"]
TARGETS = [
    "normal",
    "reshading",
    "segment_semantic",
    "segment_unsup2d",
    "class_scene",
    "fixated_pose",
    "egomotion",
]


class Bank(NamedTuple):
    """networks, ledger: folders."""

    store: TinyStore
    representations: RepresentationStore
    networks: Path
    ledger: Path


@functools.cache
def scratch() -> tempfile.TemporaryDirectory:
    """removed when the process ends."""
    return tempfile.TemporaryDirectory()


@functools.cache
def transfer_bank() -> Bank:
    folder = Path(scratch().name)
    store = TinyStore()
    train_tasks(store, folder / "networks", sorted({*SOURCES, *TARGETS}), TINY)
    representations = encode_views(
        folder / "networks", store, folder / "representations", SOURCES, TINY
    )
    return Bank(store, representations, folder / "networks", folder / "ledger")


def measured(bank, targets=TARGETS, *, ledger=None, config=TINY, **more):
    """(rows of `record`, summary) of all transfers; from the bank's own ledger, if no other is
    named, after the first time.
    """
    rows = []
    summary = measure_transfers(
        bank.store,
        bank.representations,
        bank.networks,
        ledger or bank.ledger,
        config,
        record=lambda *row: rows.append(row),
        targets=targets,
        **more,
    )
    return rows, summary
