"""Amounts of data are nested, and what is held out is whole buildings."""

import dataclasses

import numpy as np
import pytest
from tiny_store import TINY, TinyStore

from models.networks.transfers.regimes import known, last_buildings, regimes_of


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
    one_building = [f"one/point_{i}/view_0" for i in range(20)]
    assert last_buildings(one_building).tolist() == [False] * 16 + [True] * 4
    assert not last_buildings(keys[:5]).any()


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


def test_a_sample_without_a_label_teaches_nothing():
    data = TinyStore().samples("class_scene", "val")
    mask = np.array(data.mask)
    mask[[2, 5]] = 0
    np.testing.assert_array_equal(
        known(dataclasses.replace(data, mask=mask), np.arange(1, 7)), [1, 3, 4, 6]
    )
