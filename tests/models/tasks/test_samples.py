"""Pairs and triplets are what their tasks say they are."""

import dataclasses
import itertools
from collections import Counter

import numpy as np
import pytest
from synthetic import camera

from models.tasks import TASKS, ViewKey
from models.tasks.samples import Combinations, in_frustum, positions_by_building, samples

KEYS = [
    ViewKey(building, point, number)
    for building in ("a", "b")
    for point in range(4)
    for number in range(3)
]
CAMERAS = {key: camera(i) for i, key in enumerate(KEYS)}


def drawn(name: str, limit: int = 10_000) -> np.ndarray:
    return samples(TASKS[name], KEYS, CAMERAS, np.random.default_rng(0), limit)


@pytest.mark.parametrize("name, count", [("normal", 24), ("fixated_pose", 8 * 3), ("egomotion", 8)])
def test_all_combinations_of_a_point_are_samples(name, count):
    rows = drawn(name)
    assert len(rows) == count
    assert all(len({(KEYS[i].building, KEYS[i].point) for i in row}) == 1 for row in rows)


def listing(number: int, *points: int):
    """a camera that says which other points it sees."""
    return dataclasses.replace(camera(number), points_in_view=points)


def chain() -> dict:
    """every view of point p sees point p + 1 and no other, whatever its field of view holds."""
    return {key: listing(i, key.point + 1) for i, key in enumerate(KEYS)}


@pytest.mark.parametrize("limit", [2, 11, 10_000])
@pytest.mark.parametrize("seed", range(3))
def test_matching_has_one_negative_a_positive_of_the_same_building(limit, seed):
    rows = samples(TASKS["point_matching"], KEYS, chain(), np.random.default_rng(seed), limit)
    assert len(rows) == min(limit // 2 * 2, 2 * 24)  # 2 buildings, 4 points, 3 pairs each
    assert len({frozenset(row.tolist()) for row in rows}) == len(rows)
    assert all(KEYS[i].building == KEYS[j].building for i, j in rows)
    count = Counter((KEYS[i].building, bool(KEYS[i].point == KEYS[j].point)) for i, j in rows)
    assert all(count[building, True] == count[building, False] for building in ("a", "b"))


def test_neither_view_of_a_negative_sees_the_point_of_the_other():
    rows = samples(TASKS["point_matching"], KEYS, chain(), np.random.default_rng(0), 10_000)
    apart = {abs(KEYS[i].point - KEYS[j].point) for i, j in rows}
    assert apart == {
        0,
        2,
        3,
    }  # 1 would be neighbours of the chain, one of which sees the other's point


def test_a_positive_without_an_honest_negative_is_left_out():
    everything = {key: listing(i, *range(4)) for i, key in enumerate(KEYS)}
    assert samples(
        TASKS["point_matching"], KEYS, everything, np.random.default_rng(0), 100
    ).shape == (0, 2)


def test_without_lists_a_negative_has_the_point_of_neither_in_its_field_of_view():
    blind = {
        key: dataclasses.replace(camera(i), point=[2 + key.point, 1, 1])
        for i, key in enumerate(KEYS)
    }
    rows = samples(TASKS["point_matching"], KEYS, blind, np.random.default_rng(0), 10_000)
    negatives = [(i, j) for i, j in rows if KEYS[i].point != KEYS[j].point]
    assert negatives and len(rows) == 2 * len(negatives)
    assert not any(
        in_frustum(blind[KEYS[a]], blind[KEYS[b]].point)
        for i, j in negatives
        for a, b in ((i, j), (j, i))
    )


def test_nonfixated_pairs_are_those_with_a_line_of_sight_where_views_list_their_points():
    rows = samples(TASKS["nonfixated_pose"], KEYS, chain(), np.random.default_rng(0), 10_000)
    assert len(rows) == 2 * 3 * 9  # points 1, 2, 3 are seen by the 3 views of the point before
    assert all(
        KEYS[i].building == KEYS[j].building and KEYS[i].point == KEYS[j].point + 1 for i, j in rows
    )


def test_an_empty_list_means_that_nothing_else_is_seen():
    walled = {key: listing(i) for i, key in enumerate(KEYS)}
    assert len(drawn("nonfixated_pose")) and samples(
        TASKS["nonfixated_pose"], KEYS, walled, np.random.default_rng(0), 100
    ).shape == (0, 2)


def test_nonfixated_pairs_see_the_other_point_and_fixate_their_own():
    rows = drawn("nonfixated_pose")
    assert len(rows) and all(
        KEYS[i].point != KEYS[j].point and in_frustum(CAMERAS[KEYS[j]], CAMERAS[KEYS[i]].point)
        for i, j in rows
    )


def test_a_limit_draws_the_same_rows_for_the_same_seed():
    assert len(drawn("fixated_pose", 5)) == 5
    np.testing.assert_array_equal(drawn("fixated_pose", 5), drawn("fixated_pose", 5))


def test_lonely_views_make_no_pairs():
    keys = [ViewKey("a", point, 0) for point in range(3)]
    assert samples(TASKS["fixated_pose"], keys, CAMERAS, np.random.default_rng(0), 9).shape == (
        0,
        2,
    )


@pytest.mark.parametrize("images", [2, 3])
@pytest.mark.parametrize("seed", [None, 0, 1])
def test_a_combination_is_found_by_its_number_among_all_of_them(images, seed):
    keys = [*KEYS, ViewKey("b", 9, 0), *(ViewKey("c", 0, number) for number in range(5))]
    if seed is not None:
        keys = [keys[i] for i in np.random.default_rng(seed).permutation(len(keys))]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    points = itertools.groupby(order, key=lambda i: keys[i][:2])
    every = [row for _, group in points for row in itertools.combinations(group, images)]
    combinations = Combinations(keys, images)
    assert len(combinations) == len(every) and list(combinations) == every
    assert [combinations[i] for i in range(len(every))] == every == combinations[:]
    with pytest.raises(IndexError, match=f"of {len(every)}"):
        combinations[len(every)]


def test_of_no_views_there_is_no_combination():
    assert len(Combinations([], 2)) == 0 and list(Combinations([], 2)) == []


def test_positions_of_a_building_are_a_range_where_they_stand_side_by_side():
    assert positions_by_building(KEYS) == {"a": range(12), "b": range(12, 24)}
    mixed = [KEYS[0], KEYS[12], KEYS[1]]
    assert {name: list(rows) for name, rows in positions_by_building(mixed).items()} == {
        "a": [0, 2],
        "b": [1],
    }
