"""The JSON that describes a point: read as published, written back the same, refused when it is no
such thing.
"""

import json
from pathlib import Path

import pytest

from models.examples import LabelError
from models.examples.matches import Matches, Sighting, read_matches, write_matches
from models.tasks import ViewKey

REAL = (
    Path(__file__).resolve().parents[4]
    / "shared"
    / "real_frames"
    / "point_info"
    / "point_10_view_all_domain_nonfixatedpose.json"
)
MADE = Matches(
    "ash",
    3,
    (1.0, 2.0, 0.5),
    (
        Sighting(ViewKey("ash", 4, 1), (10.5, 500.0), "c"),
        Sighting(ViewKey("ash", 7, 0), (0.0, 512.0)),
    ),
)


def test_matches_read_back_as_written(tmp_path):
    path = write_matches(tmp_path, MADE)
    assert (
        path
        == tmp_path / "ash" / "nonfixated_matches" / "point_3_view_all_domain_nonfixatedpose.json"
    )
    assert read_matches(path, "ash") == MADE


@pytest.mark.skipif(not REAL.exists(), reason="the real frames of ../shared are not here")
def test_the_published_file_reads_and_writes_back_the_same(tmp_path):
    real = read_matches(REAL, "cauthron")
    assert real.point == 10 and len(real.sightings) == 90
    assert all(
        6 <= sighting.pixel[0] <= 495 and sighting.view.point != 10 for sighting in real.sightings
    )
    assert json.loads(write_matches(tmp_path, real).read_text()) == json.loads(REAL.read_text())


@pytest.mark.parametrize(
    "value, message",
    [
        ({}, "'views' is missing"),
        ({"views": 3}, "no matches"),
        ({"views": [], "point_location": [1, 2], "point_uuid": "1"}, "no matches"),
        ({"views": [None], "point_location": [1, 2, 3], "point_uuid": "1"}, "no matches"),
        (
            MADE.to_json() | {"views": [MADE.to_json()["views"][0] | {"nonfixated_pixel_x": 700}]},
            "outside the 512 x 512 image",
        ),
        (MADE.to_json() | {"point_uuid": "../1"}, "no matches"),
    ],
)
def test_what_is_no_description_of_a_point_is_refused(value, message):
    with pytest.raises(LabelError, match=message):
        Matches.from_json("ash", value)


def test_a_byte_order_mark_before_the_object_is_read_over(tmp_path):
    path = write_matches(tmp_path, MADE)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_matches(path, "ash") == MADE
