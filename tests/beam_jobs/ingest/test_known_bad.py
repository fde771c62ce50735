"""What a data set says of itself, and what is assumed where it says nothing."""

import json

import pytest

from beam_jobs.ingest.known_bad import KNOWN_BAD, Facts, read_facts
from models.tasks import ViewKey


@pytest.mark.parametrize(
    "units, building, component, expected",
    [
        (None, "ash", "", 512),
        (None, "ash", "taskonomy", 512),
        (None, "ash", "hm3d", 8192),
        (1024, "ash", "hm3d", 1024),
        ({"ash": 256, "hm3d": 4096, "default": 100}, "ash", "hm3d", 256),
        ({"hm3d": 4096, "default": 100}, "ash", "hm3d", 4096),
        ({"default": 100}, "ash", "hm3d", 100),
        ({"birch": 256}, "ash", "hm3d", 8192),
        ({"birch": 256}, "ash", "", 512),
    ],
)
def test_the_nearest_word_on_the_scale_of_depth_counts(units, building, component, expected):
    assert Facts(units=units).depth_units(building, component) == expected


@pytest.mark.parametrize("units", [0, -1, True, "512", float("inf"), {"ash": None}])
def test_a_scale_that_is_no_positive_number_is_refused(units):
    with pytest.raises(ValueError, match="positive number"):
        Facts(units=units)


def test_the_published_list_of_bad_views_holds_where_a_set_brings_none(tmp_path):
    facts = read_facts(str(tmp_path))
    assert facts.known_bad == KNOWN_BAD
    assert facts.reason(ViewKey("rough", 0, 0)) == "known-bad building: wrong viewpoints"
    assert facts.reason(ViewKey("muleshoe", 399, 5)) == "known-bad image: corrupt"
    assert facts.reason(ViewKey("muleshoe", 399, 4)) is None


@pytest.mark.parametrize("known_bad, name", [("woodbine", "Woodbine"), ("Woodbine", "woodbine")])
def test_known_bad_buildings_and_images_are_known_in_capitals_too(known_bad, name):
    facts = Facts(known_bad={known_bad: "corrupt", f"{known_bad}2/point_3/view_4": "blurred"})
    assert facts.reason(ViewKey(name, 0, 0)) == "known-bad building: corrupt"
    assert facts.reason(ViewKey(f"{name}2", 3, 4)) == "known-bad image: blurred"
    assert facts.reason(ViewKey(f"{name}2", 3, 5)) is None


def test_a_byte_order_mark_before_the_facts_is_passed_over(tmp_path):
    (tmp_path / "dataset.json").write_text('{"depth_units_per_metre": 100}', encoding="utf-8-sig")
    assert read_facts(str(tmp_path)).depth_units("ash") == 100


@pytest.mark.parametrize(
    "facts, message",
    [
        ({"absent": None}, "absent is a list of folders"),
        ({"absent": 5}, "absent is a list of folders"),
        ({"absent": "normal"}, "absent is a list of folders"),
        ({"absent": ["rgb"]}, "absent names rgb"),
        ({"known_bad": ["ash"]}, "known_bad maps a building"),
        ({"known_bad": None}, "known_bad maps a building"),
        ({"known_bad": {"ash": 1}}, "known_bad maps a building"),
    ],
)
def test_facts_that_cannot_be_meant_are_refused_in_words(facts, message, tmp_path):
    (tmp_path / "dataset.json").write_text(json.dumps(facts))
    with pytest.raises(ValueError, match=f"dataset.json: {message}"):
        read_facts(str(tmp_path))
