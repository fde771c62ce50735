"""The story of a served version, from its folder."""

import json

from serving.bundle.assets import EXTRA, LINEAGE
from serving.console.lineage import PLACE, Lineage, lineage_of

STORY = {
    "config": "smoke",
    "code": "cd7e",
    "metrics": {"normal": {"win_average": 0.4}, "edge_texture": {"win_average": 0.95}},
    "policy": {
        "supervised": ["normal", "edge_texture"],
        "edges": [
            {"target": "reshading", "sources": ["normal", "edge_texture"], "quality": 0.3},
            {"target": "keypoints2d", "sources": ["edge_texture"], "quality": 0.4},
            {"target": "egomotion", "sources": [], "control": "scratch", "quality": 0.2},
        ],
    },
}


def test_it_lies_where_bundles_write_it():
    assert str(PLACE) == f"{EXTRA}/{LINEAGE}"


def test_an_answer_from_weak_networks_is_doubted(tmp_path):
    place = tmp_path / "7" / PLACE
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps(STORY))
    lineage = lineage_of(tmp_path, 7)
    assert lineage.facts == {"config": "smoke", "code": "cd7e"}
    assert lineage.sources["reshading"] == ("normal", "edge_texture")
    assert lineage.sources["normal"] == ()
    assert "Surface normals beat a constant answer on only 40%" in lineage.doubt("reshading")
    assert lineage.doubt("normal") and not lineage.doubt("keypoints2d")
    assert lineage_of(tmp_path, 8) == Lineage()


def test_a_network_s_record_is_the_exported_one_s_where_the_bundle_has_it(tmp_path):
    place = tmp_path / "7" / PLACE
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps({**STORY, "served": {"reshading": 0.37}}))
    lineage = lineage_of(tmp_path, 7)
    assert lineage.quality_clause("reshading").endswith(
        "supervised network on 37% of held-out pictures"
    )
    assert "on 40%" in lineage.quality_clause("keypoints2d")
    assert lineage.quality_clause("edge_texture").endswith(
        "constant answer on 95% of held-out pictures"
    )


def test_how_a_task_is_answered_is_a_sentence(tmp_path):
    place = tmp_path / "7" / PLACE
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps(STORY))
    lineage = lineage_of(tmp_path, 7)
    assert "transfer from Surface normals and Texture edges (2D)" in lineage.origin("reshading")
    assert "from scratch on few labelled pictures" in lineage.origin("egomotion")
    assert "all labelled pictures" in lineage.origin("normal")
    assert lineage.origin("class_scene") == ""


def test_what_is_not_there_or_damaged_is_no_lineage(tmp_path):
    place = tmp_path / "7" / PLACE
    place.parent.mkdir(parents=True)
    for text in ("{", "[]"):
        place.write_text(text)
        assert lineage_of(tmp_path, 7) == Lineage()
    assert lineage_of(None, 7) == Lineage()
