"""Draws of a sample are those of its numbers, and a batch reads each of its views once."""

import numpy as np
import pytest

from models.examples import task_samples
from models.examples.lazy_rows import LazyRows
from models.examples.task_samples import LazySamples, generator_of
from models.tasks import View, ViewKey

SIZE = 4
RNG = np.random.default_rng(0)


@pytest.mark.parametrize("numbers", [(0, 5, 7), (0, 2**32 - 1, 0, 9), (1, 2**32, 3), (2**70, 0, 1)])
def test_a_generator_is_that_of_its_numbers_however_large(numbers):
    expected = np.random.default_rng(list(numbers)).integers(1 << 60, size=5)
    assert (generator_of(numbers).integers(1 << 60, size=5) == expected).all()


@pytest.mark.parametrize("together", [1, 2, 3, 16])
@pytest.mark.parametrize("shown", [False, True])
def test_a_batch_is_the_same_however_many_views_are_read_together(monkeypatch, together, shown):
    monkeypatch.setattr(task_samples, "TOGETHER", together)
    pictures = RNG.integers(0, 256, (9, SIZE, SIZE, 3)).astype("uint8")
    views = RNG.integers(0, 9, (12, 2)).astype("int32")
    views[3] = 5  # one view twice
    read = []

    def reading(positions, goals):
        assert len(positions) == len(set(positions)) and len(positions) <= 2 * together
        read.extend(positions)
        for i, goal in zip(positions, goals):
            rgb = pictures[i].copy() if goal is None else goal
            rgb[...] = pictures[i]
            yield View(ViewKey("ash", i, 0), rgb)

    def write(row, pair, target, mask):
        target[...] = [row, *(view.key.point for view in pair), *(view.rgb.sum() for view in pair)]
        mask[...] = row + 1

    fetched = []
    data = LazySamples(
        views,
        np.empty((12, 5), "float32"),
        np.empty((12,), "float16"),
        write,
        reading,
        lambda *asked: fetched.append(asked),
    )
    rows = [3, 0, 0, 11, 7, 2, 3, 5]
    every = LazyRows(9, (SIZE, SIZE, 3), "uint8", lambda i: pictures[i])
    data.prefetch(rows, every if shown else None)
    assert fetched == [(np.unique(views[rows]).tolist(), shown)] and not read
    part = data.take(rows, every) if shown else (None, *data.labels(rows))
    if shown:
        np.testing.assert_array_equal(part[0], pictures[views[rows]])
    sums = pictures.sum((1, 2, 3))
    expected = np.concatenate([np.array(rows)[:, None], views[rows], sums[views[rows]]], 1)
    np.testing.assert_array_equal(part[1], expected)
    np.testing.assert_array_equal(part[2], np.array(rows) + 1)
    assert sorted(read) == np.unique(views[rows]).tolist()
