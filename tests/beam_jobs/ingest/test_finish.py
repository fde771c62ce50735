"""The counts of an ingest follow from the lines of its quarantine, each counted once."""

from beam_jobs.ingest.finish import Refused


def test_every_kind_of_line_is_counted_as_what_it_is():
    refused = Refused()
    for row in (
        {"view": None, "file": "/d/ash/rgb/x.png", "reason": "not called so"},
        {"view": None, "folder": "/d/ash/thermal", "file": "/d/ash/thermal", "reason": "no label"},
        {"view": None, "folder": "/d/oak/thermal", "file": "/d/oak/thermal", "reason": "no label"},
        {"view": "ash/point_0/view_1", "file": "a", "reason": "damaged"},
        {"view": "ash/point_0/view_2", "label": "normal", "file": "b", "reason": "damaged"},
        {"view": "ash/point_0/view_3", "label": "normal", "file": "c", "reason": "damaged"},
    ):
        refused.add(row)
    assert refused.views == 1 and refused.first["reason"] == "not called so"
    assert refused.counts() == {
        "files_refused": 1,
        "folders_unknown": {"thermal": 2},
        "labels_refused": {"normal": 2},
    }


def test_what_is_not_there_is_not_named():
    assert Refused().counts() == {}
