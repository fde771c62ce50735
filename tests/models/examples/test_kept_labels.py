"""Labels that are kept are those that were made, and each is made once."""

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest

from models.examples import kept_labels
from models.examples.kept_labels import kept_samples
from models.examples.task_samples import TaskSamples

COUNT = 40


@dataclass(frozen=True)
class Counted(TaskSamples):
    """writes down which labels were asked for."""

    asked: list
    fetched: list

    def labels(self, rows):
        self.asked.extend(np.arange(COUNT)[rows].tolist())
        return super().labels(rows)

    def prefetch(self, rows, pictures):
        assert pictures is None
        self.fetched.append(rows.tolist())


def counted(mask_shape=(6, 6, 1)):
    rng = np.random.default_rng(0)
    target = rng.normal(size=(COUNT, 6, 6, 3)).astype("float16")
    mask = rng.integers(0, 2, (COUNT, *mask_shape)).astype("float16")
    return Counted(np.arange(COUNT, dtype="int32")[:, None], target, mask, [], [])


@pytest.mark.parametrize("mask_shape", [(6, 6, 1), ()])
@pytest.mark.parametrize(
    "rows", [np.array([5, 1, 5, 39]), [7, 0], slice(3, 30, 4), np.arange(COUNT)], ids=repr
)
def test_labels_are_the_same_however_they_are_asked_for(rows, mask_shape):
    data = counted(mask_shape)
    samples = kept_samples(data)
    for _ in range(2):
        for own, there in zip(samples.labels(rows), data.labels(rows), strict=True):
            assert own.dtype == there.dtype and own.shape == there.shape
            assert own.tobytes() == there.tobytes()
    assert samples.mask[9].tobytes() == data.mask[9].tobytes()
    assert np.array_equal(samples.target[rows], data.target[rows])
    assert samples.target.shape == data.target.shape and samples.views is data.views


@pytest.mark.parametrize("rows", [np.array([4, 6, 7]), [4, 6, 7], slice(4, 8)], ids=repr)
def test_records_of_labels_that_are_kept_are_not_fetched(rows):
    data = counted()
    samples = kept_samples(data)
    samples.labels(np.array([4, 5]))
    samples.prefetch(rows, None)
    samples.labels(rows)
    samples.prefetch(rows, None)
    assert data.fetched == [[6, 7]]


def test_a_label_is_made_once():
    data = counted()
    samples = kept_samples(data)
    samples.labels(np.array([4, 2, 4]))
    samples.labels(np.array([2, 8]))
    samples.labels(slice(2, 5))
    assert data.asked == [2, 4, 8, 3]
    _ = samples.mask[8], samples.target[3]
    assert data.asked == [2, 4, 8, 3]


def test_threads_that_ask_at_once_have_it_made_once():
    data = counted()
    samples = kept_samples(data)
    rows = [np.random.default_rng(i).permutation(COUNT)[:30] for i in range(16)]
    with ThreadPoolExecutor(8) as pool:
        for own, some in zip(pool.map(samples.labels, rows), rows):
            assert np.array_equal(own[0], data.target[some])
    assert sorted(data.asked) == sorted(set(np.concatenate(rows).tolist()))


def test_without_room_labels_are_made_anew_and_it_is_said_once(monkeypatch, capsys):
    data = counted()
    samples = kept_samples(data)
    samples.labels(slice(0, 4))
    write = os.pwrite
    left = iter([7])

    def full(number, rest, place):
        """the disk takes seven bytes more."""
        for some in left:
            return write(number, rest[:some], place)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(kept_labels.os, "pwrite", full)
    for rows in (slice(0, 8), np.array([2, 9, 4]), slice(0, 3)):
        for own, there in zip(samples.labels(rows), (data.target[rows], data.mask[rows])):
            assert own.tobytes() == there.tobytes()
    output = capsys.readouterr().err
    assert output.count("No space left on device") == 1 and "TMPDIR" in output
    assert data.asked.count(1) == 2 and data.asked.count(0) == 2  # kept before: not a third time


def test_the_file_has_no_name_and_goes_with_the_samples(tmp_path, monkeypatch):
    monkeypatch.setattr(kept_labels.tempfile, "tempdir", str(tmp_path))
    samples = kept_samples(counted())
    target, _ = samples.labels(slice(0, 4))
    assert not list(tmp_path.iterdir())
    numbers = [part.number for part in samples.store.parts]
    del samples
    for number in numbers:
        with pytest.raises(OSError):
            os.fstat(number)
    assert target.shape == (4, 6, 6, 3)
