"""Samples carry the representations of their views, source by source."""

import numpy as np
import pytest
from tiny_store import TinyStore

from models.examples.task_samples import TaskSamples
from models.networks.transfers.gradient import samples as room
from models.networks.transfers.gradient.samples import Samples, split_last


def maps(index, split):
    """the number of the source and of the view, in every cell."""
    views = np.arange(8)[:, None, None, None]
    return np.broadcast_to(100 * index + views, (8, 2, 2, 3)).astype("float32")


@pytest.mark.parametrize("name, images", [("normal", 1), ("fixated_pose", 2)])
def test_codes_are_those_of_the_views_of_a_sample(name, images):
    store = TinyStore()
    samples = Samples(store, maps, name, "val", [0, 2])
    rows = np.array([5, 1])
    codes, target, mask = samples.take(rows)
    views = store.samples(name, "val").views[rows]
    assert len(samples) == len(store.samples(name, "val")) and len(target) == len(mask) == 2
    for source, number in enumerate((0, 2)):
        own = codes[:, source].reshape(2, images, -1)
        np.testing.assert_array_equal(own, np.repeat(100 * number + views[..., None], 12, 2))


@pytest.mark.parametrize("name", ["normal", "fixated_pose"])
def test_codes_that_memory_has_no_room_for_are_read_as_they_are_asked_for(name, monkeypatch):
    store = TinyStore()
    rows = np.array([5, 1, 5])

    def half(index, split):
        return maps(index, split).astype("float16")

    held = Samples(store, half, name, "val", [0, 2])
    monkeypatch.setattr(room, "IN_MEMORY", 0)
    read = Samples(store, half, name, "val", [0, 2])
    assert held.codes[0].dtype == "float32" and read.codes[0].dtype == "float16"
    assert held.shape == read.shape == (2, 2, 2, 3)
    for a, b in zip(held.take(rows), read.take(rows)):
        assert a.dtype == b.dtype == "float32" and a.tobytes() == b.tobytes()


@pytest.mark.parametrize("feeders", [1, 2])
def test_batches_are_what_is_taken_of_their_rows(feeders, monkeypatch):
    monkeypatch.setattr(room, "LazySamples", TaskSamples)  # as if labels were made of records
    monkeypatch.setattr("models.networks.training.feeders.MANY", 1)
    samples = Samples(TinyStore(), maps, "normal", "val", [0, 2], feeders)
    assert samples.feeders == feeders
    rows = np.array([5, 1, 5, 0, 7])
    batches = list(samples.batches(rows, 2))
    assert [len(codes) for codes, _, _ in batches] == [2, 2, 1]
    for i, batch in enumerate(batches):
        for own, there in zip(batch, samples.take(rows[2 * i : 2 * i + 2]), strict=True):
            assert own.dtype == there.dtype == "float32" and own.tobytes() == there.tobytes()


def test_labels_that_are_arrays_need_no_processes():
    assert Samples(TinyStore(), maps, "normal", "val", [0], feeders=7).feeders == 1


def test_the_last_fifth_is_held_out_of_the_first_samples():
    first, last = split_last(100, 20)
    assert first.tolist() == list(range(16)) and last.tolist() == list(range(16, 20))
    first, last = split_last(3, 100)
    assert first.tolist() == [0, 1] and last.tolist() == [2]
