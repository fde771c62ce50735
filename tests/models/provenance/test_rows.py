"""Small results are kept under their addresses."""

from models.provenance.rows import RowLedger


def test_rows_are_there_for_the_next_reader(tmp_path):
    ledger = RowLedger(tmp_path / "rows.json")
    assert "a" not in ledger
    ledger.extend({"a": {"score": 1.5}})
    ledger.extend({"b": {"score": 2.5}})
    again = RowLedger(tmp_path / "rows.json")
    assert "a" in again and again["b"] == {"score": 2.5}


def test_nothing_to_add_writes_nothing(tmp_path):
    RowLedger(tmp_path / "rows.json").extend({})
    assert not list(tmp_path.iterdir())
