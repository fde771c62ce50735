"""The command that shows what changed in a schema, and keeps it."""

import pytest

from tfx_pipeline.faults import RunError
from tfx_pipeline.kept_schema import review

FEATURE = 'feature {{ name: "{}" type: BYTES presence {{ min_fraction: 1.0 min_count: 1 }} }}\n'


def inferred(run, number: int, *names: str) -> None:
    folder = run / "artifacts" / "SchemaGen" / "schema" / str(number)
    folder.mkdir(parents=True)
    (folder / "schema.pbtxt").write_text("".join(FEATURE.format(name) for name in names))


def test_a_schema_is_shown_kept_and_compared(tmp_path):
    inferred(tmp_path, 9, "rgb", "normal")
    assert "no schema is kept yet; 2 features" in review(tmp_path, accept=False)[1]
    assert review(tmp_path, accept=True)[-1].startswith("kept from now on: ")
    assert review(tmp_path, accept=False)[-1] == "nothing changed"
    inferred(tmp_path, 10, "rgb", "reshading")
    lines = review(tmp_path, accept=False)[2:]
    assert lines[0] == "normal: no longer there" and lines[1].startswith("reshading: new, ")
    review(tmp_path, accept=True)
    assert review(tmp_path, accept=False)[-1] == "nothing changed"


def test_a_run_without_data_and_a_file_that_is_no_schema_are_said(tmp_path):
    with pytest.raises(RunError, match="no data were looked at below"):
        review(tmp_path, accept=False)
    inferred(tmp_path, 9, "rgb")
    (tmp_path / "schema").mkdir()
    (tmp_path / "schema" / "schema.pbtxt").write_text("feature {")
    with pytest.raises(ValueError, match="cannot be read as a schema"):
        review(tmp_path, accept=False)
