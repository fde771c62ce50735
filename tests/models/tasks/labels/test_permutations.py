"""Jigsaw permutations are far apart."""

import itertools

import numpy as np
import pytest

from models.tasks import TASKS
from models.tasks.labels.permutations import (
    JIGSAW_PERMUTATIONS,
    all_permutations,
    permutation_set,
)


def test_permutations_differ_in_many_tiles():
    rows = permutation_set(100, 0)
    distance = (rows[:, None] != rows[None]).sum(-1) + 9 * np.eye(100, dtype=int)
    assert (
        distance.min() >= 6
        and (np.sort(rows) == np.arange(9)).all()
        and not (rows == np.arange(9)).all(1).any()
    )


def test_too_many_permutations_are_refused():
    with pytest.raises(ValueError, match="between 1 and"):
        permutation_set(10, 0, 3)


def test_there_are_as_many_permutations_as_the_jigsaw_task_has_classes():
    assert len(permutation_set()) == JIGSAW_PERMUTATIONS == TASKS["jigsaw"].output.channels


@pytest.mark.parametrize("count", [1, 2, 5])
def test_all_permutations_stand_in_lexicographic_order(count):
    assert all_permutations(count).tolist() == [*map(list, itertools.permutations(range(count)))]


def test_the_next_one_is_the_first_of_those_farthest_from_all_that_were_chosen():
    rows = permutation_set(7, 3, 5).tolist()
    every = [*itertools.permutations(range(5))][1:]

    def nearest(row, chosen):
        return min(sum(a != b for a, b in zip(row, other)) for other in chosen)

    for i in range(1, 7):
        farthest = max(every, key=lambda row: nearest(row, rows[:i]))
        assert rows[i] == list(farthest)
