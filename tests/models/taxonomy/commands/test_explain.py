"""The explanation as text."""

from affinity_tables import graded_table

from models.taxonomy.__main__ import main
from models.taxonomy.commands.explain import source_row


def test_every_edge_source_and_alternative_is_explained(tmp_path, capsys):
    graded_table(3).save(tmp_path / "table.json")
    assert main(["explain", "--affinities", str(tmp_path / "table.json"), "--budget", "2"]) == 0
    text = capsys.readouterr().out
    for words in ("why each edge", "what each source is worth", "next best policies", "unique"):
        assert words in text
    assert text.count("; next ") == 6, "every target has a runner-up here"


def test_a_source_without_which_a_target_is_lost_is_said_so():
    lost = source_row({"name": "a", "lost": None, "instead": []})
    assert lost == ["a", "all", "some target would no longer be reached"]
    assert source_row({"name": "a", "lost": 0.5, "instead": []}) == ["a", "0.5000", "nothing"]
