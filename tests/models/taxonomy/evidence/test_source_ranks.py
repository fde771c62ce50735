"""Ranks of sources and their intervals against the naive way."""

import numpy as np
import pytest
from scipy.stats import rankdata

from models.taxonomy.evidence.source_ranks import source_ranks
from models.taxonomy.tournament.losses import LossStore
from models.taxonomy.transfer import Transfer

SOURCES = ["normal", "reshading", "class_scene", "hed"]
IMAGES = [f"house{i // 4}/point_{i}/view_0" for i in range(20)]
RNG = np.random.default_rng(0)


def stored(folder, images=IMAGES, better=0.3):
    """two targets; "hed" has the lowest losses alone, and in a pair with class_scene."""
    store = LossStore(folder)
    for target in ("normal", "depth_zbuffer"):
        store.set_images(target, images)
        base = RNG.uniform(1, 2, len(images))
        rows = {Transfer((), target, control="supervised"): base}
        for i, source in enumerate(SOURCES):
            lower = better * (source == "hed")
            rows[Transfer((source,), target)] = base + RNG.uniform(0.1, 0.6, len(base)) - lower
            for other in SOURCES[i + 1 :]:
                both = Transfer((source, other), target)
                best = 0.5 * ({source, other} == {"class_scene", "hed"})
                rows[both] = base + RNG.uniform(0.5, 1, len(base)) - best
            rows[Transfer((source,), target, "24")] = base + RNG.uniform(0, 9, len(base))
        store.extend(rows)
    return store


def test_ranks_are_those_of_mean_ranks(tmp_path):
    store = stored(tmp_path)
    ranks = source_ranks(store, ["hed"], resamples=50)
    measured = store.read("depth_zbuffer")
    singles = {
        transfer.sources[0]: losses
        for transfer, losses in zip(measured.transfers, measured.losses)
        if transfer.order == 1 and transfer.control is None and not transfer.regime
    }
    means = rankdata(np.stack(list(singles.values())), axis=0).mean(1)
    naive = dict(zip(singles, rankdata(means)))
    row = next(row for row in ranks["targets"] if row["target"] == "depth_zbuffer")
    assert row["alone"]["rank"] == naive["hed"] and row["alone"]["of"] == len(SOURCES)
    assert row["pair"]["with"] == "class_scene" and row["pair"]["of"] == 6
    assert row["alone"]["low"] <= row["alone"]["rank"] <= row["alone"]["high"]
    own = next(row for row in ranks["targets"] if row["target"] == "normal")
    assert own["alone"]["of"] == len(SOURCES) - 1  # its own code takes no part
    assert own["pair"]["of"] == 3
    assert ranks["unit"] == "building" and ranks["units"] == 5
    assert [row["source"] for row in ranks["mean"]][0] == "hed"
    assert {row["source"] for row in ranks["mean"]} == set(SOURCES)


def test_quality_is_the_share_of_images_won(tmp_path):
    store = stored(tmp_path, better=0.35)
    ranks = source_ranks(store, ["hed"], resamples=20)
    for row in ranks["targets"]:
        measured = store.read(row["target"])
        place = {transfer: i for i, transfer in enumerate(measured.transfers)}
        own = measured.losses[place[Transfer((), row["target"], control="supervised")]]
        losses = measured.losses[place[Transfer(("hed",), row["target"])]]
        assert row["alone"]["quality"]["quality"] == pytest.approx((losses < own).mean())
        assert row["alone"]["quality"]["low"] <= row["alone"]["quality"]["high"]


def test_one_building_draws_images_again(tmp_path):
    store = stored(tmp_path, [f"house/point_{i}/view_0" for i in range(12)])
    ranks = source_ranks(store, ["hed"], resamples=20)
    assert (ranks["unit"], ranks["units"]) == ("image", 12)


def test_a_source_that_was_not_measured_has_no_row(tmp_path):
    assert source_ranks(stored(tmp_path), ["clip"], resamples=5)["targets"] == []
