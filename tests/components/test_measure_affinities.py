"""Ranks of sources from outside lie beside the affinities of a run that has such sources."""

import json

import numpy as np
import pytest
from component_calls import artifact, run

from components.artifacts import AffinityTable, LossBank
from components.measure_affinities import MeasureAffinities
from models.networks.transfers.results import share_regime
from models.taxonomy import Affinities, LossStore, Transfer, supervised_curves

CEILING = {"target": "reshading", "channels": 32, "loss": 0.1, "quality": 0.9}


def measured(folder, sources, views=()):
    """affinities of two targets from some sources, of made-up losses. views: amounts of labels that
    supervised networks have, too.
    """
    losses = artifact(LossBank, folder / "losses")
    store = LossStore(folder / "losses" / "losses")
    rng = np.random.default_rng(0)
    for target in ("reshading", "normal"):
        images = [f"house{i % 3}/point_{i}/view_0" for i in range(12)]
        store.set_images(target, images)
        rows = {Transfer((source,), target): rng.random(12) for source in sources}
        rows[Transfer((), target, control="supervised")] = rng.random(12)
        for amount in views:
            share = Transfer((), target, share_regime(amount), "supervised")
            rows[share] = rng.random(12) + 0.2
        store.extend(rows)
    facts = {"widths": {"hed": 32}, "ceilings": [CEILING]} if "hed" in sources else {}
    (folder / "losses" / "calibration.json").write_text(json.dumps(facts))
    out = artifact(AffinityTable, folder / "affinities")
    run(
        MeasureAffinities,
        losses=[losses],
        affinities=out,
        resamples=20,
        seed=0,
        work=str(folder / "work"),
        code="",
    )
    return folder / "affinities"


@pytest.fixture(scope="module")
def beside(tmp_path_factory):
    return measured(tmp_path_factory.mktemp("outside"), ["normal", "class_scene", "hed"])


def test_a_source_from_outside_has_a_row_a_target(beside):
    facts = json.loads((beside / "sources.json").read_text())
    assert {row["target"] for row in facts["targets"]} == {"reshading", "normal"}
    assert {row["source"] for row in facts["targets"]} == {"hed"}
    assert facts["channels"] == {"hed": 32} and facts["ceilings"] == [CEILING]


def test_tasks_alone_have_no_such_file(tmp_path):
    folder = measured(tmp_path, ["normal", "class_scene"])
    assert (folder / "affinities.json").exists() and not (folder / "sources.json").exists()


def test_networks_of_shares_of_the_labels_have_curves_beside_the_same_affinities(tmp_path):
    """one amount of teaching views, which alone has no curves."""
    plain = measured(tmp_path / "plain", ["normal", "class_scene"])
    assert not (plain / "curves.json").exists()
    folder = measured(tmp_path / "shares", ["normal", "class_scene"], views=(10, 20))
    facts = json.loads((folder / "curves.json").read_text())
    store = LossStore(tmp_path / "shares" / "losses" / "losses")
    assert facts["supervised"] == supervised_curves(store, resamples=200)
    assert len(facts["supervised"]["targets"]) == 4 and len(facts["targets"]) == 2
    every = Affinities.load(folder / "amounts.json")
    assert {row.transfer.control for row in every.rows} == {None, "supervised", "share"}
    assert every.shares == ["10", "20"]
    assert all(not row.transfer.regime for row in every.rows if row.transfer.control != "share")
