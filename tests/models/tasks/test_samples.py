"""Pairs and triplets are what their tasks say they are."""

import numpy as np
import pytest
from synthetic import camera

from models.tasks import TASKS, ViewKey
from models.tasks.samples import in_frustum, samples

KEYS = [ViewKey(building, point, number) for building in ("a", "b") for point in range(4) for number in range(3)]
CAMERAS = {key: camera(i) for i, key in enumerate(KEYS)}


def drawn(name: str, limit: int = 10_000) -> np.ndarray:
    return samples(TASKS[name], KEYS, CAMERAS, np.random.default_rng(0), limit)


@pytest.mark.parametrize("name, count", [("normal", 24), ("fixated_pose", 8 * 3), ("egomotion", 8)])
def test_all_combinations_of_a_point_are_samples(name, count):
    rows = drawn(name)
    assert len(rows) == count
    assert all(len({(KEYS[i].building, KEYS[i].point) for i in row}) == 1 for row in rows)


def test_matching_is_balanced_and_negatives_stay_in_the_building():
    rows = drawn("point_matching")
    same = [KEYS[i].point == KEYS[j].point for i, j in rows]
    assert abs(np.mean(same) - 0.5) < 0.05
    assert all(KEYS[i].building == KEYS[j].building for i, j in rows)


def test_nonfixated_pairs_see_the_other_point_and_fixate_their_own():
    rows = drawn("nonfixated_pose")
    assert len(rows) and all(KEYS[i].point != KEYS[j].point and in_frustum(CAMERAS[KEYS[j]], CAMERAS[KEYS[i]].point) for i, j in rows)


def test_a_limit_draws_the_same_rows_for_the_same_seed():
    assert len(drawn("fixated_pose", 5)) == 5
    np.testing.assert_array_equal(drawn("fixated_pose", 5), drawn("fixated_pose", 5))


def test_lonely_views_make_no_pairs():
    keys = [ViewKey("a", point, 0) for point in range(3)]
    assert samples(TASKS["fixated_pose"], keys, CAMERAS, np.random.default_rng(0), 9).shape == (0, 2)
