"""The replay as text: baselines beside every predictor."""

import json

from affinity_tables import graded_table

from models.taxonomy.__main__ import main


def test_static_and_random_orders_stand_beside_the_predictor(tmp_path, capsys):
    for name, seed in (("table", 9), ("cheap", 9)):
        graded_table(seed).save(tmp_path / f"{name}.json")
    words = ["--affinities", str(tmp_path / "table.json"), "--budget", "2"]
    words += ["--cheaper", str(tmp_path / "cheap.json")]
    assert main(["replay", *words]) == 0
    text = capsys.readouterr().out
    for name in ("less data", "static order", "family prior", "random order"):
        assert name in text
    assert main(["replay", *words, "--json"]) == 0
    rows = {row["predictor"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["less data"]["spearman"] == 1 and not rows["less data"]["static"]
