"""A bank of tiny networks with their representations and transfers, made once a run."""

import functools
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

from made_once import made_once
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
    """this process's copy, in whose ledger every transfer of `measured` is."""
    made = made_once("transfer_bank", make_bank)
    return bank_in(shutil.copytree(made, Path(scratch().name) / "bank"))


def bank_in(folder: Path) -> Bank:
    representations = RepresentationStore(folder / "representations")
    return Bank(TinyStore(), representations, folder / "networks", folder / "ledger")


def make_bank(folder: Path) -> Path:
    store = TinyStore()
    train_tasks(store, folder / "networks", sorted({*SOURCES, *TARGETS}), TINY)
    encode_views(folder / "networks", store, folder / "representations", SOURCES, TINY)
    measured(bank_in(folder))
    return folder


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
