"""Label-efficiency curves as text."""

import json

from affinity_tables import regime_table, with_scratch

from models.taxonomy.__main__ import main


def test_transfer_and_scratch_stand_side_by_side_at_every_amount(tmp_path, capsys):
    table = with_scratch(regime_table(2, regimes=("1k", "16k")), 2)
    table.save(tmp_path / "amounts.json")
    words = ["amounts", "--affinities", str(tmp_path / "amounts.json")]
    assert main(words) == 0
    text = capsys.readouterr().out
    assert sum(line.split()[:2] == ["t0", "1k"] for line in text.splitlines()) == 1
    assert main([*words, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 2 * len(table.targets)


def test_amounts_are_listed_by_number_and_all_last(tmp_path, capsys):
    regime_table(2, regimes=("192", "48", "", "96")).save(tmp_path / "amounts.json")
    assert main(["amounts", "--affinities", str(tmp_path / "amounts.json")]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [row[1] for row in rows if row[:1] == ["t0"]] == ["48", "96", "192", "all"]
