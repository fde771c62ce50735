"""Batches made by processes are those of a thread, and nobody writes into one that is held."""

import dataclasses
import gc
import multiprocessing
import os
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import pytest
from published_set import write_set
from tiny_store import TINY, TinyStore

from beam_jobs.ingest.job import ingest
from models.examples.index import FOLDER, Index
from models.examples.label_store import build_label_store
from models.examples.shards import DamagedRecord
from models.networks.training import feeders, split_parts
from models.networks.training.batch_maker import BatchMaker
from models.networks.training.batches import Batches
from models.networks.training.feeders import (
    FeederProcesses,
    FeederThreads,
    Prefetching,
    batches_ahead,
    feeders_of,
    one_ahead,
)
from models.networks.training.fit import fit_input
from models.networks.training.split_parts import SplitParts
from models.tasks import TASKS

CONFIG = dataclasses.replace(TINY, augment=True)


def maker(name):
    return BatchMaker(TinyStore(), TASKS[name], CONFIG, 4)


@pytest.fixture(scope="module")
def processes():
    made = feeders_of(maker("normal"), 2)
    yield made
    made.close()


class Noted:
    """a maker that writes down what it is asked for."""

    def __init__(self):
        self.asked = []

    def prefetch(self, number):
        self.asked.append(("prefetch", number))

    def batch(self, number):
        self.asked.append(("batch", number))


@pytest.mark.parametrize("ahead", [1, 3])
def test_each_batch_is_fetched_once_and_so_many_ahead(ahead):
    noted = Noted()
    prefetching = Prefetching(noted, ahead)
    for number in range(7, 30):
        prefetching.batch(number)
    fetched = [number for what, number in noted.asked if what == "prefetch"]
    assert sorted(fetched) == list(range(7, 30 + ahead))
    for number in range(7, 30):
        own = noted.asked.index(("batch", number))
        assert noted.asked.index(("prefetch", number)) < own
        assert noted.asked.index(("prefetch", number + ahead)) < own
        if number >= 7 + ahead:  # while an earlier one was made
            earlier = noted.asked.index(("batch", number - ahead))
            assert noted.asked.index(("prefetch", number)) < earlier
    assert len(prefetching.fetched) <= 2 * ahead


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    place = tmp_path_factory.mktemp("set")
    write_set(place / "data", ("ash", "birch", "cedar", "elm", "fir"), points=4, views=3)
    ingest(str(place / "data"), str(place / "out"), size=32, shards=2)
    return place / "out"


def outcome(make):
    """the bytes of a batch, or what is told in their place."""
    try:
        return [part.tobytes() for part in make()]
    except (DamagedRecord, FileNotFoundError) as error:
        return type(error), str(error)


def flip(records, place):
    content = bytearray(records.read_bytes())
    content[place.offset + 40] ^= 4  # of its table
    records.write_bytes(content)


@pytest.mark.parametrize("harm", [flip, lambda records, _: records.unlink()], ids=["flip", "gone"])
def test_damage_is_told_in_the_same_words_at_the_same_batch(examples, tmp_path, harm):
    shutil.copytree(examples, tmp_path / "out")
    task = TASKS["normal"]
    store = build_label_store(
        str(tmp_path / "out"),
        tmp_path / "store",
        seed=0,
        max_samples=50,
        tasks={"normal": task},
        cache_bytes=0,
    )
    own = BatchMaker(store, task, CONFIG, 4)
    assert len(own.data) > 20
    # a record of the fourth batch alone
    position = int(own.data.views[own.rows(3)[0], 0])
    path, place = Index(tmp_path / "out" / FOLDER).file_and_place(
        str(tmp_path / "out"), "train", position
    )
    harm(Path(path), place)
    expected = [outcome(lambda step=step: own.batch(step)) for step in range(5)]
    assert expected[3][0] in (DamagedRecord, FileNotFoundError)
    assert harm is not flip or not isinstance(expected[2], tuple)
    made = feeders_of(own, 1)
    coming = [made.begin(step) for step in range(5)]
    assert [outcome(one.result) for one in coming] == expected
    made.close()


def test_one_feeder_is_a_thread_and_several_are_processes(processes):
    one = feeders_of(maker("normal"), 1)
    assert isinstance(one, FeederThreads) and isinstance(processes, FeederProcesses)
    one.close()


def test_processes_make_the_batches_that_a_thread_makes(processes):
    expected = maker("normal")
    coming = [processes.begin(step) for step in (5, 0, 3)]
    for step, one in zip((5, 0, 3), coming):
        for given, there in zip(one.result(), expected.batch(step), strict=True):
            assert given.dtype == there.dtype and given.shape == there.shape
            assert given.tobytes() == there.tobytes()
            assert given.ctypes.data % 64 == 0


def test_a_batch_that_is_held_is_written_by_nobody(processes):
    held = processes.begin(1).result()
    part = held[0][1:3, :2]  # whoever holds a part of an array holds the batch
    before = part.copy()
    del held
    for step in range(8):
        processes.begin(step).result()
    assert np.array_equal(part, before)


def test_memory_of_a_batch_that_is_let_go_is_used_again(processes):
    gc.collect()
    for step in range(12):
        processes.begin(step).result()
    free = len(processes.free)
    for step in range(12):
        processes.begin(step).result()
    assert len(processes.free) == free <= 4


def test_feeders_load_neither_keras_nor_tensorflow(processes):
    processes.begin(0).result()
    # this file is no module of theirs
    names = processes.pool.submit(eval, "list(__import__('sys').modules)").result()
    assert not {"keras", "tensorflow", "jax"} & set(names) and "numpy" in names


def test_feeders_outlive_a_thread_that_asks_for_a_batch():
    alone = FeederProcesses(maker("normal"), 1)
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: alone.begin(0).result()).result()
    for step in range(6):
        alone.begin(step).result()
    alone.close()


def test_a_feeder_that_is_ended_is_told_in_words():
    alone = FeederProcesses(maker("normal"), 1)
    alone.begin(0).result()
    os.kill(alone.pool.submit(os.getpid).result(), signal.SIGKILL)
    with pytest.raises(RuntimeError, match="makes batches has ended .*feeders=1"):
        for step in range(3):
            alone.begin(step).result()
    alone.close()


def test_batches_by_processes_are_those_by_a_thread_with_keras_arithmetic_too():
    several = dataclasses.replace(CONFIG, feeders=2)
    one, two = (Batches(TinyStore(), TASKS["colorization"], config) for config in (CONFIG, several))
    for i in range(3):
        for given, there in zip(two[i], one[i], strict=True):
            assert given.tobytes() == there.tobytes()
    one.close(), two.close()


def test_a_network_is_given_the_same_batches_by_processes():
    seen = []
    for config in (CONFIG, dataclasses.replace(CONFIG, feeders=2)):
        batches = Batches(TinyStore(), TASKS["normal"], config)
        inputs = keras.Input(batches.batch(0)[0].shape[1:])
        # its loss is the mean of what it sees
        model = keras.Model(inputs, keras.layers.Conv2D(1, 1, kernel_initializer="ones")(inputs))
        model.compile(keras.optimizers.SGD(0.0), loss=lambda target, answer: answer)
        losses = model.fit(
            fit_input(batches), epochs=6, steps_per_epoch=2, shuffle=False, verbose=0
        )
        seen.append(losses.history["loss"])
        batches.close()
    assert seen[0] == seen[1] and len(set(seen[0])) > 2


def test_parts_are_made_ahead_in_their_order_by_whoever_makes_them(monkeypatch):
    monkeypatch.setattr(split_parts, "BATCH", 3)
    monkeypatch.setattr(feeders, "MANY", 1)
    parts = SplitParts(TinyStore(), TASKS["denoising"], "test", 16)
    assert len(parts) == 3
    expected = [parts.batch(i) for i in range(3)]
    for count in (1, 2):
        given = list(batches_ahead(parts, count))
        assert [len(part[0]) for part in given] == [3, 3, 2]
        for one, other in zip(given, expected, strict=True):
            assert [a.tobytes() for a in one] == [a.tobytes() for a in other]


def test_processes_end_when_whoever_takes_the_parts_gives_up(monkeypatch):
    monkeypatch.setattr(feeders, "MANY", 1)
    monkeypatch.setattr(split_parts, "BATCH", 2)
    others = {child.pid for child in multiprocessing.active_children()}
    parts = batches_ahead(SplitParts(TinyStore(), TASKS["denoising"], "test", 16), 2)
    next(parts)
    begun = {child.pid for child in multiprocessing.active_children()} - others
    assert len(begun) == 2
    parts.close()
    assert not begun & {child.pid for child in multiprocessing.active_children()}


def test_memory_that_cannot_be_opened_is_told_in_words(tmp_path):
    with pytest.raises(OSError, match="cannot write where its trainer reads.*feeders=1"):
        feeders.block_at(str(tmp_path / "nobody"), 64)


def test_what_is_made_ahead_by_a_thread_comes_in_its_order_and_no_further_than_one():
    begun = []

    def batches():
        for i in range(5):
            begun.append(i)
            yield i, i, i

    coming = one_ahead(batches())
    assert next(coming) == (0, 0, 0)
    coming.close()  # waits for the one that was begun
    assert begun == [0, 1]
    assert [one for one, _, _ in one_ahead(batches())] == list(range(5))


def test_an_error_of_what_is_made_ahead_comes_when_its_batch_is_due():
    def batches():
        yield 0, 0, 0
        raise ValueError("a damaged record")

    coming = one_ahead(batches())
    assert next(coming) == (0, 0, 0)
    with pytest.raises(ValueError, match="a damaged record"):
        next(coming)
