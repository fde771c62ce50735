"""`add-source` and `remove-source` at the door: what they are given, and what of the last run is
taken on.
"""

import json
from pathlib import Path

import pytest
from made_history import MadeRuns
from outside_encoders import feature_file, keras_file

from models.networks.sources import encode
from models.networks.sources.description import outside_sources
from tfx_pipeline.__main__ import main
from tfx_pipeline.config import ConfigError, configuration, from_json
from tfx_pipeline.history.beside import SOURCES
from tfx_pipeline.history.metadata import run_graphs
from tfx_pipeline.sources import last_run, taxonomy_time


def unfinished(run: Path) -> Path:
    """a run folder in which no report came to its end."""
    MadeRuns(run).add(until="TrainTasks", ends="failed")
    return run


def parameters(budget: int, root: str) -> dict[str, str]:
    config = configuration("smoke", [f"default_budget={budget}"])
    return {"config": json.dumps(config.to_json()), "root": root}


def said(capsys) -> str:
    text = capsys.readouterr().err.strip()
    assert text.count("\n") == 0
    return text


def test_a_configuration_is_read_back_from_json():
    config = configuration("laptop", ["budgets=[2,6]", "ridges=[0.5]", "default_budget=2"])
    assert from_json(json.loads(json.dumps(config.to_json()))) == config
    with pytest.raises(ConfigError, match="another version, with hue"):
        from_json({**config.to_json(), "hue": 1})


def test_the_newest_finished_report_says_what_to_go_on_with(tmp_path):
    made = MadeRuns(tmp_path / "run")
    for number, state, told in (
        (1, "ran", parameters(1, "old")),
        (2, "cached", parameters(2, "data")),
        (3, "running", parameters(4, "running")),
    ):
        run = made.context("pipeline_run", f"run {number}")
        made.execute(run, "TrainTasks", "networks", (), "ran", None, {}, config="{}")
        made.execute(run, "WriteReport", "report", (), state, None, {}, **told)
    found = last_run(made.folder)
    assert found is not None
    assert (found.config.default_budget, found.data) == (2, Path("data"))


def test_a_source_needs_a_run_that_has_finished(tmp_path, capsys):
    file = keras_file(tmp_path / "hed.keras", 64)
    words = ["add-source", "hed", "--encoder", str(file), "--run"]
    assert main([*words, str(tmp_path / "none")]) == 1
    assert "no run at" in said(capsys)
    run = unfinished(tmp_path / "run")
    assert main([*words, str(run)]) == 1
    assert "--later" in said(capsys)
    assert outside_sources(run / SOURCES) == []


def test_later_leaves_a_row_for_the_next_run(tmp_path, capsys):
    run = unfinished(tmp_path / "run")
    file = keras_file(tmp_path / "hed.keras", 64)
    words = ["--encoder", str(file), "--run", str(run), "--later", "--random-control"]
    assert main(["add-source", "hed", *words, "--mean", "0.5,0.4,0.3"]) == 0
    rows = outside_sources(run / SOURCES)
    assert [row["name"] for row in rows] == ["hed", "hed_random"]
    assert rows[0]["mean"] == (0.5, 0.4, 0.3) and rows[1]["control_of"] == "hed"
    assert "hed" in capsys.readouterr().err


def finished(run: Path, data: Path) -> Path:
    """a run folder with one report, of `data`, and a label store of its smallest kind."""
    made = MadeRuns(run)
    context = made.context("pipeline_run", "run 1")
    made.execute(context, "DecodeLabels", "labels", (), "ran", None, {})
    told = parameters(1, str(data))
    made.execute(context, "WriteReport", "report", (), "ran", None, {}, **told)
    return run


def test_a_run_that_was_moved_has_its_own_data_and_labels(tmp_path):
    old = finished(tmp_path / "old", tmp_path / "old" / "data")
    (old / "data" / "house").mkdir(parents=True)
    new = old.rename(tmp_path / "new")
    found = last_run(new)
    assert found is not None and found.data == new / "data"
    assert found.labels is not None and (found.labels.parent / "made.json").exists()
    elsewhere = finished(tmp_path / "other", tmp_path / "published")
    assert last_run(elsewhere.rename(tmp_path / "gone")).data == tmp_path / "published"


def test_a_run_without_its_data_is_left_as_it_is(tmp_path, capsys):
    run = finished(tmp_path / "run", tmp_path / "gone")
    file = keras_file(tmp_path / "hed.keras", 32)
    assert main(["add-source", "hed", "--encoder", str(file), "--run", str(run)]) == 1
    assert "--data DIR" in said(capsys)
    assert outside_sources(run / SOURCES) == []


def test_arrays_are_held_against_the_views_of_the_finished_run(tmp_path, capsys, monkeypatch):
    run = finished(tmp_path / "run", tmp_path / "data")
    keys = ["house/point_0/view_0", "house/point_0/view_1"]
    monkeypatch.setattr(encode, "views_of", lambda labels, config: keys)
    file = feature_file(tmp_path / "clip.npz", keys[:1])
    words = ["add-source", "clip", "--encoder", str(file), "--run", str(run), "--later"]
    assert main(words) == 1
    assert f"lacks features of 1 of 2 views, such as {keys[1]}" in said(capsys)
    assert outside_sources(run / SOURCES) == []


def test_an_encoder_is_tried_with_pictures_of_the_runs_side(tmp_path):
    made = MadeRuns(tmp_path / "run")
    run = made.context("pipeline_run", "run 1")
    made.execute(run, "WriteReport", "report", (), "ran", None, {}, **parameters(1, "data"))
    side = configuration("smoke", []).image_size
    file = keras_file(tmp_path / "hed.keras", side)
    words = ["--encoder", str(file), "--run", str(made.folder), "--later"]
    assert main(["add-source", "hed", *words]) == 0
    assert outside_sources(made.folder / SOURCES)[0]["size"] == 0


def test_what_the_taxonomy_took_is_that_of_the_newest_run(tmp_path):
    made = MadeRuns(tmp_path / "run")
    for number in (1, 2):
        run = made.context("pipeline_run", f"run {number}")
        for node in ("EncodeViews", "TrainTransfers", "SolveTaxonomy", "TrainPolicy"):
            made.execute(run, node, "out", (), "ran", None, {})
    nodes = {each.node: each.seconds for each in run_graphs(made.folder)[-1].executions}
    said = taxonomy_time(made.folder)
    total = nodes["TrainTransfers"] + nodes["SolveTaxonomy"]
    assert said.startswith(f"from encoded views to a new taxonomy: {total:.0f} s (TrainTransfers")
    assert "SolveTaxonomy" in said and "EncodeViews" not in said and "TrainPolicy" not in said


def test_what_a_bundle_cannot_hold_is_said(tmp_path, capsys):
    run = unfinished(tmp_path / "run")
    file = feature_file(tmp_path / "clip.npz", ["house/point_0/view_0"])
    assert main(["add-source", "clip", "--encoder", str(file), "--run", str(run), "--later"]) == 0
    assert "a bundle cannot hold" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["normal", "Hed"])
def test_a_wrong_name_is_one_line(tmp_path, capsys, name):
    run = unfinished(tmp_path / "run")
    words = ["--encoder", "missing.keras", "--run", str(run), "--later"]
    assert main(["add-source", name, *words]) != 0
    assert name in said(capsys)


def test_a_source_goes_with_its_random_control(tmp_path, capsys):
    run = unfinished(tmp_path / "run")
    for name, control in (("hed", ["--random-control"]), ("lite", [])):
        file = keras_file(tmp_path / f"{name}.keras", 64)
        words = ["--encoder", str(file), "--run", str(run), "--later", *control]
        assert main(["add-source", name, *words]) == 0
    capsys.readouterr()
    assert main(["remove-source", "hed", "--run", str(run), "--later"]) == 0
    assert [row["name"] for row in outside_sources(run / SOURCES)] == ["lite"]
    assert [path.name for path in (run / SOURCES).iterdir()] == ["lite"]
    words = capsys.readouterr().err
    assert "hed: removed" in words and "hed_random: removed" in words
    assert main(["remove-source", "hed", "--run", str(run), "--later"]) == 1
    assert "no source from outside is called hed" in said(capsys)


def test_a_random_control_goes_alone(tmp_path):
    run = unfinished(tmp_path / "run")
    file = keras_file(tmp_path / "hed.keras", 64)
    words = ["--encoder", str(file), "--run", str(run), "--later", "--random-control"]
    assert main(["add-source", "hed", *words]) == 0
    assert main(["remove-source", "hed_random", "--run", str(run), "--later"]) == 0
    assert [row["name"] for row in outside_sources(run / SOURCES)] == ["hed"]


@pytest.mark.parametrize("name", ["../run", "normal", ".", ""])
def test_nothing_but_a_source_can_be_removed(tmp_path, capsys, name):
    run = unfinished(tmp_path / "run")
    before = [*tmp_path.rglob("*")]
    assert main(["remove-source", name, "--run", str(run), "--later"]) == 1
    assert "no source from outside is called" in said(capsys)
    assert {*tmp_path.rglob("*")} - {*before} <= {run / ".lock"}


def test_a_run_that_could_not_go_on_keeps_its_source(tmp_path, capsys):
    run = finished(tmp_path / "run", tmp_path / "gone")
    file = keras_file(tmp_path / "hed.keras", 32)
    words = ["--encoder", str(file), "--run", str(run), "--later"]
    assert main(["add-source", "hed", *words]) == 0
    capsys.readouterr()
    assert main(["remove-source", "hed", "--run", str(run)]) == 1
    assert "--data DIR" in said(capsys)
    assert [row["name"] for row in outside_sources(run / SOURCES)] == ["hed"]
