"""The history in words: what changed, why a run was, how it ended, within 80 columns."""

import dataclasses
import json

import pytest

from models.provenance.atomic import write_json, write_text
from tfx_pipeline.config import configuration
from tfx_pipeline.history import configurations
from tfx_pipeline.history.changes import reasons_to_run
from tfx_pipeline.history.journal import Entry
from tfx_pipeline.history.table import as_json, difference, table


def edge(*sources, quality):
    return {"sources": list(sources), "way": "transfer", "quality": quality, "gain": 0.5}


@pytest.fixture
def runs(tmp_path):
    """three runs: good, other data and configuration, refused."""
    first = Entry(
        number=1,
        began=1.0e9,
        seconds=240,
        outcome="pushed",
        data={"hash": "d1", "fingerprint": "f1", "views": {"train": 60, "val": 10, "test": 11}},
        code={"TrainTasks": "c1", "WriteReport": "w1"},
        config=configurations.keep(tmp_path, configuration("smoke", [])),
        metrics={"quality": 0.71, "gain": 0.6, "saved": 0.25, "significance": "p <= 0.01"},
        policy={
            "budget": 2,
            "order": 1,
            "supervised": ["normal", "jigsaw"],
            "edges": {"reshading": edge("normal", quality=0.7), "jigsaw": edge(quality=0.4)},
        },
        version=1795853461,
        serves=1795853461,
        ran={"TrainTasks": 120.0, "Pusher": 0.1},
        networks=tuple(f"task{i}" for i in range(26)),
        transfers=8316,
        artifacts={"ExampleGen/examples": "artifacts/ExampleGen/examples/1"},
    )
    second = dataclasses.replace(
        first,
        number=2,
        data={"hash": "d2", "fingerprint": "f2", "views": {"train": 78, "val": 10, "test": 11}},
        code={"TrainTasks": "c2", "WriteReport": "w1"},
        config=configurations.keep(tmp_path, configuration("smoke", ["steps=4", "seed=1"])),
        metrics={"quality": 0.74, "gain": 0.6, "saved": 0.25, "significance": "p <= 0.01"},
        policy={
            "budget": 2,
            "order": 1,
            "supervised": ["normal", "edge_texture"],
            "edges": {"reshading": edge("edge_texture", quality=0.75)},
        },
        version=1795854000,
        serves=1795854000,
        artifacts={"ExampleGen/examples": "artifacts/ExampleGen/examples/2"},
    )
    third = dataclasses.replace(
        second,
        number=3,
        outcome="refused",
        reason="nothing is trained: the gate CheckData refused: labels of reshading: a predictor "
        "finds nothing of the pictures in them",
        version=None,
        metrics={},
        policy={},
        networks=(),
        transfers=0,
        verdicts=({"gate": "CheckData", "passed": False, "reasons": ["noise"], "forced": None},),
    )
    return tmp_path, [first, second, third]


def test_why_names_data_code_and_fields(runs):
    folder, (first, second, third) = runs
    assert reasons_to_run(folder, None, first) == ["the first run"]
    assert reasons_to_run(folder, first, second) == [
        "data (+18 views, now 99)",
        "code of TrainTasks",
        "configuration (network.seed 0 -> 1, network.steps 2 -> 4, seed 0 -> 1)",
    ]
    assert reasons_to_run(folder, second, third) == []
    other = dataclasses.replace(
        third, beside={"sources": "s1", "schema": "p1"}, software={"keras": "3.5"}
    )
    assert reasons_to_run(folder, third, other) == ["sources from outside", "the kept schema"]
    newer = dataclasses.replace(other, software={"keras": "3.6"})
    assert reasons_to_run(folder, other, newer) == ["software (keras 3.5 -> 3.6)"]


def test_the_table_fits_80_columns_and_says_why_and_how(runs):
    folder, entries = runs
    lines = list(table(folder, entries))
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    assert "the first run" in text and "nothing changed" in text and "+18 views" in text
    assert " 71%" in text and "8316" in text and "finds nothing" in text
    assert lines[-2] == "measured: transfers with every amount of labels, and their controls"
    assert lines[-1] == "version 1795854000 serves"
    heads = [lines[0].index(word) for word in ("version", "networks")]
    assert lines[1][heads[0] :].startswith("1795853461") and lines[1].endswith("4 m")


def test_as_json_has_every_field_and_what_changed(runs):
    folder, entries = runs
    rows = json.loads(as_json(entries, folder))
    assert [row["number"] for row in rows] == [1, 2, 3]
    assert "code of TrainTasks" in rows[1]["because"] and rows[2]["verdicts"]


def manifest(folder, number, rows):
    views = [{"key": key, "split": "train", "sha256": digest} for key, digest in rows.items()]
    place = folder / f"artifacts/ExampleGen/examples/{number}"
    if number == 1:  # as earlier code wrote it
        write_json(place / "manifest.json", {"views": views})
        return
    write_json(place / "manifest.json", {"views": {"train": len(views), "val": 0, "test": 0}})
    lines = [json.dumps(view) + "\n" for view in views]
    write_text(place / "manifest" / "train-00000.jsonl", "".join(lines))


def test_a_difference_goes_down_to_views_fields_and_ways(runs):
    folder, (first, second, _) = runs
    manifest(folder, 1, {"a/point_0/view_0": "x", "a/point_0/view_1": "y", "b/point_0/view_0": "z"})
    manifest(folder, 2, {"a/point_0/view_0": "x", "a/point_0/view_1": "Y", "c/point_0/view_0": "z"})
    text = "\n".join(difference(folder, first, second))
    for line in (
        "81 -> 99 views",
        "1 views came, in c",
        "1 views went, in b",
        "1 views changed, in a",
        "TrainTasks",
        "network.steps 2 -> 4",
        "quality 71% -> 74%",
        "no longer labelled: jigsaw",
        "now labelled: edge_texture",
        "reshading: from normal -> from edge_texture; quality 70% -> 75%",
        "jigsaw: no longer served",
        "26 networks",
        "8316 measured: transfers with every amount of labels",
    ):
        assert f"  {line}" in text, line
    assert "WriteReport" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_difference_says_what_cannot_be_known_any_more(runs):
    folder, (first, second, third) = runs
    assert "a manifest was pruned" in "\n".join(difference(folder, first, second))
    text = "\n".join(difference(folder, second, third))
    assert "run 3 did not come to one" in text
    assert "data: the same" in text and "CheckData: not reached -> noise" in text
