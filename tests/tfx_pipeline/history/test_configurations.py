"""Configurations by their digest."""

from tfx_pipeline.config import configuration
from tfx_pipeline.history.configurations import FOLDER, differences, fields_of, flat_items, keep


def test_fields_are_kept_once_and_found_by_the_digest(tmp_path):
    kept = keep(tmp_path, configuration("smoke", []))
    assert kept["name"] == "smoke"
    (path,) = (tmp_path / FOLDER).iterdir()
    assert path.stem == kept["digest"]
    written = path.stat().st_mtime_ns
    assert keep(tmp_path, configuration("smoke", [])) == kept
    assert path.stat().st_mtime_ns == written
    fields = fields_of(tmp_path, kept["digest"])
    assert fields["seed"] == configuration("smoke", []).seed and "network.steps" in fields


def test_a_difference_names_fields_with_both_values(tmp_path):
    old = keep(tmp_path, configuration("smoke", []))["digest"]
    new = keep(tmp_path, configuration("smoke", ["steps=4"]))["digest"]
    (line,) = differences(tmp_path, old, new)
    assert line.startswith("network.steps ") and line.endswith(" -> 4")
    assert differences(tmp_path, old, old) == []


def test_what_is_not_kept_or_torn_has_no_fields(tmp_path):
    kept = keep(tmp_path, configuration("smoke", []))["digest"]
    assert fields_of(tmp_path, "none") == {} and differences(tmp_path, "none", kept) == []
    (tmp_path / FOLDER / "torn.json").write_text('{"seed": ')
    (tmp_path / FOLDER / "list.json").write_text("[1]")
    assert fields_of(tmp_path, "torn") == {} == fields_of(tmp_path, "list")


def test_inner_fields_carry_their_outer_name():
    assert dict(flat_items({"a": 1, "b": {"c": {"d": 2}}})) == {"a": 1, "b.c.d": 2}
