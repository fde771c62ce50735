"""Supervised networks by amount of labels: a task's own network, trained anew by the same recipe
on a share of the train split.

A share's network knows its share alone (`LabelShare`): samples, constants, whitening and colour
weights, and of the val split, which chooses how far vectors and classes are pulled towards the
average, the same share. It starts cold, since a network to begin from has seen more labels. It is
judged on the whole test split, in the units of the network that all labels taught.
"""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

import keras
import numpy as np

from models.examples.label_share import LabelShare, change_of
from models.examples.label_store import LabelStore
from models.networks.config import NetworkConfig
from models.networks.task_networks.answers import test_losses
from models.networks.task_networks.build import TaskNetwork
from models.networks.task_networks.ledger import longest_first
from models.networks.task_networks.records import ShareRecord, read_record
from models.networks.task_networks.train import (
    checkpoint_of,
    config_of_one_task,
    network_record,
    train_network,
)
from models.networks.tensors import Tensor
from models.networks.training.recipes import recipe
from models.networks.training.workers import results_of_processes
from models.networks.weights import save_weights
from models.provenance.address import address_of
from models.provenance.atomic import write_json
from models.provenance.seals import sealed_folder, whole
from models.tasks import TASKS, Task
from models.tasks.addressing import rows_of, settings_of
from models.tasks.arrays import Array

FEWEST = 2  # samples that a network is trained on
# A task and the share of its labels.
Wanted = tuple[str, float]


def share_folder(ledger: str | Path, name: str, share: float) -> Path:
    """Returns the folder of a share's network, which `load_task_network` reads; its answers are in
    the whitening that its record has.
    """
    return Path(ledger) / "shares" / f"{name}-{share}"


def train_shares(
    store: LabelStore,
    ledger: str | Path,
    names: Sequence[str],
    config: NetworkConfig,
    out: TextIO = sys.stderr,
) -> list[ShareRecord]:
    """Returns the records of the networks of `names` on each of `config.supervised_shares`, in this
    order. Those that the ledger lacks are trained, by as many processes as `config.trainers`.
    Shares with fewer than `FEWEST` samples of a task, and those that come to as many views as a
    smaller one, are left out, and named.
    """
    records: dict[Wanted, ShareRecord] = {}
    lacking: list[Wanted] = []
    amounts: set[tuple[str, int]] = set()
    wanted = [(name, share) for share in sorted(config.supervised_shares) for name in names]
    for name, share in wanted:
        part = LabelShare(store.directory, share, config.seed)
        if len(part.rows(name, "train")) < FEWEST:
            line = f"  {name}: no network of {share:g} of its labels, fewer than {FEWEST} samples"
            print(line, file=out, flush=True)
            continue
        views = part.count("train")
        # losses are named by how many views taught
        if (name, views) in amounts:
            line = (
                f"  {name}: no network of {share:g} of its labels, a smaller share is {views} too"
            )
            print(line, file=out, flush=True)
            continue
        amounts.add((name, views))
        record = kept_record(part, ledger, TASKS[name], config)
        if record is None:
            lacking.append((name, share))
        else:
            records[name, share] = record
    since = time.time()
    for count, record in enumerate(train_missing(store, ledger, lacking, config, out), 1):
        records[record["task"], record["share"]] = record
        left = (time.time() - since) / count * (len(lacking) - count)
        print(
            f"  network {count}/{len(lacking)} of a share: {record['task']}, "
            f"{record['views']} train views ({record['share']:g}): {record['seconds']:.1f} s, "
            f"about {left:.0f} s left",
            file=out,
            flush=True,
        )
    return [records[each] for each in wanted if each in records]


def train_missing(
    store: LabelStore,
    ledger: str | Path,
    lacking: Sequence[Wanted],
    config: NetworkConfig,
    out: TextIO,
) -> Iterator[ShareRecord]:
    """Trains networks, side by side where there are processes for it, the longest first; yields
    their records as they are finished.
    """
    if config.trainers == 1 or len(lacking) < 2:
        for name, share in lacking:
            yield train_share(store, Path(ledger), TASKS[name], share, config, out)
        return
    order = longest_first(list(dict.fromkeys(name for name, _ in lacking)), config)
    calls = [
        functools.partial(train_share, store, Path(ledger), TASKS[name], share, config)
        for name, share in sorted(lacking, key=lambda each: order.index(each[0]))
    ]
    yield from results_of_processes(calls, config.trainers)


def kept_record(
    part: LabelShare, ledger: str | Path, task: Task, config: NetworkConfig
) -> ShareRecord | None:
    """Returns the record in the ledger, if it has this very network, whole."""
    folder = share_folder(ledger, task.name, part.share)
    if not whole(folder):
        return None
    record: ShareRecord = read_record(folder)
    return record if record["address"] == share_address(task, part, config) else None


def share_address(task: Task, part: LabelShare, config: NetworkConfig) -> str:
    """Returns 16 hex digits of everything that a share's network depends on: as of a task network,
    with the share in the place of all views. Whitening and colours in which it is judged follow
    from the labels of the task.
    """
    return address_of(
        train_share,
        inputs=[part.size, [part.views_address, part.address(task.name)]],
        settings=(*settings_of(task), config_of_one_task(config, task)),
        choices=rows_of(task),
    )


def train_share(
    store: LabelStore,
    ledger: Path,
    task: Task,
    share: float,
    config: NetworkConfig,
    out: TextIO = sys.stderr,
) -> ShareRecord:
    """Trains one network on a share of the labels in `store`, judges it on the test split, and
    writes it whole; returns its record.
    """
    # Keras' global state would keep every network that is trained here
    keras.backend.clear_session()
    since = time.time()
    part = LabelShare(store.directory, share, config.seed)
    folder = share_folder(ledger, task.name, share)
    network, curve, shrinkage = train_network(part, folder, task, config, out, (), None)
    seconds = time.time() - since
    # by the whole store: its units, and its weights of colours
    losses = test_losses(in_units_of(network, part, store), store, config)
    mean, deviation = part.whitening(task.name)
    record: ShareRecord = {
        **network_record(
            network,
            share_address(task, part, config),
            steps=recipe(task, config).steps,
            seconds=seconds,
            loss=float(losses.mean()),
            curve=curve,
            shrinkage=shrinkage,
        ),
        "share": share,
        "views": part.count("train"),
        "samples": len(part.rows(task.name, "train")),
        "whitening": (mean.tolist(), deviation.tolist()),
    }
    with sealed_folder(folder) as scratch:
        save_weights(network.encoder, scratch / "encoder.weights.h5")
        save_weights(network.head, scratch / "head.weights.h5")
        np.save(scratch / "test_losses.npy", losses)
        write_json(scratch / "network.json", record)
    # not before the network is whole
    checkpoint_of(folder).unlink(missing_ok=True)
    kept: ShareRecord = read_record(folder)
    return kept


def in_units_of(network: TaskNetwork, part: LabelStore, store: LabelStore) -> TaskNetwork:
    """Returns a network whose answers are whitened as the labels of `store` are, of one whose
    answers are whitened as those of `part`.
    """
    name = network.task.name
    if not network.task.whitened:
        return network
    factor, offset = change_of(part.whitening(name), store.whitening(name))
    return replace(network, head=ChangedHead(network.head, factor, offset))


class ChangedHead:
    """A head whose answers are multiplied by a factor, and added to an offset, [k] each."""

    def __init__(self, head: Any, factor: Array, offset: Array) -> None:
        self.head = head
        self.factor = factor
        self.offset = offset

    def __call__(self, code: Tensor, training: bool = False) -> Array:
        answer = np.asarray(self.head(code, training=training))
        return (answer * self.factor + self.offset).astype("float32")
