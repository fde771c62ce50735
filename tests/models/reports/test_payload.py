"""What travels in the page: exact affinities, small otherwise, the same text for the same run."""

import base64
import gzip
import json

from made_run import files, write_run

from models.reports import payload as module
from models.reports.payload import free_labels, packed, payload
from models.reports.run_files import load_run


def test_packing_is_undone_by_gzip_and_base64():
    value = {"b": [1, None, "ä"], "a": 0.1}
    assert json.loads(gzip.decompress(base64.b64decode(packed(value)))) == value
    assert packed(value) == packed(dict(reversed(value.items())))


def test_affinities_travel_in_full(tmp_path):
    run = load_run(write_run(tmp_path))
    table = payload(run, {})["table"]
    assert table["affinity"] == [row["affinity"] for row in run.rows]


def test_numbers_that_were_not_measured_travel_as_null(tmp_path):
    content = files()
    content["affinities"]["rows"][0]["gain"] = float("nan")
    run = load_run(write_run(tmp_path, content))
    assert payload(run, {})["table"]["gain"][0] is None


def test_a_table_beyond_the_room_keeps_single_sources_and_chosen_edges(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_ROWS", 10)
    run = load_run(write_run(tmp_path))
    rows, left_out = module.travelling(run)
    chosen = {(e["target"], *e["sources"]) for a in run.taxonomies for e in a["edges"]}
    assert left_out == len(run.rows) - len(rows) > 0
    assert chosen - {(row["target"], *row["sources"]) for row in rows} == set()


def test_labels_made_from_the_picture_are_free_with_a_reason():
    free = free_labels(["normal", "edge_texture", "a_stranger"])
    assert list(free) == ["edge_texture"]
    assert free["edge_texture"]
