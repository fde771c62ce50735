"""Label-efficiency curves: known losses, known curves, intervals that hold the truth."""

import numpy as np
import pytest

from models.taxonomy import LossStore, Transfer
from models.taxonomy.evidence.curves import curves, drawn_means

BUILDINGS, VIEWS = 12, 10
NAMES = [f"b{i}/point_0/view_{j}" for i in range(BUILDINGS) for j in range(VIEWS)]
AMOUNTS = {"8": 0.9, "16": 0.6, "32": 0.3, "": 0.1}


def store_of(directory, targets=("a", "b"), names=NAMES, scratch=tuple(AMOUNTS)) -> LossStore:
    """losses fall with the amount; source c is best for both targets."""
    store, rng = LossStore(directory), np.random.default_rng(1)
    for target in targets:
        store.set_images(target, names)
        for regime, extra in AMOUNTS.items():
            for shift, source in ((0.4, "d"), (0.0, "c"), (-0.05, target)):
                losses = rng.random(len(names)) + extra + shift
                store.append(Transfer((source,), target, regime), losses)
            store.append(Transfer((), target, regime, "pixels"), rng.random(len(names)) + 1)
            if regime in scratch:
                losses = rng.random(len(names)) + extra + 0.5
                store.append(Transfer((), target, regime, "scratch"), losses)
        store.append(Transfer((), target, control="supervised"), rng.random(len(names)))
    return store


def test_quality_is_the_share_of_images_won_and_grows_with_the_amount(tmp_path):
    store = store_of(tmp_path)
    facts = curves(store, resamples=200)
    assert (facts["unit"], facts["units"], facts["resamples"]) == ("building", BUILDINGS, 200)
    rows = {(row["target"], row["regime"]): row for row in facts["targets"]}
    assert set(rows) == {(target, regime) for target in "ab" for regime in AMOUNTS}
    measured = store.read("a")
    losses = dict(zip(measured.transfers, measured.losses))
    own = losses[Transfer((), "a", control="supervised")]
    for regime in AMOUNTS:
        row = rows["a", regime]
        assert row["sources"] == ["c"]
        for way, transfer in (
            ("transfer", Transfer(("c",), "a", regime)),
            ("own_code", Transfer(("a",), "a", regime)),
            ("scratch", Transfer((), "a", regime, "scratch")),
        ):
            won = (losses[transfer] < own).mean()
            assert row[way]["quality"] == pytest.approx(won)
            assert row[way]["low"] <= won <= row[way]["high"]
    assert [row["regime"] for row in facts["mean"]] == list(AMOUNTS)
    assert [row["regime"] for row in facts["targets"]] == [*AMOUNTS, *AMOUNTS]
    mean = {row["regime"]: row for row in facts["mean"]}
    reached = [mean[regime]["transfer"]["quality"] for regime in AMOUNTS]
    assert reached == sorted(reached) and reached[0] < reached[-1]
    both = np.mean([rows[target, "8"]["transfer"]["quality"] for target in "ab"])
    assert mean["8"]["transfer"]["quality"] == pytest.approx(both)


def test_a_source_is_judged_on_buildings_that_did_not_choose_it(tmp_path):
    """two sources, each good where the other is bad: whoever chooses on one half loses on the
    other.
    """
    store = LossStore(tmp_path)
    store.set_images("t", NAMES)
    first = np.array([int(name.split("/")[0][1:]) % 2 == 0 for name in NAMES])
    store.append(Transfer(("x",), "t"), np.where(first, 0.0, 2.0))
    store.append(Transfer(("y",), "t"), np.where(first, 2.0, 0.0))
    store.append(Transfer((), "t", control="supervised"), np.ones(len(NAMES)))
    (row,) = curves(store, resamples=20)["targets"]
    assert row["transfer"]["quality"] == 0 and set(row["sources"]) == {"x", "y"}


def test_intervals_over_buildings_are_wider_where_images_of_one_building_agree(tmp_path):
    together = np.repeat(np.random.default_rng(2).random(BUILDINGS), VIEWS)
    widths = []
    for name, losses in (("a", together), ("b", np.random.default_rng(3).permutation(together))):
        store = LossStore(tmp_path / name)
        store.set_images("t", NAMES)
        store.append(Transfer(("x",), "t"), losses)
        store.append(Transfer((), "t", control="supervised"), np.full(len(NAMES), 0.5))
        (row,) = curves(store, resamples=500)["targets"]
        widths.append(row["transfer"]["high"] - row["transfer"]["low"])
    assert widths[0] > 1.5 * widths[1]


def test_what_was_not_measured_is_none_and_one_building_is_drawn_by_images(tmp_path):
    names = [f"b0/point_{i}/view_0" for i in range(30)]
    facts = curves(store_of(tmp_path / "one", names=names, scratch=("",)), resamples=20)
    assert facts["unit"] == "image"
    smaller = next(row for row in facts["targets"] if row["regime"] == "8")
    assert smaller["scratch"] is None and smaller["transfer"] is not None
    mean = {row["regime"]: row["scratch"] for row in facts["mean"]}
    assert mean.pop("")["quality"] > 0 and set(mean.values()) == {None}
    alone = LossStore(tmp_path / "none")
    alone.set_images("t", names)
    alone.append(Transfer(("x",), "t"), np.ones(30))
    assert curves(alone)["targets"] == []


def test_a_drawn_mean_counts_every_image_of_a_unit_as_often_as_the_unit():
    values, at = np.array([1.0, 2.0, 6.0]), np.array([0, 0, 1])
    weights = np.array([[2.0, 0, 0], [1, 1, 0], [0, 2, 1], [1, 2, 0], [0, 0, 3]])
    np.testing.assert_allclose(drawn_means(values, at, weights), [1.5, 3, 6, 15 / 4, np.nan])


def test_a_mean_is_over_the_targets_that_have_a_way_at_every_amount(tmp_path):
    """b was learned from scratch with all data alone: a mean would rise or fall by its presence."""
    stores = [
        store_of(tmp_path / "all", targets=("a",)),
        store_of(tmp_path / "few", targets=("b",), scratch=("",)),
    ]
    facts = curves(stores, resamples=20)
    quality = {
        row["regime"]: row["scratch"]["quality"] for row in facts["targets"] if row["target"] == "a"
    }
    for row in facts["mean"]:
        assert row["targets"] == {"transfer": 2, "scratch": 1, "pixels": 2, "own_code": 2}
        assert row["scratch"]["quality"] == quality[row["regime"]]
