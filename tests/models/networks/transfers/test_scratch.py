"""From scratch: the target's own network on exactly a regime's samples, kept in a ledger."""

import dataclasses
import json

import numpy as np
import pytest
from tiny_store import TINY, TinyStore

from models.networks.losses.losses import image_losses
from models.networks.task_networks.build import load_task_network
from models.networks.training.averages import Known, average_answer, average_losses
from models.networks.transfers.regimes import regimes_of, teaching_rows
from models.networks.transfers.scratch import (
    scratch_address,
    scratch_config,
    scratch_folder,
    train_from_scratch,
)
from models.networks.transfers.scratch_feed import Feed
from models.tasks import TASKS

# By gradient: no readout of pixels takes a network's place.
CONFIG = dataclasses.replace(
    TINY, scratch_steps=8, scratch_batch=4, regimes=(4,), learner="gradient"
)
# Two that share a program, and one of several views.
NAMES = ("normal", "autoencoding", "fixated_pose")


@pytest.mark.parametrize(
    "name, change, counts",
    [
        ("normal", {"tile_size": 8, "warm_up": 1, "adversarial": True}, False),
        ("jigsaw", {"tile_size": 8}, True),
        ("normal", {"ridges": (0.5,), "random_features": 8}, False),
        ("normal", {"regimes": (), "transfer_order": 3}, False),
        ("normal", {"learner": "closed_form"}, True),
        ("normal", {"scratch_steps": 9}, True),
    ],
)
def test_a_field_counts_for_the_networks_from_scratch_that_it_changes(name, change, counts):
    store = TinyStore()
    regime = regimes_of(store, CONFIG)[-1]
    before = scratch_address(TASKS[name], regime, store, CONFIG)
    after = scratch_address(TASKS[name], regime, store, dataclasses.replace(CONFIG, **change))
    assert (after != before) == counts


def test_what_the_readout_of_pixels_reads_counts_where_there_is_one():
    store, config = TinyStore(), dataclasses.replace(CONFIG, learner="closed_form")
    regime = regimes_of(store, config)[-1]
    before = scratch_address(TASKS["normal"], regime, store, config)
    for change in ({"ridges": (0.5,)}, {"random_features": 8}):
        other = dataclasses.replace(config, **change)
        assert scratch_address(TASKS["normal"], regime, store, other) != before


class Guarded(TinyStore):
    """a store whose training split teaches nobody."""

    def samples(self, name, split):
        assert split != "train", f"{name} was read from the training split"
        return super().samples(name, split)


def trained(ledger, names=NAMES, config=CONFIG):
    """(records, seconds of files) of networks from scratch in both regimes."""
    store = Guarded()
    regimes = regimes_of(store, config)[::-1]
    return train_from_scratch(store, ledger, dict.fromkeys(names, regimes), config)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ledger")
    return folder, trained(folder)


def test_every_target_has_a_network_in_every_regime_and_no_training_label_was_read(ledger):
    _, records = ledger
    assert {(record["task"], record["regime"]) for record in records} == {
        (name, regime) for name in NAMES for regime in ("", "4")
    }
    by_regime = {record["regime"]: record["images"] for record in records}
    assert by_regime["4"] <= 4 < by_regime[""]


def test_networks_are_of_the_targets_own_shape_and_answer_as_they_were_judged(ledger):
    folder, records = ledger
    store = Guarded()
    for record in records:
        regime = next(r for r in regimes_of(store, CONFIG) if r.name == record["regime"])
        path = scratch_folder(folder, record["task"], regime)
        network = load_task_network(path)
        entry = TASKS[record["task"]]
        assert network.config == scratch_config(CONFIG) and network.task == entry
        test = store.samples(entry.name, "test")
        feed = Feed(store, entry, CONFIG, np.arange(8))
        # no configuration names the test split, which teaches nothing
        feed.data, feed.pictures = store.samples(entry.name, "test"), store.images("test")
        value, target, mask = feed.take(np.arange(8), np.random.default_rng(0))
        losses = image_losses(entry.loss, target, mask, network.answer(value))
        np.testing.assert_allclose(losses, np.load(path / "test_losses.npy"), rtol=1e-3, atol=1e-4)
        assert len(losses) == len(test)


def test_the_held_out_samples_choose_the_step(ledger):
    folder, records = ledger
    store = Guarded()
    record = next(r for r in records if (r["task"], r["regime"]) == ("normal", ""))
    regime = regimes_of(store, CONFIG)[-1]
    _, held_out = teaching_rows(store, regime, "normal", CONFIG)
    feed = Feed(store, TASKS["normal"], CONFIG, held_out)
    value, target, mask = feed.take(held_out, np.random.default_rng(0))
    answer = load_task_network(scratch_folder(folder, "normal", regime)).answer(value)
    loss = float(image_losses("l1", target, mask, answer).mean())
    assert loss == pytest.approx(min(record["curve"]), rel=1e-3)


def test_finished_networks_come_from_the_ledger_and_another_schedule_trains_again(ledger):
    folder, records = ledger
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("network.json")}
    again = trained(folder)
    assert sorted(r["address"] for r in again) == sorted(r["address"] for r in records)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    longer = dataclasses.replace(CONFIG, scratch_steps=9)
    kept = {r["address"] for r in records}
    assert not kept & {r["address"] for r in trained(folder / "longer", ["normal"], longer)}


def test_a_target_alone_is_what_it_is_among_others(ledger, tmp_path):
    folder, _ = ledger
    trained(tmp_path, ["autoencoding"])
    for name in ("autoencoding", "autoencoding-4"):
        losses = [
            np.load(root / "scratch" / name / "test_losses.npy") for root in (folder, tmp_path)
        ]
        np.testing.assert_allclose(*losses, rtol=1e-4, atol=1e-5)


def test_batches_are_of_the_samples_that_teach_and_a_function_of_the_step():
    store = Guarded()
    rows = np.array([1, 3, 5])
    feed = Feed(store, TASKS["normal"], CONFIG, rows)
    seen = [feed.batch(step) for step in (0, 1, 0)]
    np.testing.assert_array_equal(seen[0][0], seen[2][0])
    own = np.asarray(store.samples("normal", "val").target[rows], "float32")
    for value, target, _ in seen:
        assert len(value) == CONFIG.scratch_batch or len(value) == CONFIG.batch
        assert all(any(np.array_equal(one, label) for label in own) for one in target)
    counts = np.zeros(3)
    for step in range(3):
        for one in feed.batch(step)[1]:
            counts[[np.array_equal(one, label) for label in own].index(True)] += 1
    assert counts.tolist() == [4, 4, 4]


def test_the_average_knows_the_labels_that_it_is_given():
    store = TinyStore()
    entry = TASKS["normal"]
    known = Known("val", np.array([2]))
    one = store.samples("normal", "val")
    answer = average_answer(entry, store, known=known)
    there = np.asarray(one.mask[2:3]) > 0
    np.testing.assert_allclose(
        np.where(there, answer, 0), np.where(there, one.target[2:3], 0), atol=2e-3
    )
    assert not np.allclose(average_losses(entry, store), average_losses(entry, store, known=known))


def test_a_record_says_what_was_trained(ledger):
    folder, records = ledger
    record = records[0]
    regime = next(r for r in regimes_of(TinyStore(), CONFIG) if r.name == record["regime"])
    path = scratch_folder(folder, record["task"], regime) / "network.json"
    assert json.loads(path.read_text()) == record
    assert record["steps"] == 8 and len(record["curve"]) == 5 and record["seconds"] > 0
