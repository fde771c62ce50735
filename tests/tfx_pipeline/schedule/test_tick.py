"""A tick on a folder: what it runs, what it says, whom it tells."""

import json

import pytest

from tfx_pipeline.config import configuration
from tfx_pipeline.faults import HeldError, RunError
from tfx_pipeline.history import recorder
from tfx_pipeline.history.journal import read
from tfx_pipeline.run_lock import lock_run
from tfx_pipeline.schedule import tick as module
from tfx_pipeline.schedule.tick import tick

SMOKE = configuration("smoke", [])


@pytest.fixture
def pipeline(monkeypatch):
    """in place of the pipeline: notes what it is given, and ends as it is told."""
    calls, ends = [], []

    def run_pipeline(config, data, run, beam=(), force=""):
        calls.append((config.seed, str(data)))
        with lock_run(run), recorder.record_run(run, config, str(data)) as kept:
            kept.saw(module.fingerprint_of(str(data)))
            if ends:
                raise ends.pop()

    code = {"TrainTasks": "c1"}
    monkeypatch.setattr(module, "run_pipeline", run_pipeline)
    monkeypatch.setattr(module, "code_addresses", lambda: dict(code))
    monkeypatch.setattr(recorder, "code_addresses", lambda: dict(code))
    return calls, ends, code


@pytest.fixture
def data(tmp_path):
    (tmp_path / "data" / "a" / "rgb").mkdir(parents=True)
    (tmp_path / "data" / "a" / "rgb" / "x.png").write_text("x")
    return tmp_path / "data"


def test_a_change_of_data_code_or_configuration_runs_and_nothing_else_does(
    pipeline, data, tmp_path, capsys
):
    calls, _, code = pipeline
    run = tmp_path / "run"
    for count, change in (
        (1, None),
        (1, None),
        (2, lambda: (data / "a" / "rgb" / "y.png").write_text("y")),
        (3, lambda: code.update(TrainTasks="c2")),
    ):
        if change:
            change()
        assert tick(SMOKE, str(data), run) == 0
        assert len(calls) == count
    assert "nothing to do" in capsys.readouterr().out
    tick(configuration("smoke", ["seed=5"]), str(data), run)
    assert [seed for seed, _ in calls] == [0, 0, 0, 5]
    with open(run / "history.jsonl", "a") as file:
        file.write('{"number": 9, "beg')  # torn
    tick(configuration("smoke", ["seed=5"]), str(data), run)
    assert len(calls) == 4
    tick(configuration("smoke", ["seed=5"]), str(data), run, again=True)
    assert len(calls) == 5


def test_a_source_that_was_added_and_a_schema_that_was_accepted_run(pipeline, data, tmp_path):
    calls, _, _ = pipeline
    run = tmp_path / "run"
    for count, path in (
        (1, None),
        (2, run / "sources" / "mine" / "outside.json"),
        (3, run / "schema" / "schema.pbtxt"),
    ):
        if path:
            path.parent.mkdir(parents=True)
            path.write_text("{}")
            (path.parent / "seal.json").write_text("{}")
        for _ in range(2):
            tick(SMOKE, str(data), run)
            assert len(calls) == count


def test_failures_are_tried_again_and_the_hook_is_told(pipeline, data, tmp_path):
    calls, ends, _ = pipeline
    run, told = tmp_path / "run", tmp_path / "told"
    hook = f'echo "$TASKONOMY_OUTCOME" >> {told}; cat >> {told}'
    ends.append(RunError("no test sample of depth"))
    with pytest.raises(RunError):
        tick(SMOKE, str(data), run, hook=hook)
    tick(SMOKE, str(data), run, hook=hook)
    tick(SMOKE, str(data), run, hook=hook)
    assert len(calls) == 2, "the third tick had nothing to do"
    lines = told.read_text().splitlines()
    assert lines[0] == "failed" and len(lines) == 3
    first, rest = json.JSONDecoder().raw_decode(lines[1])
    assert first["reason"] == "no test sample of depth"
    assert lines[1][rest:] == "unchanged", "the second run's outcome; its line follows"


@pytest.mark.parametrize("hook, words", [("exit 3", "ended with code 3"), ("sleep 9", "longer")])
def test_a_hook_that_fails_is_no_failure_of_the_run(
    pipeline, data, tmp_path, capsys, monkeypatch, hook, words
):
    monkeypatch.setattr("tfx_pipeline.schedule.hook.PATIENCE", 0.2)
    assert tick(SMOKE, str(data), tmp_path / "run", hook=hook) == 0
    assert words in capsys.readouterr().err


def test_a_folder_that_is_held_raises_and_leaves_no_line(pipeline, data, tmp_path):
    run = tmp_path / "run"
    with lock_run(run), pytest.raises(HeldError):
        tick(SMOKE, str(data), run)
    assert read(run) == []


def test_a_pattern_without_a_folder_is_nothing_to_do(pipeline, tmp_path, capsys):
    assert tick(SMOKE, str(tmp_path / "span-{SPAN}"), tmp_path / "run") == 0
    assert "yet: nothing to do" in capsys.readouterr().out
    assert not pipeline[0]


def test_a_window_is_the_last_spans_and_runs_when_one_more_comes(pipeline, tmp_path):
    run, pattern = tmp_path / "run", str(tmp_path / "span-{SPAN}")
    for number, count in ((1, 1), (2, 2), (3, 3)):
        folder = tmp_path / f"span-{number}" / f"b{number}" / "rgb"
        folder.mkdir(parents=True)
        (folder / "x.png").write_text(str(number))
        tick(SMOKE, pattern, run, window=2)
        tick(SMOKE, pattern, run, window=2)
        assert len(pipeline[0]) == count
    assert sorted(p.name for p in (run / "window").iterdir() if p.is_dir()) == ["b2", "b3"]
