"""The kept schema of the examples: no buildings in it, and what changed in words."""

import pytest
from accepted_run import examples, statistics

from components.data_schema import changes, curate, read_schema, with_comparators


def test_a_curated_schema_knows_no_buildings_and_says_what_changed(tmp_path):
    first = curate(statistics(tmp_path / "a", examples(0)))
    assert not first.string_domain and not any(feature.domain for feature in first.feature)
    assert changes(first, curate(statistics(tmp_path / "b", examples(1)))) == []
    other = examples(1).drop(columns="normal").assign(depth=1.0)
    lines = changes(first, curate(statistics(tmp_path / "c", other)))
    assert lines[0] == "normal: no longer there" and lines[1].startswith("depth: new, ")


def test_a_file_that_is_no_schema_says_what_to_do(tmp_path):
    (tmp_path / "schema.pbtxt").write_text("feature {")
    with pytest.raises(ValueError, match="cannot be read as a schema .*--accept"):
        read_schema(tmp_path / "schema.pbtxt")


def test_what_is_asked_of_distributions_is_no_part_of_the_schema(tmp_path):
    schema = curate(statistics(tmp_path / "a", examples(0)))
    checked_schema = with_comparators(schema)
    compared = [one.name for one in checked_schema.feature if one.HasField("drift_comparator")]
    assert compared == ["class_scene"]
    assert not any(one.HasField("drift_comparator") for one in schema.feature)
