"""Label-efficiency curves as text."""

import json

import pytest
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


def value(quality: float) -> dict[str, float]:
    return {"quality": quality, "low": quality - 0.1, "high": quality + 0.1}


@pytest.fixture
def curves_file(tmp_path):
    none = {"transfer": None, "scratch": None, "pixels": None, "own_code": None}
    counts = dict.fromkeys(none, 1)
    measured = [
        {**none, "regime": "48", "transfer": value(0.25), "scratch": value(0.125)},
        {**none, "regime": "", "transfer": value(0.375)},
    ]
    facts = {
        "unit": "building",
        "units": 20,
        "resamples": 200,
        "targets": [{"target": "t0", "sources": ["t1"], **row} for row in measured],
        "mean": [{"targets": counts, **row} for row in measured],
        "supervised": {
            "targets": [{"target": "t0", "views": 360, **value(0.3125)}],
            "mean": [{"views": 360, "targets": 1, **value(0.3125)}],
        },
    }
    path = tmp_path / "curves.json"
    path.write_text(json.dumps(facts))
    return path


def test_curves_of_a_run_are_told_with_intervals_and_supervised_shares(curves_file, capsys):
    assert main(["amounts", "--curves", str(curves_file)]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    for row in (
        "t0 transfer 48 0.250 0.150 to 0.350",
        "t0 transfer all 0.375 0.275 to 0.475",
        "t0 scratch 48 0.125 0.025 to 0.225",
        "t0 supervised 360 0.312 0.212 to 0.412",
        "mean of 1 supervised 360 0.312 0.212 to 0.412",
    ):
        assert lines.count(row.split()) == 1, row
    assert not any(line[:2] == ["t0", "pixels"] for line in lines)
    assert main(["amounts", "--curves", str(curves_file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(curves_file.read_text())


def test_curves_of_earlier_runs_lack_supervised_networks(curves_file, capsys):
    facts = json.loads(curves_file.read_text())
    del facts["supervised"]
    curves_file.write_text(json.dumps(facts))
    assert main(["amounts", "--curves", str(curves_file)]) == 0
    assert "supervised" not in capsys.readouterr().out


def test_a_table_or_curves_are_asked_for_and_nothing_else(curves_file, capsys):
    both = ["--affinities", str(curves_file), "--curves", str(curves_file)]
    other = curves_file.with_name("other.json")
    other.write_text("[]")
    for words in ([], both, ["--curves", str(other)]):
        assert main(["amounts", *words]) != 0
        said = capsys.readouterr().err
        assert "--curves" in said or "curves.json" in said
