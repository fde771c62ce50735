"""Losses to a table: tournaments, regimes on one scale, the cache."""

import json

import numpy as np
import pytest
from affinity_tables import IMAGES, built_store, shifted_store, small_store, stepped_store

from models.networks.transfers.results import share_regime
from models.taxonomy import (
    Affinities,
    LossStore,
    Transfer,
    measure,
)
from models.taxonomy.affinities import Row
from models.taxonomy.tournament import measurement
from models.taxonomy.tournament.measurement import friedman
from models.taxonomy.tournament.resampling import bootstrap
from models.taxonomy.tournament.scale import several


def test_affinities_of_a_target_sum_to_one(tmp_path):
    table = measure(small_store(tmp_path))
    for target in table.targets:
        assert sum(
            row.affinity
            for row in table.rows
            if row.transfer.target == target and row.transfer.control != "scratch"
        ) == pytest.approx(1)
    own = table.supervised("a")
    assert own.quality == 0.5 and 0 <= own.gain <= 1


def test_one_more_regime_computes_only_its_own_tournament(tmp_path):
    store = shifted_store(tmp_path / "store", regimes=("1k",))
    measure(store, cache=tmp_path / "cache")
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()}
    rng = np.random.default_rng(5)
    for source in "abcd":
        store.append(Transfer((source,), "a", "16k"), rng.random(60))
    measure(store, cache=tmp_path / "cache")
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()}
    assert len(before) == 2 and len(after) == 3
    assert {name: after[name] for name in before} == before


def test_regimes_are_put_on_the_scale_of_the_first(tmp_path):
    table = measure(shifted_store(tmp_path / "both", regimes=("1k", "16k")))
    rows = {row.transfer: row for row in table.rows if row.transfer.target == "a"}
    # "16k" stands before "1k" in the alphabet
    alone = [row for row in measure(only(tmp_path, "16k")).rows if row.transfer.target == "a"]
    assert [rows[row.transfer] for row in alone] == alone
    inside = [row.affinity for row in alone if row.transfer.control != "scratch"]
    assert sum(inside) == pytest.approx(1)
    joined = several(
        {
            "1k": Affinities.load(saved(tmp_path, "1k")),
            "16k": Affinities.load(saved(tmp_path, "16k")),
        }
    )
    assert {str(row.transfer) for row in joined.rows} == {str(row.transfer) for row in table.rows}


def amounts_store(directory) -> LossStore:
    """forty players of all data, of few data the three best alone: a little worse on nine images of
    ten, a little better on the tenth.
    """
    store, rng = LossStore(directory), np.random.default_rng(3)
    store.set_images("t", IMAGES)
    pictures = 1 + rng.random(60)
    for number in range(40):
        losses = pictures + 0.01 * number + 0.5 * rng.random(60)
        store.append(Transfer((f"s{number:02d}",), "t"), losses)
        if number < 3:
            worse = np.where(np.arange(60) % 10 > 0, 0.01, -0.01)
            store.append(Transfer((f"s{number:02d}",), "t", "few"), losses + worse)
    store.append(Transfer((), "t", control="supervised"), pictures + 0.3 * rng.random(60))
    return store


def test_a_transfer_that_loses_against_its_larger_amount_has_a_smaller_affinity(tmp_path):
    store = amounts_store(tmp_path)
    table, resamples = measure(store), bootstrap(store, resamples=20)
    for number in range(3):
        more, less = (Transfer((f"s{number:02d}",), "t", regime) for regime in ("", "few"))
        assert table.of[less].quality <= table.of[more].quality
        assert table.of[less].affinity < table.of[more].affinity
        drawn = [resamples.affinity[:, resamples.column[transfer]] for transfer in (less, more)]
        assert (drawn[0] < drawn[1]).mean() > 0.7


def only(tmp_path, regime) -> LossStore:
    """the rows of one regime of the store `both`, in a store of their own."""
    joint, store = LossStore(tmp_path / "both"), LossStore(tmp_path / f"only-{regime}")
    for target in joint.targets():
        rows = joint.read(target)
        store.set_images(target, rows.images)
        for transfer, losses in zip(rows.transfers, rows.losses):
            if transfer.regime in ("", regime):
                store.append(transfer, losses)
    return store


def saved(tmp_path, regime):
    """an affinity table of one regime that, like a released file, does not name it."""
    path = tmp_path / f"{regime}.json"
    measure(only(tmp_path, regime)).save(path)
    content = json.loads(path.read_text())
    path.write_text(
        json.dumps({**content, "rows": [{**row, "regime": ""} for row in content["rows"]]})
    )
    return path


def test_regimes_need_no_supervised_network_in_common(tmp_path):
    store = LossStore(tmp_path)
    store.set_images("a", IMAGES)
    for place, regime in enumerate(("16k", "1k")):
        store.append(Transfer(("b",), "a", regime), np.ones(60) + place)
        store.append(Transfer(("c",), "a", regime), np.ones(60) + 2 + place)
    affinity = {str(row.transfer): row.affinity for row in measure(store).rows}
    ranked = sorted(affinity, key=affinity.__getitem__, reverse=True)
    assert ranked == ["b -> a (16k)", "b -> a (1k)", "c -> a (16k)", "c -> a (1k)"]


def test_tables_without_losses_are_joined_by_the_supervised_network_alone():
    table = Affinities((Row(Transfer(("b",), "a"), 1.0),), {})
    with pytest.raises(ValueError, match="no supervised network in common"):
        several({"1k": table, "16k": table})


def test_an_empty_tournament_is_refused(tmp_path):
    store = LossStore(tmp_path)
    with pytest.raises(ValueError, match="stores hold no target"):
        measure(store)
    store.set_images("a", IMAGES)
    store.append(Transfer((), "a", control="average"), np.ones(60))
    with pytest.raises(ValueError, match="tournament of a is empty"):
        measure(store)


def test_friedman_is_scipys_and_tells_noise_from_difference():
    from scipy.stats import friedmanchisquare

    rng = np.random.default_rng(0)
    noise = rng.integers(0, 4, (6, 200)).astype("float32")
    assert friedman(noise) == pytest.approx(
        friedmanchisquare(*noise.astype("float64")).pvalue, rel=1e-6
    )
    assert friedman(rng.random((6, 200)) + np.arange(6)[:, None]) < 1e-6
    assert friedman(np.ones((4, 10))) == 1.0


def test_friedman_over_buildings_is_not_misled_by_images_that_are_alike():
    rng = np.random.default_rng(0)
    noise = rng.random((6, 20))
    buildings = [f"h{i:02d}" for i in range(20)]
    alike, names = np.repeat(noise, 30, axis=1), np.repeat(buildings, 30).tolist()
    assert friedman(alike) < 0.01 < friedman(alike, names)
    assert friedman(alike, names) == pytest.approx(friedman(noise))
    assert friedman(alike + np.arange(6)[:, None], names) < 1e-6


def test_one_of_several_regimes_is_a_table_of_its_own(tmp_path):
    store = stepped_store(tmp_path / "both", targets=("a",), regimes=("", "1k"))
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
    table, resamples = measure(store, regime=""), bootstrap(store, resamples=5, regime="")
    assert table.rows == alone.rows and set(resamples.transfers) == {
        row.transfer for row in alone.rows
    }
    with pytest.raises(ValueError, match="no transfer into it was measured"):
        measure(store, regime="2k")


def copied_store(directory, *, scratch: bool) -> LossStore:
    """source b does as well as a network from scratch, image by image."""
    store, rng = LossStore(directory), np.random.default_rng(4)
    store.set_images("t", IMAGES)
    losses = {name: rng.random(60) + 0.1 * shift for shift, name in enumerate("abc")}
    for name, row in losses.items():
        store.append(Transfer((name,), "t"), row)
    store.append(Transfer((), "t", control="supervised"), rng.random(60))
    if scratch:
        store.append(Transfer((), "t", control="scratch"), losses["b"])
        store.append(Transfer((), "t", control="average"), losses["c"] + 1)
    return store


def test_training_from_scratch_is_placed_among_the_transfers_and_changes_none(tmp_path):
    bare = measure(copied_store(tmp_path / "bare", scratch=False))
    table = measure(copied_store(tmp_path / "all", scratch=True))
    for row in bare.rows:
        assert table.of[row.transfer].affinity == pytest.approx(row.affinity, rel=1e-12)
    own = table.of[Transfer((), "t", control="scratch")].affinity
    assert own == pytest.approx(table.of[Transfer(("b",), "t")].affinity, rel=1e-9)
    assert table.knows_scratch and not bare.knows_scratch
    assert table.of[Transfer((), "t", control="average")].affinity == 0


def test_resamples_place_training_from_scratch_like_its_twin(tmp_path):
    resamples = bootstrap(copied_store(tmp_path, scratch=True), resamples=20)
    scratch = resamples.affinity[:, resamples.column[Transfer((), "t", control="scratch")]]
    twin = resamples.affinity[:, resamples.column[Transfer(("b",), "t")]]
    np.testing.assert_allclose(scratch, twin, rtol=2e-3)


def test_the_best_source_is_held_against_the_average(tmp_path):
    facts = measure(copied_store(tmp_path, scratch=True)).diagnostics["t"]
    assert facts["over_average"] == 1.0


def test_the_diagnostics_count_buildings_and_know_their_error(tmp_path):
    facts = measure(built_store(tmp_path / "built")).diagnostics["a"]
    rate = facts["over_average"]
    assert facts["buildings"] == 20
    assert facts["over_average_error"] == pytest.approx(np.sqrt(rate * (1 - rate) / 19))
    facts = measure(copied_store(tmp_path / "bare", scratch=True)).diagnostics["t"]
    assert facts["buildings"] is None and facts["over_average_error"] is None


def test_neither_the_worst_source_nor_the_target_itself_is_held_against_the_average(tmp_path):
    store = LossStore(tmp_path)
    store.set_images("t", IMAGES)
    average = 1 + np.random.default_rng(6).random(60)
    own = np.where(np.arange(60) < 50, -0.9, 0.2)  # the best of three, on most images
    for source, more in (("a", -0.5), ("b", 0.5), ("t", own)):
        store.append(Transfer((source,), "t"), average + more)
    store.append(Transfer((), "t", control="average"), average)
    table = measure(store)
    best = max(table.rows, key=lambda row: row.affinity).transfer
    assert best.own_encoder and table.diagnostics["t"]["over_average"] == 1.0


def test_other_losses_and_other_code_are_no_kept_tournament(tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    first = shifted_store(tmp_path / "first", targets=("a",), seed=0)
    second = shifted_store(tmp_path / "second", targets=("a",), seed=1)
    table = measure(first, cache=cache)
    assert measure(second, cache=cache).rows == measure(second).rows != table.rows
    assert len(list(cache.iterdir())) == 2

    monkeypatch.setattr(measurement, "code_digest", lambda played: "of edited code")
    assert measure(first, cache=cache).rows == table.rows
    assert len(list(cache.iterdir())) == 3


def test_scratch_of_fewer_data_is_placed_on_the_scale_that_decides(tmp_path):
    """there it stands where a transfer with the same losses stands, in either regime."""
    store, random = LossStore(tmp_path), np.random.default_rng(7)
    store.set_images("t", IMAGES)
    for extra, regime in ((0.0, ""), (0.1, "few")):
        losses = {name: random.random(60) + extra + 0.1 * i for i, name in enumerate("abcd")}
        for name in "abcd" if regime == "" else "ab":
            store.append(Transfer((name,), "t", regime), losses[name])
        store.append(Transfer((), "t", regime, "scratch"), losses["b"])
    table = measure(store)
    for regime in ("", "few"):
        own = table.of[Transfer((), "t", regime, "scratch")].affinity
        assert own == pytest.approx(table.of[Transfer(("b",), "t", regime)].affinity, rel=1e-9)


@pytest.mark.parametrize("named", [share_regime, str])
def test_a_network_of_a_share_stands_where_a_transfer_with_its_losses_would(tmp_path, named):
    """on the scale that decides; of the test pictures that count alone; as a run's losses name it,
    and as others'.
    """
    control = "supervised" if named is share_regime else "share"
    store, random = LossStore(tmp_path), np.random.default_rng(8)
    store.set_images("t", IMAGES)
    losses = {name: random.random(60) + 0.1 * i for i, name in enumerate("abcd")}
    own = random.random(60)
    for name in "abcd":
        store.append(Transfer((name,), "t"), losses[name])
        # an amount of transfers that a share has too
        store.append(Transfer((name,), "t", "96"), losses[name] + 0.2)
    store.append(Transfer((), "t", control="supervised"), own)
    store.append(Transfer((), "t", named(700), control), own + 0.01)
    store.append(Transfer((), "t", named(96), control), losses["b"])
    for images in (None, lambda name: name in IMAGES[:30]):
        table = measure(store, images=images)
        assert table.shares == ["96", "700"]
        assert table.regimes == ["", "96"] and table.amounts == ["", "96", "700"]
        few, many = (table.of[Transfer((), "t", amount, "share")] for amount in table.shares)
        alike = table.of[Transfer(("b",), "t")]
        assert few.affinity == pytest.approx(alike.affinity, rel=1e-9)
        assert (few.quality, few.mean_loss) == (alike.quality, alike.mean_loss)
        assert many.quality == 0.0
        assert few.gain is None, "nothing was trained from scratch"
