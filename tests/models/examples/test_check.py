"""What lies on disk is held to the contract, the manifest and the index: a record that was changed,
lost, added, damaged or written by other code is an anomaly.
"""

import json
import shutil
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from published_set import write_set

from beam_jobs.ingest.job import ingest
from models.examples import check, encode_view, parse_view, records
from models.examples.check import Findings, check_contract, check_examples, check_place
from models.examples.index import FOLDER, Index
from models.examples.shards import masked
from models.examples.splits import SPLITS
from models.tasks import View


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


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    """four views a split, two shards each."""
    place = tmp_path_factory.mktemp("several")
    ingest(str(write_set(place / "data", views=4)), str(place / "out"), size=16, shards=2)
    return place / "out"


def test_processes_find_what_one_finds(several, tmp_path):
    uri = Path(shutil.copytree(several, tmp_path / "out"))
    shard = sorted((uri / "Split-val").iterdir())[0]
    data = bytearray(shard.read_bytes())
    data[-40] ^= 1
    shard.write_bytes(data)
    alone, together = (check_examples(str(uri), processes) for processes in (1, 2))
    assert alone == together and alone.damaged and not alone.lines


def test_a_damaged_table_of_features_is_named_with_its_view(several, tmp_path):
    uri = Path(shutil.copytree(several, tmp_path / "out"))
    shard = sorted((uri / "Split-val").iterdir())[0]
    data = bytearray(shard.read_bytes())
    data[40] ^= 1  # no reader of the whole shard looks at it
    shard.write_bytes(data)
    report = check_examples(str(uri), 1)
    key = str(Index(uri / FOLDER).keys("val")[0])
    assert [line.split(":")[0] for line in report.lines] == [key] and not report.damaged
    assert "table of features fails its checksum" in report.lines[0]


def test_a_table_that_leads_elsewhere_is_found(several, monkeypatch):
    plain = check.read_table

    def exchanged(path, place):
        table = plain(path, place)
        names = ["normal" if name == "reshading" else name for name in table.names]
        names[table.names.index("normal")] = "reshading"
        return replace(table, names=names)

    monkeypatch.setattr(check, "read_table", exchanged)
    report = check_examples(str(several), 1)
    assert len(report.lines) == report.views
    assert all("its table leads to other features" in line for line in report.lines)


def test_records_of_earlier_code_without_a_table_are_sound(several, tmp_path):
    uri = Path(shutil.copytree(several, tmp_path / "out"))
    index = Index(uri / FOLDER)
    for split in SPLITS:
        rows = np.array(index.rows(split))
        for number in np.unique(rows["shard"]):
            path = Path(index.path(str(uri), split, number))
            members = []
            # in the order of the file
            for i in sorted(
                np.flatnonzero(rows["shard"] == number), key=lambda i: rows["offset"][i]
            ):
                record = index.record(str(uri), split, i)
                length = len(record).to_bytes(8, "little")
                frame = length + masked(length) + record + masked(record)
                members.append(zlib.compress(frame, 0, wbits=31))
                rows["offset"][i], rows["length"][i] = sum(map(len, members[:-1])), len(members[-1])
            path.write_bytes(b"".join(members))
        file = uri / FOLDER / f"{split}.npy"
        whole = file.read_bytes()
        file.write_bytes(whole[: -rows.nbytes] + rows.tobytes())
    report = check_examples(str(uri), 1)
    assert (report.lines, report.damaged, report.views) == ([], [], 24)


@pytest.mark.parametrize("how", ["cut", "a bit", "gone"])
def test_a_damaged_shard_is_named_with_what_is_lost_and_the_rest_is_checked(several, tmp_path, how):
    uri = Path(shutil.copytree(several, tmp_path / "out"))
    index = Index(uri / FOLDER)
    everything = sum(index.count(split) for split in SPLITS)
    shard = sorted((uri / "Split-train").iterdir())[0]
    offsets = np.sort(index.rows("train")["offset"][index.rows("train")["shard"] == 0])
    data = bytearray(shard.read_bytes())
    if how == "cut":
        shard.write_bytes(data[: int(offsets[-1]) + 10])
    elif how == "a bit":
        data[int(offsets[1]) - 40] ^= 1
        shard.write_bytes(data)
    else:
        shard.unlink()
    report = check_examples(str(uri))
    lost = len(offsets) if how == "gone" else 1
    assert (report.lost, report.views, report.lines) == (lost, everything - lost, [])
    assert len(report.damaged) == 1 and shard.name in report.damaged[0]
    assert report.damaged[0].endswith(f"{lost} views of it are lost")


def test_an_index_that_lies_about_a_record_is_said_in_a_line(several, tmp_path):
    uri = Path(shutil.copytree(several, tmp_path / "out"))
    rows = np.load(uri / FOLDER / "val.npy")
    rows[0]["offset"], rows[0]["length"] = rows[1]["offset"], rows[1]["length"]
    file = uri / FOLDER / "val.npy"
    whole = bytearray(file.read_bytes())
    whole[-rows.nbytes :] = rows.tobytes()
    file.write_bytes(whole)
    lines = check_contract(str(uri))
    assert lines and all("\n" not in line for line in lines)
    assert any("the index leads to" in line and "ingest again" in line for line in lines)


def test_a_record_that_no_index_lists_is_said_in_a_line():
    found = Findings()
    check_place(found, b"", "shard", None, "record 3 of shard")
    assert found.lines == ["record 3 of shard: the index does not list it; ingest again"]


def test_anomalies_beyond_some_are_counted(several, monkeypatch):
    monkeypatch.setattr(check, "NAMED", 1)
    monkeypatch.setattr(check, "anomalies", lambda view, size: ["wrong"])
    lines = check_contract(str(several))
    index = Index(several / FOLDER)
    everything = sum(index.count(split) for split in SPLITS)
    shards = len(list((several / "manifest").iterdir()))
    assert len(lines) == shards + 1
    assert lines[-1].startswith(f"and {everything - shards} more, not named")
