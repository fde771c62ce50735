"""Every label states its rules, and a view that contradicts itself is found out."""

import json

import numpy as np
from synthetic import view

from models.examples.contract import anomalies, contract
from models.tasks import DOMAINS, View, label_domains


def test_every_label_states_its_rules():
    promised = json.loads(json.dumps(contract(64), allow_nan=False))
    assert set(promised["labels"]) == set(label_domains())
    assert {
        folder: row["classes"] for folder, row in promised["labels"].items() if row["classes"]
    } == {
        "segment_semantic": 18,
        "class_object": 1000,
        "class_scene": 365,
    }
    assert all(row["unit"] for row in promised["labels"].values())
    assert promised["labels"]["depth_zbuffer"]["missing"] == 65535 == DOMAINS["depth_zbuffer"].high


def test_labels_that_contradict_each_other_are_anomalies():
    made = view(0)
    depth = np.full((32, 32), 1000, "uint16")
    nearer = View(
        made.key, made.rgb, made.camera, {"depth_zbuffer": depth, "depth_euclidean": depth - 500}
    )
    assert "never shorter" in anomalies(nearer, 32)[0]
    short = View(made.key, made.rgb, made.camera, {"normal": np.full((32, 32, 3), 140, "uint8")})
    assert "unit vectors" in anomalies(short, 32)[0]
    assert "the contract says 64" in anomalies(nearer, 64)[0]
