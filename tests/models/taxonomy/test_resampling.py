"""Intervals from resampled test images: right in the large, the same for the same seed, and honest
about noise.
"""

import numpy as np
import pytest

from models.taxonomy import (
    Affinities,
    LossStore,
    Transfer,
    by_amount,
    evaluate,
    measure,
    solve,
    solve_all,
)
from models.taxonomy.affinities import Row
from models.taxonomy.expenses import Expenses
from models.taxonomy.resampling import Resamples, bootstrap
from models.taxonomy.spread import with_spread


def stored(directory, images=120, steps=0.15, targets=("a", "b", "c"), regimes=("",)) -> LossStore:
    """sources a to d get worse by `steps`; the supervised network is better, scratch worse."""
    store, rng = LossStore(directory), np.random.default_rng(3)
    for target in targets:
        store.set_images(target, [f"{i}" for i in range(images)])
        for regime in regimes:
            for place, source in enumerate("abcd"):
                store.append(
                    Transfer((source,), target, regime), rng.random(images) + steps * place
                )
            store.append(Transfer((), target, regime, "scratch"), rng.random(images) + 0.6)
        store.append(Transfer((), target, control="supervised"), rng.random(images))
    return store


def test_resamples_without_luck_are_the_measured_numbers(tmp_path):
    store = stored(tmp_path)
    table, found = measure(store), bootstrap(store, resamples=400)
    for row in table.rows:
        column = found.column[row.transfer]
        if row.transfer.control in (None, "supervised"):
            assert np.median(found.affinity[:, column]) == pytest.approx(row.affinity, abs=0.05)
        assert found.gain[:, column].mean() == pytest.approx(row.gain, abs=0.02)
        assert found.quality[:, column].mean() == pytest.approx(row.quality, abs=0.02)


def test_a_win_rate_varies_as_a_share_of_images_does(tmp_path):
    store = stored(tmp_path, images=400)
    found, rate = bootstrap(store, resamples=2000), measure(store)
    for row in rate.rows:
        if row.transfer.control is None:
            wanted = np.sqrt(row.gain * (1 - row.gain) / 400)  # standard error of a share
            assert found.gain[:, found.column[row.transfer]].std() == pytest.approx(
                wanted, rel=0.12, abs=1e-3
            )


def test_blocks_estimate_the_same_spread_as_images(tmp_path, monkeypatch):
    import models.taxonomy.resampling as room

    store = stored(tmp_path, images=600)
    fine = bootstrap(store, resamples=1000).gain.std(0)
    monkeypatch.setattr(room, "UNITS", 150)
    np.testing.assert_allclose(
        bootstrap(store, resamples=1000).gain.std(0), fine, rtol=0.25, atol=2e-3
    )


def test_memory_bounds_change_nothing(tmp_path, monkeypatch):
    import models.taxonomy.resampling as room

    store = stored(tmp_path)
    whole = bootstrap(store, resamples=50)
    monkeypatch.setattr(room, "MEMORY", 20_000)
    np.testing.assert_allclose(bootstrap(store, resamples=50).affinity, whole.affinity, atol=1e-4)


def test_the_same_seed_gives_the_same_resamples_and_files_read_back(tmp_path):
    store = stored(tmp_path / "store")
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
    found = bootstrap(store, resamples=20)
    into = lambda target: found.affinity[
        :, [i for i, transfer in enumerate(found.transfers) if transfer.target == target]
    ]
    np.testing.assert_array_equal(into("a"), into("b"))


def test_intervals_hold_the_measured_value_and_survive_files(tmp_path):
    store = stored(tmp_path / "store")
    table = with_spread(measure(store), bootstrap(store, resamples=300))
    best = next(row for row in table.rows if row.transfer == Transfer(("a",), "b"))
    assert best.spread.affinity_low <= best.affinity <= best.spread.affinity_high
    assert best.spread.rank_low == 1
    for name in ("table.json", "table.csv"):
        table.save(tmp_path / name)
        assert Affinities.load(tmp_path / name).rows == table.rows


def test_noise_is_called_noise_and_order_is_not(tmp_path):
    clear, noise = (
        stored(tmp_path / "clear", images=200),
        stored(tmp_path / "noise", images=30, steps=0.0),
    )
    assert not any(
        facts["warning"]
        for facts in with_spread(
            measure(clear), bootstrap(clear, resamples=200)
        ).diagnostics.values()
    )
    assert all(
        "noise" in facts["warning"]
        for facts in with_spread(
            measure(noise), bootstrap(noise, resamples=200)
        ).diagnostics.values()
    )


def test_cautious_taxonomies_use_the_lower_bound(tmp_path):
    store = stored(tmp_path)
    table = with_spread(measure(store), bootstrap(store, resamples=200))
    lower = table.at("lower")
    assert all(row.affinity == row.spread.affinity_low for row in lower.rows if row.spread)
    assert solve(lower, 1, 1).objective < solve(table, 1, 1).objective
    with pytest.raises(ValueError, match="no"):
        measure(store).at("lower")
    with pytest.raises(ValueError, match="one of point"):
        table.at("upper")


def test_evidence_says_how_often_each_source_is_chosen_and_what_it_costs(tmp_path):
    store = stored(tmp_path)
    found = bootstrap(store, resamples=40)
    table = with_spread(measure(store), found)
    book = evaluate(
        table,
        solve_all(table, [1, 2], [1]),
        budget=1,
        order=1,
        policies=50,
        resamples=found,
        expenses=Expenses(1000, {"": 100}, None, 2.0),
    )
    assert book["stability"]["solves"] == 40 and 0 < max(book["stability"]["chosen"].values()) <= 1
    assert (
        book["stability"]["quality"]["low"]
        <= book["curves"][0]["quality"]
        <= book["stability"]["quality"]["high"]
    )
    assert [row["risk"] for row in book["cautious"]] == ["point", "expected", "lower"]
    assert book["ledger"]["images"] == 1000 + 2 * 100
    assert {row["budget"] for row in book["headline"]} == {1, 2}


def test_one_of_several_regimes_is_a_table_of_its_own(tmp_path):
    store = stored(tmp_path / "both", targets=("a",), regimes=("", "1k"))
    both, one = store.read("a"), LossStore(tmp_path / "one")
    one.set_images("a", both.images)
    one.extend(
        {
            transfer: losses
            for transfer, losses in zip(both.transfers, both.losses)
            if transfer.regime == ""
        },
        address="a",
    )
    alone = measure(one)
    table, found = measure(store, regime=""), bootstrap(store, resamples=5, regime="")
    assert table.rows == alone.rows and set(found.transfers) == {row.transfer for row in alone.rows}
    with pytest.raises(ValueError, match="no transfer into it was measured"):
        measure(store, regime="2k")


def test_what_less_data_costs_is_said_target_by_target(tmp_path):
    sources = {f"s{i}": 0.1 * i for i in range(5)}
    rows = [Row(Transfer((name,), "t", regime), value, 0.9, value) for regime, sign in (("", 1), ("1k", -1)) for name, place in sources.items()
            for value in (0.5 + sign * place / 2,)]  # fmt: skip
    own = Row(Transfer(("t",), "t"), 0.99)
    (row,) = by_amount(Affinities((*rows, own), {}))
    assert row["spearman"] == {"1k": pytest.approx(-1)} and {
        name: best["source"] for name, best in row["best"].items()
    } == {"": "s4", "1k": "s0"}
    level = [Row(Transfer((name,), "t", regime), 0.5) for regime in ("", "1k") for name in sources]
    assert by_amount(Affinities(tuple(level), {}))[0]["spearman"] == {"1k": None}
    assert by_amount(Affinities((own,), {})) == []


def test_regimes_are_resampled_on_one_scale(tmp_path):
    store = stored(tmp_path, regimes=("1k", "16k"))
    found, table = bootstrap(store, resamples=50), measure(store)
    assert {row.transfer for row in table.rows} == set(found.transfers)
    columns = [
        i
        for i, transfer in enumerate(found.transfers)
        if transfer.target == "a" and transfer.control != "scratch"
    ]
    np.testing.assert_allclose(found.affinity[:, columns].sum(1), 1, atol=1e-5)
