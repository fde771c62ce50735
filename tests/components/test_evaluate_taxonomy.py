"""What EvaluateTaxonomy reads: tables of halves where both were measured."""

from made_run import NAMES, table

from components.evaluate_taxonomy import read_halves


def test_halves_are_read_where_both_were_measured(tmp_path):
    measured = table(NAMES)
    assert read_halves(str(tmp_path)) is None
    measured.save(tmp_path / "half-0.json")
    assert read_halves(str(tmp_path)) is None
    measured.save(tmp_path / "half-1.json")
    assert [len(half.rows) for half in read_halves(str(tmp_path))] == [len(measured.rows)] * 2
