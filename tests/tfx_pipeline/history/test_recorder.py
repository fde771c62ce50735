"""Whatever ends a run, it has a line; a line says what was made and what came of it."""

import json

import numpy as np
import pytest
from made_history import NODES, MadeRuns

from components.verdicts import Check, save_verdict, verdict_of
from models.provenance.atomic import write_json
from tfx_pipeline.config import configuration
from tfx_pipeline.faults import RESUMES, HeldError, RunError
from tfx_pipeline.history import recorder as module
from tfx_pipeline.history.journal import read
from tfx_pipeline.history.recorder import RUNNING, record_run
from tfx_pipeline.stopping import Stopped

SMOKE = configuration("smoke", [])
FILES = {
    "ExampleGen/examples": {
        "index/index.json": {
            "hash": "d1",
            "views": {"train": 40, "val": 20, "test": 20},
            "buildings": ["a", "b", "c"],
        }
    },
    "EvaluateTaxonomy/evidence": {
        "evidence.json": {
            "budget": 2,
            "order": 1,
            "headline": [{"budget": 2, "order": 1, "saved": 0.25}],
            "significance": {"p": 0.004, "verdict": "better than random policies"},
        }
    },
    "TrainPolicy/transfers": {
        "policy.json": {
            "budget": 2,
            "order": 1,
            "supervised": ["normal"],
            "edges": [
                {
                    "target": "reshading",
                    "sources": ["normal"],
                    "control": None,
                    "quality": 0.7,
                    "gain": 0.6,
                }
            ],
            "quality": 0.7,
            "gain": 0.6,
        }
    },
}


@pytest.fixture(autouse=True)
def quick_code(monkeypatch):
    """the addresses of code take seconds, and have a test of their own"""
    monkeypatch.setattr(module, "code_addresses", lambda: {"TrainTasks": "c1"})


def train(run, name, address="a1", start=None):
    record = {"address": address, "start": start}
    write_json(run / "work" / "networks" / name / "network.json", record)


def measure(run, name, rows):
    path = run / "work" / "transfers" / "normal-1" / f"segment-{name}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, keys=json.dumps([str(i) for i in range(rows)]), losses=np.zeros((rows, 2)))


def test_a_good_run_says_what_it_saw_made_and_pushed(tmp_path):
    made = MadeRuns(tmp_path)
    train(tmp_path, "normal")
    with record_run(tmp_path, SMOKE, "data") as recorder:
        recorder.saw("f1")
        train(tmp_path, "reshading", start="a0")
        train(tmp_path, "jigsaw")
        measure(tmp_path, "x", 5)
        made.add(version=7, files=FILES)
    [entry] = read(tmp_path)
    assert (entry.number, entry.outcome, entry.version, entry.serves) == (1, "pushed", 7, 7)
    assert entry.data == {
        "place": "data",
        "fingerprint": "f1",
        "hash": "d1",
        "views": {"train": 40, "val": 20, "test": 20},
        "buildings": 3,
    }
    assert entry.metrics["quality"] == 0.7 and entry.metrics["saved"] == 0.25
    assert entry.metrics["p"] == 0.004
    assert entry.policy["edges"]["reshading"]["sources"] == ["normal"]
    assert entry.networks == ("jigsaw", "reshading") and entry.warm == ("reshading",)
    assert entry.transfers == 5
    assert set(entry.ran) == {name for name, *_ in NODES}
    assert entry.config["name"] == "smoke" and entry.code == {"TrainTasks": "c1"}
    assert (tmp_path / entry.artifacts["BuildBundle/model"]).is_dir()
    assert not (tmp_path / RUNNING).exists()


def test_a_run_that_takes_all_from_the_cache_pushes_nothing(tmp_path):
    made = MadeRuns(tmp_path)
    made.add(version=7, files=FILES)
    with record_run(tmp_path, SMOKE, "data"):
        made.add(cached=tuple(name for name, *_ in NODES if name != "Pusher"), ends="cached")
    [entry] = read(tmp_path)
    assert (entry.outcome, entry.version, entry.serves) == ("unchanged", None, 7)
    assert entry.ran == {} and entry.networks == () and entry.metrics["quality"] == 0.7


@pytest.mark.parametrize(
    "error, outcome",
    [
        (RunError(f"depth_zbuffer has no test sample{RESUMES}"), "failed"),
        (FileNotFoundError("no data at x"), "failed"),
        (RunError("not pushed, the server check refused the bundle: too slow"), "refused"),
        (Stopped(15), "stopped"),
    ],
)
def test_what_went_wrong_is_kept_and_goes_on_to_the_caller(tmp_path, error, outcome):
    made = MadeRuns(tmp_path)
    with pytest.raises(type(error)), record_run(tmp_path, SMOKE, "data"):
        made.add(until="TrainTasks", ends="failed")
        raise error
    [entry] = read(tmp_path)
    assert entry.outcome == outcome and RESUMES not in entry.reason
    assert entry.reason and entry.reason in str(error)
    assert list(entry.ran) == ["ExampleGen", "DecodeLabels"]


def test_a_gates_refusal_is_no_failure_and_its_reasons_are_kept(tmp_path):
    made = MadeRuns(tmp_path)
    check = Check("labels of reshading", False, "a predictor finds nothing of the pictures in them")
    folder = tmp_path / "artifacts" / "CheckData" / "verdict" / "3"
    with pytest.raises(RunError), record_run(tmp_path, SMOKE, "data"):
        made.add(until="DecodeLabels")
        run = made.store.get_contexts_by_type("pipeline_run")[-1].id
        made.execute(run, "CheckData", "verdict", (), "ran", None, {})
        folder.mkdir(parents=True, exist_ok=True)
        save_verdict(folder, verdict_of("CheckData", (check,)))
        raise RunError("nothing is trained: the gate CheckData refused")
    [entry] = read(tmp_path)
    assert entry.outcome == "refused"
    assert entry.verdicts[0]["reasons"] == [f"{check.name}: {check.said}"]


def test_a_killed_run_gets_its_line_from_the_next(tmp_path):
    context = record_run(tmp_path, SMOKE, "data")
    context.__enter__().saw("f1")  # and nothing of it is left
    train(tmp_path, "normal")
    measure(tmp_path, "x", 3)
    with record_run(tmp_path, SMOKE, "data"):
        train(tmp_path, "reshading")
    killed, second = read(tmp_path)
    assert (killed.number, killed.outcome, second.number) == (1, "killed", 2)
    assert killed.networks == ("normal",) and killed.transfers == 3
    assert killed.data["fingerprint"] == "f1"
    assert second.networks == ("reshading",) and second.transfers == 0


def test_a_killed_runs_line_waits_for_room_on_the_disk(tmp_path, monkeypatch):
    context = record_run(tmp_path, SMOKE, "data")
    context.__enter__()  # and nothing of it is left

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(module.journal, "append", full)
        with pytest.raises(OSError, match="No space left"), record_run(tmp_path, SMOKE, "data"):
            pass
    assert read(tmp_path) == [] and (tmp_path / RUNNING).exists()
    with record_run(tmp_path, SMOKE, "data"):
        pass
    assert [entry.outcome for entry in read(tmp_path)] == ["killed", "unchanged"]


def test_a_note_that_was_cut_off_keeps_no_run_from_starting(tmp_path):
    (tmp_path / RUNNING).write_text('{"number": 1, "beg')
    with record_run(tmp_path, SMOKE, "data"):
        pass
    assert [entry.outcome for entry in read(tmp_path)] == ["unchanged"]


def test_other_software_in_the_same_folder_is_noted_and_said(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    for _ in range(2):
        with record_run(tmp_path, SMOKE, "data"):
            pass
    assert "other software" not in capsys.readouterr().err
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    with record_run(tmp_path, SMOKE, "data"):
        pass
    said = capsys.readouterr().err
    assert "other software than in the run before (backend tensorflow -> jax" in said
    assert said.count("\n") == 1
    backends = [entry.software["backend"] for entry in read(tmp_path)]
    assert backends == ["tensorflow", "tensorflow", "jax"]
    assert all(entry.software["keras"] for entry in read(tmp_path))


def test_a_history_that_cannot_be_written_hides_no_error(tmp_path, monkeypatch, capsys):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.journal, "append", full)
    with pytest.raises(HeldError), record_run(tmp_path, SMOKE, "data"):
        raise HeldError("why")
    assert "got no line of this run" in capsys.readouterr().err
