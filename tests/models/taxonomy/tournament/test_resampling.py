"""Resampled test images: right in the large, the same for the same seed."""

import numpy as np
import pytest
from affinity_tables import built_store, stepped_store

from models.taxonomy import (
    LossStore,
    Transfer,
    measure,
)
from models.taxonomy.tournament.resamples import Resamples
from models.taxonomy.tournament.resampling import bootstrap


def test_resamples_without_luck_are_the_measured_numbers(tmp_path):
    store = stepped_store(tmp_path)
    table, resamples = measure(store), bootstrap(store, resamples=400)
    for row in table.rows:
        column = resamples.column[row.transfer]
        if row.transfer.control in (None, "supervised"):
            assert np.median(resamples.affinity[:, column]) == pytest.approx(row.affinity, abs=0.05)
        assert resamples.gain[:, column].mean() == pytest.approx(row.gain, abs=0.02)
        assert resamples.quality[:, column].mean() == pytest.approx(row.quality, abs=0.02)


def test_a_win_rate_varies_as_a_share_of_images_does(tmp_path):
    store = stepped_store(tmp_path, images=400)
    resamples, rate = bootstrap(store, resamples=2000), measure(store)
    for row in rate.rows:
        if row.transfer.control is None:
            expected = np.sqrt(row.gain * (1 - row.gain) / 400)  # standard error of a share
            assert resamples.gain[:, resamples.column[row.transfer]].std() == pytest.approx(
                expected, rel=0.12, abs=1e-3
            )


def test_blocks_estimate_the_same_spread_as_images(tmp_path, monkeypatch):
    import models.taxonomy.tournament.resampling as room

    store = stepped_store(tmp_path, images=600)
    fine = bootstrap(store, resamples=1000).gain.std(0)
    monkeypatch.setattr(room, "UNITS", 150)
    np.testing.assert_allclose(
        bootstrap(store, resamples=1000).gain.std(0), fine, rtol=0.25, atol=2e-3
    )


def test_memory_bounds_change_nothing(tmp_path, monkeypatch):
    import models.taxonomy.tournament.resampling as room

    store = stepped_store(tmp_path)
    whole = bootstrap(store, resamples=50)
    monkeypatch.setattr(room, "MEMORY", 20_000)
    np.testing.assert_allclose(bootstrap(store, resamples=50).affinity, whole.affinity, atol=1e-4)


def test_neither_blocks_of_rows_nor_waiting_for_room_change_anything(tmp_path, monkeypatch):
    import models.taxonomy.tournament.resampling as room

    store = stepped_store(tmp_path)
    whole = bootstrap(store, resamples=50)
    monkeypatch.setattr(room, "CACHE", 3)  # fewer than a row: one row a block
    monkeypatch.setattr(room, "LARGE", 1)
    np.testing.assert_array_equal(bootstrap(store, resamples=50).affinity, whole.affinity)


def test_the_same_seed_gives_the_same_resamples_and_files_read_back(tmp_path):
    store = stepped_store(tmp_path / "store")
    first, second = bootstrap(store, resamples=30, seed=1), bootstrap(store, resamples=30, seed=1)
    np.testing.assert_array_equal(first.affinity, second.affinity)
    assert not np.array_equal(first.affinity, bootstrap(store, resamples=30, seed=2).affinity)
    first.save(tmp_path / "resamples.npz")
    again = Resamples.load(tmp_path / "resamples.npz")
    assert again.transfers == first.transfers
    np.testing.assert_array_equal(again.quality, first.quality)


def test_targets_on_the_same_images_draw_the_same_ones(tmp_path):
    store, losses = LossStore(tmp_path), np.random.default_rng(0).random((3, 50))
    for target in ("a", "b"):
        store.set_images(target, [str(i) for i in range(50)])
        for row, source in zip(losses, "xyz"):
            store.append(Transfer((source,), target), row)
    resamples = bootstrap(store, resamples=20)

    def into(target):
        return resamples.affinity[
            :, [i for i, transfer in enumerate(resamples.transfers) if transfer.target == target]
        ]

    np.testing.assert_array_equal(into("a"), into("b"))


def test_regimes_are_resampled_on_the_scale_of_the_first(tmp_path):
    store = stepped_store(tmp_path, regimes=("1k", "16k"))
    resamples, table = bootstrap(store, resamples=50), measure(store)
    assert {row.transfer for row in table.rows} == set(resamples.transfers)
    alone = bootstrap(store, resamples=50, regime="16k")
    columns = [resamples.column[transfer] for transfer in alone.transfers]
    for name in ("affinity", "gain", "quality"):
        np.testing.assert_array_equal(getattr(resamples, name)[:, columns], getattr(alone, name))
    others = [
        resamples.column[row.transfer]
        for row in table.rows
        if row.transfer.regime == "1k" and row.transfer.control in (None, "scratch")
    ]
    measured = [table.of[resamples.transfers[column]].affinity for column in others]
    assert others and np.corrcoef(resamples.affinity[:, others].mean(0), measured)[0, 1] > 0.9


def test_a_win_rate_varies_as_a_share_of_buildings_does(tmp_path):
    store = built_store(tmp_path)
    resamples, table = bootstrap(store, resamples=2000), measure(store)
    assert (resamples.unit, resamples.units) == ("building", 20)
    rates = [row for row in table.rows if row.transfer.control is None]
    assert any(0.2 < row.quality < 0.8 for row in rates)
    for row in rates:
        expected = np.sqrt(row.quality * (1 - row.quality) / 20)  # of 200 images a third of it
        drawn = resamples.quality[:, resamples.column[row.transfer]]
        assert drawn.std() == pytest.approx(expected, rel=0.12, abs=1e-3)


def test_targets_draw_the_same_buildings_though_their_images_differ(tmp_path):
    resamples = bootstrap(built_store(tmp_path), resamples=50)
    columns = [resamples.column[Transfer(("c",), target)] for target in "ab"]
    np.testing.assert_array_equal(*resamples.quality[:, columns].T)
    np.testing.assert_array_equal(*resamples.affinity[:, columns].T)


def test_a_target_of_few_buildings_is_in_every_draw(tmp_path):
    stores = [
        built_store(tmp_path / "most", targets=("a",)),
        built_store(tmp_path / "few", buildings=2, targets=("b",)),
    ]
    resamples = bootstrap(stores, resamples=200)
    assert resamples.units == 20
    assert np.isfinite(resamples.affinity).all() and np.isfinite(resamples.quality).all()
    alone = bootstrap(stores[0], resamples=200)
    columns = [resamples.column[transfer] for transfer in alone.transfers]
    np.testing.assert_array_equal(resamples.quality[:, columns], alone.quality)


def test_of_one_building_images_are_drawn(tmp_path):
    rng, store = np.random.default_rng(0), LossStore(tmp_path)
    store.set_images("t", [f"h/point_{i}/view_0" for i in range(40)])
    for source in "abc":
        store.append(Transfer((source,), "t"), rng.random(40))
    store.append(Transfer((), "t", control="supervised"), rng.random(40))
    resamples = bootstrap(store, resamples=100)
    assert (resamples.unit, resamples.units) == ("image", 40)
    assert resamples.quality[:, resamples.column[Transfer(("a",), "t")]].std() > 0.03


def test_blocks_of_buildings_estimate_the_same_spread(tmp_path, monkeypatch):
    import models.taxonomy.tournament.resampling as room

    store = built_store(tmp_path, buildings=400, views=2)
    fine = bootstrap(store, resamples=1000).gain.std(0)
    monkeypatch.setattr(room, "UNITS", 100)
    resamples = bootstrap(store, resamples=1000)
    assert resamples.units == 400, "as many as there are, in however many blocks"
    np.testing.assert_allclose(resamples.gain.std(0), fine, rtol=0.3, atol=2e-3)


def test_what_was_drawn_is_read_back_and_unknown_of_files_of_earlier_code(tmp_path):
    resamples = bootstrap(built_store(tmp_path / "store"), resamples=5)
    resamples.save(tmp_path / "resamples.npz")
    again = Resamples.load(tmp_path / "resamples.npz")
    assert (again.unit, again.units) == ("building", 20)
    with np.load(tmp_path / "resamples.npz") as content:
        earlier = {name: content[name] for name in content if name != "drawn"}
    np.savez(tmp_path / "earlier.npz", **earlier)
    assert Resamples.load(tmp_path / "earlier.npz").units is None
