"""What lies beside data, code and configuration counts by its content."""

from tfx_pipeline.config import configuration
from tfx_pipeline.history.beside import NAMES, dependency_digests


def test_sources_the_kept_schema_and_released_tables_are_told_apart(tmp_path):
    run, tables = tmp_path / "run", tmp_path / "tables"
    tables.mkdir()
    (tables / "all_affinities_16k.json").write_text("{}")
    config = configuration("smoke", [f"published={tables}"])
    assert dependency_digests(run, configuration("smoke", [])) == {}
    files = {
        "sources": run / "sources" / "mine" / "seal.json",
        "schema": run / "schema" / "schema.pbtxt",
        "published": tables / "all_affinities_16k.json",
    }
    for name in ("sources", "schema"):
        files[name].parent.mkdir(parents=True)
        files[name].write_text("a")
    (run / "sources" / "mine" / "outside.json").write_text("{}")
    before = dependency_digests(run, config)
    assert set(before) == set(NAMES)
    for name, path in files.items():
        text = path.read_text()
        path.write_text("other")
        assert {key for key in before if dependency_digests(run, config)[key] != before[key]} == {
            name
        }
        path.write_text(text)


def test_what_is_half_written_and_tables_that_are_gone_are_left_out(tmp_path):
    writing = tmp_path / "sources" / ".mine.1-2.partial"
    writing.mkdir(parents=True)
    for name in ("seal.json", "outside.json"):
        (writing / name).write_text("{}")
    tables = tmp_path / "tables"
    tables.mkdir()
    assert dependency_digests(tmp_path, configuration("smoke", [f"published={tables}"])) == {}
