"""Jigsaw permutations are far apart."""

import numpy as np
import pytest

from models.tasks import TASKS
from models.tasks.labels.permutations import JIGSAW_PERMUTATIONS, permutation_set


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
