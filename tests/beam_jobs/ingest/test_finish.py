"""The counts of an ingest follow from the lines of its quarantine, each counted once."""

import pytest

from beam_jobs.ingest.finish import QuarantineCounts, check_splits


def test_every_kind_of_line_is_counted_as_what_it_is():
    refused = QuarantineCounts()
    for row in (
        {"view": None, "file": "/d/ash/rgb/x.png", "reason": "not called so"},
        {"view": None, "file": "/d/normal/tiny/ash/x.png", "reason": "not called so"},
        {"view": None, "file": "/d/oak/points/x.json", "reason": "not called so"},
        {"view": None, "file": "'a+b'", "reason": "no name of a building"},
        {"view": None, "folder": "/d/ash/thermal", "file": "/d/ash/thermal", "reason": "no label"},
        {"view": None, "folder": "/d/oak/thermal", "file": "/d/oak/thermal", "reason": "no label"},
        {"view": "ash/point_0/view_1", "file": "a", "reason": "damaged"},
        {"view": "ash/point_0/view_2", "label": "normal", "file": "b", "reason": "damaged"},
        {"view": "ash/point_0/view_3", "label": "normal", "file": "c", "reason": "damaged"},
    ):
        refused.add(row)
    assert refused.views == 1
    assert refused.counts() == {
        "files_refused": 4,
        "folders_unknown": {"thermal": 2},
        "labels_refused": {"normal": 2},
        "labels_misnamed": {"normal": 1, "point_info": 1, "rgb": 1},
    }


def test_what_is_not_there_is_not_named():
    assert QuarantineCounts().counts() == {}


def test_a_refused_split_says_the_commonest_reasons_since_a_pipeline_removes_the_quarantine():
    refused = QuarantineCounts()
    for reason in ("no depth", "3 of 9 pixels", "4 of 9 pixels", "5 of 9 pixels", "a", "b"):
        refused.add({"view": "ash/point_0/view_1", "file": "a", "reason": reason})
    assert refused.commonest() == "3 times: 3 of 9 pixels; 1 times: no depth; 1 times: a"
    counts = {"quarantined": 6, "read": 7}
    with pytest.raises(ValueError, match="3 times: 3 of 9 pixels.* --data /d --out") as error:
        check_splits("/d", "/s", {"train": 1, "val": 0, "test": 0}, counts, {"val": refused})
    assert "/s/quarantine.jsonl" in str(error.value)
    with pytest.raises(ValueError, match="no building belongs to it") as error:
        check_splits("/d", "/s", {"train": 1, "val": 1, "test": 0}, counts, {"train": refused})
    assert "pixels" not in str(error.value)
    with pytest.raises(ValueError, match="its buildings hold no view"):
        nothing = {"test": QuarantineCounts()}
        check_splits("/d", "/s", {"train": 1, "val": 1, "test": 0}, counts, nothing)


def test_kinds_of_reasons_are_bounded():
    refused = QuarantineCounts()
    for letters in range(5000):
        text = "".join(chr(ord("a") + letters // 26**i % 26) for i in range(3))
        refused.add({"view": "ash/point_0/view_1", "file": "a", "reason": text})
    assert len(refused.kinds) == len(refused.example) == 1000
