"""Supervised networks by amount of labels: known losses, known curves, beside the tournament."""

import numpy as np
import pytest

from models.networks.transfers.results import share_regime
from models.taxonomy import LossStore, Transfer, bootstrap, curves, measure, supervised_curves
from models.taxonomy.evidence.curves import drawn_weights

BUILDINGS, VIEWS = 6, 5
NAMES = [f"b{i}/point_0/view_{j}" for i in range(BUILDINGS) for j in range(VIEWS)]
# Train views -> what a network of so few loses beside the one of all labels.
AMOUNTS = {90: 0.4, 360: 0.2, 720: 0.05}


def store_of(directory, lacking=(), shares=True) -> LossStore:
    """losses of two targets; `lacking`: (target, views) that were not trained."""
    store = LossStore(directory)
    for seed, target in enumerate("ab"):
        rng = np.random.default_rng(seed)
        store.set_images(target, NAMES)
        for source in "cd":
            store.append(Transfer((source,), target), rng.random(len(NAMES)) + 0.3)
        own = rng.random(len(NAMES))
        store.append(Transfer((), target, control="supervised"), own)
        noise = rng.random((len(AMOUNTS), len(NAMES)))
        for row, (views, extra) in zip(noise, AMOUNTS.items()):
            if shares and (target, views) not in lacking:
                losses = row + extra
                losses[0] = own[0]  # a tie
                store.append(Transfer((), target, share_regime(views), "supervised"), losses)
    return store


def naive(store, target, views):
    """(quality, low, high): ties count half; buildings drawn again one by one."""
    measured = store.read(target)
    losses = dict(zip(measured.transfers, measured.losses))
    own = losses[Transfer((), target, control="supervised")]
    mine = losses[Transfer((), target, f"{views} train views", "supervised")]
    wins = np.array([1.0 if a < b else 0.5 if a == b else 0.0 for a, b in zip(mine, own)])
    drawn = []
    for weights in drawn_weights(BUILDINGS, 200, 3):
        chosen = [
            win
            for building, times in enumerate(weights)
            for win in wins[building * VIEWS : (building + 1) * VIEWS].tolist() * int(times)
        ]
        drawn.append(np.mean(chosen))
    return (wins.mean(), *np.quantile(drawn, [0.025, 0.975]))


def test_quality_is_the_share_of_images_won_with_intervals_over_buildings(tmp_path):
    store = store_of(tmp_path)
    facts = supervised_curves(store, resamples=200, seed=3)
    assert [(row["target"], row["views"]) for row in facts["targets"]] == [
        (target, views) for target in "ab" for views in AMOUNTS
    ]
    for row in facts["targets"]:
        value = (row["quality"], row["low"], row["high"])
        assert value == pytest.approx(naive(store, row["target"], row["views"]))
    by_amount = {row["views"]: row for row in facts["mean"]}
    assert list(by_amount) == list(AMOUNTS)
    for views, row in by_amount.items():
        assert row["targets"] == 2
        both = [one["quality"] for one in facts["targets"] if one["views"] == views]
        assert row["quality"] == pytest.approx(np.mean(both))
        assert row["low"] <= row["quality"] <= row["high"]


def test_means_are_over_the_targets_that_have_every_amount(tmp_path):
    facts = supervised_curves(store_of(tmp_path, lacking=[("b", 90)]), resamples=20)
    assert {row["targets"] for row in facts["mean"]} == {1}
    of_a = {row["views"]: row["quality"] for row in facts["targets"] if row["target"] == "a"}
    assert {row["views"]: row["quality"] for row in facts["mean"]} == of_a


def test_networks_of_shares_change_neither_tournament_nor_other_curves(tmp_path):
    with_shares, without = store_of(tmp_path / "with"), store_of(tmp_path / "none", shares=False)
    shares = [row for row in measure(with_shares).rows if row.transfer.control == "share"]
    assert len(shares) == 2 * len(AMOUNTS)
    assert measure(with_shares).only(lambda row: row not in shares) == measure(without)
    assert measure(with_shares, regime="") == measure(without, regime="")
    assert curves(with_shares, resamples=20) == curves(without, resamples=20)
    qualities = [bootstrap(store, resamples=20, seed=0).quality for store in (with_shares, without)]
    np.testing.assert_array_equal(*qualities)
    assert supervised_curves(without) == {"targets": [], "mean": []}
    assert supervised_curves(LossStore(tmp_path / "empty")) == {"targets": [], "mean": []}
