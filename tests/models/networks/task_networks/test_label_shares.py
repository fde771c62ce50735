"""Networks of shares of the labels: one a task and share, of that share alone, trained once."""

import collections
import dataclasses
import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from edited_sources import copy_of_sources
from published_set import write_set
from tiny_store import TINY

from beam_jobs.ingest.job import ingest
from models.examples.label_share import LabelShare
from models.examples.label_store import LabelStore, build_label_store
from models.networks.losses.losses import image_losses
from models.networks.task_networks import label_shares
from models.networks.task_networks.build import load_task_network
from models.networks.task_networks.label_shares import (
    share_address,
    share_folder,
    train_share,
    train_shares,
)
from models.networks.training.split_parts import SplitParts
from models.provenance.closure import forget
from models.tasks import TASKS

BUILDINGS = ("ash", "birch", "cedar", "elm", "fir", "hazel", "juniper")
# A map, and a task whose targets are whitened.
NAMES = ("depth_zbuffer", "room_layout")
CONFIG = dataclasses.replace(TINY, supervised_shares=(0.5, 0.25))


class Trained(NamedTuple):
    """The networks of two tasks on two shares. splits: of which labels were read for training."""

    store: LabelStore
    ledger: Path
    records: list
    splits: set


def instead_of_training(patch, function):
    """puts a function in the place of `train_share`, under its name, of which addresses are."""

    def named(*args):
        return function(*args)

    named.__module__ = train_share.__module__
    named.__qualname__ = train_share.__qualname__
    patch.setattr(label_shares, "train_share", named)


class Guard:
    """While networks are trained, labels that are not in the share end the test; those of the test
    split judge.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.part = None
        self.splits = set()
        instead_of_training(patch, self.train_share)
        self.samples_of = LabelStore.samples
        patch.setattr(LabelStore, "samples", lambda store, *which: self.samples(store, *which))

    def train_share(self, store, ledger, task, share, config, out):
        self.part = LabelShare(store.directory, share, config.seed)
        return train_share(store, ledger, task, share, config, out)

    def samples(self, store, name, split):
        data = self.samples_of(store, name, split)
        if type(store) is LabelShare or split == "test":
            return data
        self.splits.add(split)
        positions = self.samples_of(self.part.whole, name, split).views
        bought = set(np.flatnonzero(self.part.known(split)[positions].all(1)).tolist())

        class Guarded(type(data)):
            def labels(self, rows):
                numbers = set(np.arange(len(data))[rows].tolist())
                assert numbers <= bought, f"{split} labels that were not bought were read"
                return data.labels(rows)

            def take(self, rows, pictures, shares=0):
                assert not shares, "neither task has a sparse form"
                return np.asarray(pictures[data.views[rows]]), *self.labels(rows)

        return Guarded(data.views, data.target, data.mask)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shares")
    write_set(folder / "data", BUILDINGS, points=2, views=2)
    ingest(str(folder / "data"), str(folder / "examples"), size=32, shards=1)
    store = build_label_store(
        str(folder / "examples"),
        folder / "store",
        seed=0,
        max_samples=50,
        tasks={name: TASKS[name] for name in NAMES},
    )
    with pytest.MonkeyPatch.context() as patch:
        guard = Guard(patch)
        # before the first one is trained, samples are counted
        guard.part = LabelShare(store.directory, 1.0, 0)
        records = train_shares(store, folder / "ledger", NAMES, CONFIG)
    return Trained(store, folder / "ledger", records, guard.splits)


@pytest.fixture
def counted(monkeypatch):
    """(task, share) -> networks that were trained since."""
    done = collections.Counter()

    def counting(store, ledger, task, share, config, out=None):
        done[task.name, share] += 1
        return train_share(store, ledger, task, share, config, out)

    instead_of_training(monkeypatch, counting)
    return done


def again(trained, names=NAMES, **change):
    store, ledger = trained.store, trained.ledger
    config = dataclasses.replace(CONFIG, **change)
    return train_shares(store, ledger, names, config, io.StringIO())


def test_every_task_has_a_network_of_every_share_the_smallest_first(trained):
    store, records = trained.store, trained.records
    assert [(record["share"], record["task"]) for record in records] == [
        (share, name) for share in (0.25, 0.5) for name in NAMES
    ]
    total = len(store.views("train"))
    for record in records:
        assert record["views"] == round(record["share"] * total) == record["samples"]
        # the recipe of the task's own network, whose width it has
        assert record["steps"] == CONFIG.steps
        assert record["config"]["encoder_widths"] == list(CONFIG.encoder_widths)


def test_the_same_again_trains_nothing_and_a_further_share_one_network_a_task(trained, counted):
    assert again(trained) == trained.records
    assert not counted
    (name, _) = NAMES
    records = again(trained, [name], supervised_shares=(0.125, 0.25, 0.5))
    assert counted == {(name, 0.125): 1}
    assert records[1:] == [record for record in trained.records if record["task"] == name]
    counted.clear()
    assert again(trained) == trained.records, "a share taken out trains nothing"
    assert not counted


def test_an_edit_of_another_task_trains_nothing(trained, counted, tmp_path, monkeypatch):
    edit = copy_of_sources(tmp_path, monkeypatch)
    edit("models/tasks/dictionary.py", 'title="Surface normals"', 'title="Normals"')
    again(trained)
    assert not counted
    # of the training itself, on the other hand, all of them
    edit("models/networks/task_networks/train.py", "0.3, 0.2, 0.1)", "0.3, 0.2)")
    store = trained.store
    part = LabelShare(store.directory, 0.25, CONFIG.seed)
    addresses = {share_address(TASKS[name], part, CONFIG) for name in NAMES}
    forget()
    assert not addresses & {record["address"] for record in trained.records}


def test_a_killed_run_goes_on_with_what_it_had_finished(trained, counted, tmp_path):
    store, ledger, records, _ = trained
    folder = share_folder(ledger, "room_layout", 0.25)
    aside = tmp_path / "aside"
    folder.rename(aside)
    try:
        assert [record["loss"] for record in again(trained)] == pytest.approx(
            [record["loss"] for record in records], rel=1e-4
        )
    finally:
        assert counted == {("room_layout", 0.25): 1}
    assert not list(folder.parent.glob(".*.checkpoint.npz"))


def test_losses_are_those_of_the_loaded_network_in_the_units_of_all_labels(trained):
    store, ledger, records, _ = trained
    for record in records:
        task = TASKS[record["task"]]
        folder = share_folder(ledger, task.name, record["share"])
        network = load_task_network(folder)
        value, target, mask = SplitParts(store, task, "test", CONFIG.tile_size).batch(0)
        answer = network.answer(value)
        own, wanted = record["whitening"], store.whitening(task.name)
        # metres first, then the whitening of all labels
        answer = (answer * np.array(own[1]) + np.array(own[0]) - wanted[0]) / wanted[1]
        losses = image_losses(task.loss, target, mask, answer.astype("float32"))
        np.testing.assert_allclose(
            losses, np.load(folder / "test_losses.npy"), rtol=1e-3, atol=1e-4
        )
        assert record["loss"] == pytest.approx(losses.mean(), rel=1e-3)
    layouts = [record for record in records if record["task"] == "room_layout"]
    assert layouts[0]["whitening"] != layouts[1]["whitening"]


def test_training_reads_no_label_outside_the_share(trained):
    """`Guard` ends the training that does; the whole store's labels were there to be read."""
    assert trained.splits == {"train", "val"}


def test_a_share_without_samples_is_named_and_left_out(trained, counted):
    store, ledger = trained.store, trained.ledger
    config = dataclasses.replace(CONFIG, supervised_shares=(0.01,))
    said = io.StringIO()
    assert train_shares(store, ledger, ["room_layout"], config, said) == []
    assert "room_layout: no network of 0.01 of its labels" in said.getvalue()
    assert not counted


def test_a_share_of_as_many_views_as_a_smaller_one_is_left_out(trained, counted):
    views = LabelShare(trained.store.directory, 0.25, CONFIG.seed).count("train")
    config = dataclasses.replace(CONFIG, supervised_shares=(0.25, 0.2501))
    said = io.StringIO()
    records = train_shares(trained.store, trained.ledger, ["room_layout"], config, said)
    assert [record["share"] for record in records] == [0.25]
    words = f"room_layout: no network of 0.2501 of its labels, a smaller share is {views} too"
    assert words in said.getvalue()
    assert not counted


@pytest.mark.parametrize(
    "change, counts",
    [
        ({"supervised_shares": ()}, False),
        ({"transfer_order": 3, "scratch_steps": 9, "regimes": (4,)}, False),
        ({"steps": 2}, True),
        ({"seed": 1}, True),
        ({"head_width": 9}, True),
    ],
)
def test_a_field_counts_for_the_networks_that_it_changes(trained, change, counts):
    store = trained.store
    addresses = set()
    for config in (CONFIG, dataclasses.replace(CONFIG, **change)):
        part = LabelShare(store.directory, 0.25, config.seed)
        addresses.add(share_address(TASKS["room_layout"], part, config))
    assert (len(addresses) == 2) == counts
