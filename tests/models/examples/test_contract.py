"""The contract is enforced on what lies on disk: a record that was changed, lost, added or written
by other code is an anomaly.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from published_set import write_set
from synthetic import view

from beam_jobs.ingest.job import ingest
from models.examples import encode_view, parse_view, records
from models.examples.contract import anomalies, check_contract, contract
from models.tasks import DOMAINS, View, label_domains


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    place = tmp_path_factory.mktemp("set")
    ingest(str(write_set(place / "data", points=1)), str(place / "out"), size=16, shards=1)
    return place / "out"


@pytest.fixture
def examples(whole, tmp_path):
    return Path(shutil.copytree(whole, tmp_path / "out"))


def rewrite(uri: Path, change) -> None:
    """the train shard with its records changed by `change`: list -> list."""
    import tensorflow as tf

    shard = next((uri / "Split-train").glob("*.gz"))
    kept = change(list(records(str(uri), "train")))
    with tf.io.TFRecordWriter(str(shard), "GZIP") as writer:
        for record in kept:
            writer.write(record)


def darker(record: bytes) -> bytes:
    made = parse_view(record)
    return encode_view(View(made.key, made.rgb // 2, made.camera, made.labels), "train")


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda rows: rows[:-1], "no record holds it"),
        (lambda rows: [*rows, rows[0]], "the manifest has nothing in its place"),
        (lambda rows: rows[::-1], "in its place"),
        (lambda rows: [darker(rows[0]), *rows[1:]], "another SHA-256"),
    ],
    ids=["lost", "repeated", "reordered", "changed"],
)
def test_records_that_are_not_those_of_the_manifest_are_anomalies(examples, change, message):
    assert check_contract(str(examples)) == []
    rewrite(examples, change)
    assert any(message in text for text in check_contract(str(examples)))


def test_a_contract_of_other_code_is_an_anomaly(examples):
    path = examples / "contract.json"
    text = json.loads(path.read_text())
    text["labels"]["normal"]["high"] = 254
    path.write_text(json.dumps(text))
    assert check_contract(str(examples)) == [
        "contract.json was written by other code: labels normal differ; ingest again"
    ]


def test_examples_of_code_that_knew_no_points_in_view_are_an_anomaly(examples):
    path = examples / "contract.json"
    text = json.loads(path.read_text())
    del text["lists"]
    path.write_text(json.dumps(text))
    assert check_contract(str(examples)) == [
        "contract.json was written by other code: lists points_in_view differ; ingest again"
    ]


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
