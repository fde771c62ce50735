"""Amounts of data are nested, and what is held out is whole buildings."""

import dataclasses

import numpy as np
import pytest
from tiny_store import TINY, TinyStore

from models.examples.label_store import TaskSamples
from models.networks.transfers.regimes import (
    Regime,
    labelled_rows,
    last_buildings,
    regimes_of,
    teaching_rows,
)


class Views:
    """forty views of ten buildings."""

    def views(self, split):
        return [f"b{i // 4}/point_{i}/view_0" for i in range(40)]


def test_regimes_are_nested_and_the_largest_goes_to_the_highest_order():
    least, small, large = regimes_of(
        Views(),
        dataclasses.replace(
            TINY, regimes=(20, 12), transfer_images=30, transfer_order=3, regime_order=2
        ),
    )
    assert [(regime.name, len(regime.views), regime.order) for regime in (least, small, large)] == [
        ("12", 12, 2),
        ("20", 20, 2),
        ("", 30, 3),
    ]
    assert set(least.views) < set(small.views) < set(large.views)


def test_one_regime_has_no_name_and_all_views():
    (only,) = regimes_of(Views(), TINY)
    assert only.name == "" and len(only.views) == 40 and only.held_out.sum() == 8


def test_an_amount_that_the_split_does_not_hold_is_left_out():
    assert [
        regime.name
        for regime in regimes_of(
            Views(), dataclasses.replace(TINY, regimes=(12, 40, 1000), transfer_images=16_000)
        )
    ] == ["12", ""]


def test_amounts_that_are_not_smaller_are_refused():
    with pytest.raises(ValueError, match="below transfer_images"):
        dataclasses.replace(TINY, regimes=(16_000,), transfer_images=16_000)


def test_no_building_is_on_both_sides_and_one_building_is_cut():
    keys = Views().views("val")
    last = last_buildings(keys)
    held_out = {key.split("/")[0] for key, out in zip(keys, last) if out}
    teaching = {key.split("/")[0] for key, out in zip(keys, last) if not out}
    assert held_out and not held_out & teaching
    # sorted as text: the last two of ten
    assert held_out == {"b8", "b9"}
    one_building = [f"one/point_{i}/view_0" for i in range(20)]
    assert last_buildings(one_building).tolist() == [False] * 16 + [True] * 4
    assert not last_buildings(keys[:5]).any()
    assert last_buildings(["a/x"] * 9 + ["b/x"] * 4).tolist() == [False] * 9 + [True] * 4


def test_samples_of_several_views_are_nested():
    class Pairs:
        views = np.zeros((50, 2), int)

        def __len__(self):
            return 50

    small, large = regimes_of(Views(), dataclasses.replace(TINY, regimes=(12,), transfer_images=30))
    assert (
        set(small.samples(Pairs(), 0)) < set(large.samples(Pairs(), 0))
        and len(large.samples(Pairs(), 0)) == 30
    )
    assert set(large.samples(Pairs(), 0)) != set(large.samples(Pairs(), 1))


def test_a_sample_without_a_label_teaches_nothing():
    data = TinyStore().samples("class_scene", "val")
    mask = np.array(data.mask)
    mask[[2, 5]] = 0
    np.testing.assert_array_equal(
        labelled_rows(dataclasses.replace(data, mask=mask), np.arange(1, 7)), [1, 3, 4, 6]
    )


def test_which_views_a_smaller_amount_has_is_the_seeds():
    config = dataclasses.replace(TINY, regimes=(12,), transfer_images=30)

    def views(seed: int) -> list[list[int]]:
        regimes = regimes_of(Views(), dataclasses.replace(config, seed=seed))
        return [regime.views.tolist() for regime in regimes]

    assert views(0) == views(0)
    assert views(0)[0] != views(1)[0] and views(0)[1] != views(1)[1]
    # not the first ones: views of one building stand side by side
    assert views(0)[0] != list(range(12))


def samples(views) -> TaskSamples:
    """one number a sample, all with a label."""
    count = len(views)
    return TaskSamples(np.array(views), np.zeros((count, 1), "float32"), np.ones(count, "float32"))


def test_a_sample_is_held_out_if_one_of_its_views_is():
    regime = Regime("", 2, 100, np.array([2, 4, 6]), np.array([False, False, True]))
    data = samples([[2, 4], [2, 6], [6, 4], [6, 6], [2, 2]])
    assert regime.holds_out(data, np.arange(5)).tolist() == [False, True, True, True, False]
    assert regime.holds_out(data, np.array([4, 1])).tolist() == [False, True]


def test_pairs_of_a_held_out_building_teach_nothing_whatever_views_the_regime_has():
    keys = Views().views("val")
    config = dataclasses.replace(TINY, regimes=(20,), transfer_images=30)
    small, large = regimes_of(Views(), config)
    pairs = samples([[4 * b + i, 4 * b + j] for b in range(10) for i in range(4) for j in range(i)])
    for regime in (small, large):
        out = {keys[i].split("/")[0] for i in regime.views[regime.held_out]}
        teaching = {keys[i].split("/")[0] for i in regime.views[~regime.held_out]}
        assert out and not out & teaching
        held_out = regime.holds_out(pairs, np.arange(len(pairs)))
        buildings = [keys[views[0]].split("/")[0] for views in pairs.views]
        assert held_out.tolist() == [building in out for building in buildings]


def test_a_lone_building_is_cut_and_its_other_views_teach():
    class One:
        def views(self, split):
            return [f"one/point_{i}/view_0" for i in range(20)]

    (small, _) = regimes_of(One(), dataclasses.replace(TINY, regimes=(10,), transfer_images=19))
    assert small.held_out.sum() == 2 and len(small.withheld) == 0


def test_the_last_fifth_of_the_samples_stops_where_no_view_is_held_out():
    class Store:
        def samples(self, name, split):
            return samples([[i] for i in range(20)])

    views = np.arange(20)
    teach, stop = teaching_rows(
        Store(), Regime("", 2, 100, views, np.zeros(20, bool)), "room_layout", TINY
    )
    assert (teach.tolist(), stop.tolist()) == (list(range(16)), list(range(16, 20)))
    teach, stop = teaching_rows(Store(), Regime("", 2, 100, views, views < 7), "room_layout", TINY)
    assert (teach.tolist(), stop.tolist()) == (list(range(7, 20)), list(range(7)))


def test_two_samples_are_enough_and_a_sample_of_one_view_teaches_where_the_regime_has_it():
    class Store:
        def samples(self, name, split):
            return samples([[i] for i in range(20)])

    two = Regime("", 2, 100, np.array([3, 11]), np.zeros(2, bool))
    teach, stop = teaching_rows(Store(), two, "room_layout", TINY)
    assert (teach.tolist(), stop.tolist()) == ([3], [11])
    one = Regime("", 2, 100, np.array([3]), np.zeros(1, bool))
    with pytest.raises(LookupError, match="1 samples of room_layout"):
        teaching_rows(Store(), one, "room_layout", TINY)
