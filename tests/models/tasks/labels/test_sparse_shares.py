"""The sparse form holds every share, and nothing else."""

import numpy as np
import pytest
from tiny_store import TinyStore

from models.tasks import TASKS
from models.tasks.labels.sparse_shares import sparse, strongest

RNG = np.random.default_rng(0)


def shares(count, channels=40, pixels=50):
    """[pixels, channels] float16, up to `count` of a pixel not 0, some of them alike."""
    values = np.zeros((pixels, channels), "float16")
    for i in range(pixels):
        some = RNG.permutation(channels)[: i % (count + 1)]
        values[i, some] = RNG.integers(1, 4, len(some)) / 8
    return values


@pytest.mark.parametrize("kind", ["float16", "float32"])
def test_the_sparse_form_has_the_shares_by_rising_number(kind):
    values = shares(5).astype(kind).reshape(5, 10, 40)
    form = sparse(values, 5)
    assert form.shape == (5, 10, 10) and form.dtype == kind
    for own, row in zip(form.reshape(-1, 10), values.reshape(-1, 40)):
        there = np.flatnonzero(row)
        assert own[: len(there)].tolist() == there.tolist()
        assert own[5 : 5 + len(there)].tolist() == row[there].tolist()
        assert not own[len(there) : 5].any() and not own[5 + len(there) :].any()


def test_more_shares_than_a_pixel_may_have_are_refused():
    values = shares(6)
    with pytest.raises(ValueError, match="at most 5 shares .*got 6 of 40"):
        sparse(values, 5)


def test_the_strongest_channel_is_the_first_of_the_largest():
    values = shares(5)
    assert strongest(sparse(values, 5)).tolist() == values.argmax(-1).tolist()


@pytest.mark.parametrize("name", [name for name, entry in TASKS.items() if entry.shares])
def test_targets_have_no_more_shares_than_their_task_says(name):
    target = TinyStore().samples(name, "train").target
    assert np.count_nonzero(target, axis=-1).max() <= TASKS[name].shares


def test_halves_hold_the_numbers_of_all_channels():
    assert all(entry.output.channels <= 2048 for entry in TASKS.values() if entry.shares)
