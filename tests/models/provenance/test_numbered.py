"""The newest artifact of an output is told by number, not by name."""

from models.provenance.numbered import newest_with


def test_the_highest_number_that_holds_the_file(tmp_path):
    assert newest_with(tmp_path / "none", "a.json") is None
    for name in ("9", "16", "20", ".system"):
        (tmp_path / name).mkdir()
    for name in ("9", "16", ".system"):
        (tmp_path / name / "a.json").touch()
    assert newest_with(tmp_path, "a.json") == tmp_path / "16"
    assert newest_with(tmp_path, "b.json") is None
