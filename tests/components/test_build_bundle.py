"""From the policy's artifacts to a pushed version: lineage gathered, poses in metres, nothing
unblessed pushed.
"""

import json
import shutil

import numpy as np
import pytest
from component_calls import artifact, run
from synthetic import SIZE
from synthetic_policy import WHITENING
from tfx.types import standard_artifacts as standard
from tiny_bundle import SUPERVISED, tiny_bundle, tiny_folder

from components.artifacts import LabelBank, NetworkBank, TransferBank
from components.build_bundle import BuildBundle, win_rates
from models.examples.index import FOLDER, write_index
from models.provenance.atomic import write_json
from models.tasks import TASKS
from serving.bundle.assets import read_extras


@pytest.fixture
def banks(tmp_path):
    """networks in two shards, transfers with their policy, and as much of a label store as the
    bundle reads.
    """
    networks, transfers = [tmp_path / "shard0", tmp_path / "shard1"], tmp_path / "transfers"
    for i, name in enumerate(SUPERVISED):
        shutil.copytree(tiny_folder() / "networks" / name, networks[i % 2] / name)
    shutil.copytree(tiny_folder() / "transfers", transfers)
    policy = read_extras(tiny_bundle())[1]["policy"]
    policy["edges"] = [
        edge
        for edge in policy["edges"]
        if edge["target"] in ("normal", "reshading", "fixated_pose")
    ]
    (transfers / "policy.json").write_text(json.dumps(policy))
    store = tmp_path / "labels" / "store"
    facts = {"manifest": "abcd" * 4, "examples": str(tmp_path / "examples")}
    write_json(store / "images" / "images.json", facts)
    write_index(store / "images" / FOLDER, [], {"hash": "abcd" * 4, "size": SIZE, "shards": 1})
    for name in TASKS:
        whitening = [part.tolist() for part in WHITENING[name]] if name in WHITENING else None
        counts = {"train": 1, "val": 1, "test": 1}
        write_json(store / name / "labels.json", {"samples": counts, "whitening": whitening})
    return {
        "networks": [artifact(NetworkBank, folder) for folder in networks],
        "transfers": artifact(TransferBank, transfers),
        "labels": artifact(LabelBank, tmp_path / "labels"),
    }


def test_exported_networks_are_held_against_the_targets_own(tmp_path):
    losses = {"edges/reshading": [1, 2, 3, 4], "networks/reshading": [2, 2, 2, 9]}
    losses |= {"networks/normal": [1, 1], "edges/egomotion": [1, 1]}
    for place, values in losses.items():
        (tmp_path / place).mkdir(parents=True)
        np.save(tmp_path / place / "test_losses.npy", np.array(values, "float32"))
    policy = {"edges": [{"target": name} for name in ("normal", "reshading", "egomotion")]}
    rates = win_rates(policy, str(tmp_path / "edges"), str(tmp_path / "networks"))
    assert rates == {"reshading": 2.5 / 4}, "the others have nothing to be held against"


@pytest.mark.parametrize("with_labels", [True, False])
def test_a_bundle_says_where_it_came_from(banks, tmp_path, with_labels):
    model = artifact(standard.Model, tmp_path / "model" / "7")
    labels = banks.pop("labels")
    run(
        BuildBundle,
        **banks,
        labels=labels if with_labels else None,
        model=model,
        size=SIZE,
        lineage=json.dumps({"config": "tiny"}),
        code="x",
    )
    contract, lineage = read_extras(tmp_path / "model" / "7" / "Format-Serving")
    assert (
        lineage["config"] == "tiny"
        and lineage["artifact"] == model.uri
        and lineage["policy"]["supervised"] == SUPERVISED
    )
    assert set(lineage["metrics"]) == set(SUPERVISED) and all(
        "loss" in record for record in lineage["metrics"].values()
    )
    assert set(contract["tasks"]) == {"normal", "reshading", "fixated_pose"}
    assert lineage.get("data") == ("abcd" * 4 if with_labels else None)
    assert "manifest" not in lineage, "the same hash once, by the name that its readers ask for"
    assert contract["tasks"]["fixated_pose"]["whitening"] == (
        [part.tolist() for part in WHITENING["fixated_pose"]] if with_labels else [0.0, 1.0]
    )
