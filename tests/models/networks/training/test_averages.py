"""The best constant answer of ever so many samples is made a part at a time."""

import tracemalloc

import numpy as np
import pytest
from tiny_store import TinyStore

from models.examples.label_sums import summed
from models.networks.training import averages
from models.networks.training.averages import Known, average_answer
from models.tasks import TASKS

PARTS = 400
SHAPE = (2, 64, 64, 3)  # samples of normals
SUM = 8 * (64 * 64 * 3 + 64 * 64)  # bytes of a part's sums


def test_sums_of_parts_are_added_up_and_not_kept(monkeypatch):
    def parts(*_, **__):
        for number in range(PARTS):
            yield np.full(SHAPE, number % 5, "float32"), np.ones((*SHAPE[:-1], 1), "float32")

    monkeypatch.setattr(averages, "chunks", parts)
    tracemalloc.start()
    try:
        answer = average_answer(TASKS["normal"], TinyStore())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(answer, np.full((1, *SHAPE[1:]), 2, "float32"))
    assert peak < PARTS * SUM / 10


def test_no_sample_has_no_average(monkeypatch):
    monkeypatch.setattr(averages, "chunks", lambda *_, **__: iter(()))
    with pytest.raises(TypeError, match="empty"):
        average_answer(TASKS["normal"], TinyStore())


def test_sums_of_all_train_labels_are_no_constant_of_some_of_them(monkeypatch):
    store = TinyStore()
    data = store.samples("normal", "train")
    sums = summed(TASKS["normal"], data.target, data.mask)
    monkeypatch.setattr(TinyStore, "sums", lambda self, name: sums)
    rows = np.array([0, 3])
    some = average_answer(TASKS["normal"], store, known=Known("train", rows))
    weight = data.mask[rows].sum(0)
    expected = (data.target[rows] * data.mask[rows]).sum(0) / np.maximum(weight, 1e-3)
    np.testing.assert_allclose(some[0], expected, atol=1e-6)
    monkeypatch.setattr(averages, "chunks", None)  # of all of them no label is asked for
    whole = average_answer(TASKS["normal"], store)
    assert whole.shape == some.shape and not np.allclose(whole, some)
