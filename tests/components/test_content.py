"""What an artifact holds, as a digest."""

import pytest

from components.content import CONTENT, addresses_below, files_below, say_content
from models.provenance.atomic import write_json
from models.provenance.digest import digest_of


class Artifact:
    def __init__(self) -> None:
        self.told = {}

    def set_string_custom_property(self, name: str, value: str) -> None:
        self.told[name] = value


def test_an_artifact_is_told_the_digest_of_its_content():
    artifact = Artifact()
    say_content(artifact, {"a": [1, 2]})
    assert artifact.told == {CONTENT: digest_of({"a": [1, 2]})}


def test_files_are_named_below_the_artifact_and_records_are_not_read(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "x.json").write_text("x")
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "b" / "data-00000.tfrecord.gz").write_text("records")
    rows = files_below(str(tmp_path))
    assert [name for name, _ in rows] == ["a.txt", "b/x.json"]
    (tmp_path / "b" / "x.json").write_text("y")
    changed = files_below(str(tmp_path))
    assert changed[0] == rows[0] and changed[1] != rows[1]
    assert files_below(str(tmp_path / "none")) == []


def test_addresses_are_those_that_descriptions_say(tmp_path):
    write_json(tmp_path / "normal" / "network.json", {"address": "a1"})
    assert addresses_below(str(tmp_path), ["normal"], "network.json") == {"normal": "a1"}
    with pytest.raises(FileNotFoundError):
        addresses_below(str(tmp_path), ["none"], "network.json")
