"""Every view of a building goes into exactly one shard, wherever the work is done."""

import json

import numpy as np
import pytest
from published_set import write_set

from beam_jobs.ingest.known_bad import Facts
from beam_jobs.ingest.listing import list_building
from beam_jobs.ingest.partition import divided, pieces, sorted_out


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp("data"), buildings=("ash",), points=2, views=3)


def test_shards_share_the_views_without_gap_or_overlap(root):
    building = list_building(str(root), "ash", ("",))
    kept = building.views.tolist()
    for shards in (1, 2, 5):
        parts = dict(divided(building, kept, Facts(), shards))
        views = np.concatenate([piece.views for piece in parts.values()])
        assert sorted(views.tolist()) == kept and set(parts) <= set(range(shards))
        assert all(not piece.building.views.size for piece in parts.values())


def test_views_of_no_split_and_known_bad_ones_are_refused_with_the_reason(root):
    building = list_building(str(root), "ash", ("",))
    assert sorted_out(building, "train", Facts()) == (building.views.tolist(), [])
    kept, refused = sorted_out(building, None, Facts())
    assert not kept and {row["reason"] for row in refused} == {
        "its building stands in no split of splits.csv"
    }
    kept, refused = sorted_out(building, "val", Facts(known_bad={"ash/point_0/view_1": "blurred"}))
    assert len(kept) == 5 and [row["view"] for row in refused] == ["ash/point_0/view_1"]


def test_a_hostile_name_gives_no_piece_and_its_views_count_as_quarantined(root, tmp_path):
    (root / "a\nb").symlink_to("ash")
    settings = {"splits": {}, "described": Facts(), "shards": 1, "run": "r"}
    for number, name in enumerate(("a\nb", "nothing+here")):
        row = (number, name, ("",))
        assert not list(pieces(row, root=str(root), stage=str(tmp_path), **settings))
    lines = (tmp_path / "quarantine" / "building-00000.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert len({row["view"] for row in rows}) == 6
    assert all("letters, digits" in row["reason"] and row["file"] == r"'a\nb'" for row in rows)
    listed = json.loads((tmp_path / "listed" / "building-00000.json").read_text())
    assert listed == {"run": "r", "views": 6, "split": None}
    lines = (tmp_path / "quarantine" / "building-00001.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["view"] is None
