"""Versions of a model: which folders are versions, which of them a policy aspires to."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import grpc
import pytest
from waiting import wait_for

from serving.errors import ServingError, precondition
from serving.server import models as module
from serving.server.loading import Loading
from serving.server.models import (
    AVAILABLE,
    END,
    LARGEST_NUMBER,
    LOADING,
    REMEMBERED,
    Model,
    Policy,
    State,
)
from serving.wire.model_spec import ModelSpec


@pytest.mark.parametrize(
    "policy, numbers",
    [
        (Policy(), [3]),
        (Policy(latest=2), [3, 2]),
        (Policy(latest=None), [3, 2, 1]),
        (Policy(specific=(1, 7)), [1]),
    ],
)
def test_a_policy_aspires_to_its_versions(policy, numbers):
    assert policy.aspired([1, 2, 3]) == numbers


def test_versions_are_folders_named_by_a_number_that_hold_a_model(tmp_path):
    for name in ("1", "00000012", "x", "-3", "٣", str(LARGEST_NUMBER + 1)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "saved_model.pb").touch()
    (tmp_path / "5").mkdir()  # still being written
    model = Model("a", tmp_path)
    assert model.folders() == {1: tmp_path / "1", 12: tmp_path / "00000012"}
    assert model.newest() == 12
    assert Model("a", tmp_path / "none").folders() is None
    assert Model("a", tmp_path / "none").newest() is None


def test_a_numbered_folder_that_may_not_be_read_hides_no_other(tmp_path, monkeypatch, capfd):
    for name in ("1", "2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "saved_model.pb").touch()
    stat = Path.stat

    def refused(path, **keywords):
        # as without the right to search the folder (a superuser has it always)
        if path.parent.name == "2":
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, **keywords)

    monkeypatch.setattr(Path, "stat", refused)
    model = Model("a", tmp_path)
    assert model.folders() == model.folders() == {1: tmp_path / "1"}
    [line] = capfd.readouterr().err.splitlines()
    assert "version 2 of a cannot be read" in line and "Permission denied" in line
    model.versions = {2: None}
    assert model.folders() == {1: tmp_path / "1", 2: tmp_path / "2"}, "what serves is not let go"
    monkeypatch.undo()
    assert 2 in Model("a", tmp_path).folders()


def test_a_version_that_serves_needs_its_graph_file_no_more(tmp_path):
    (tmp_path / "1").mkdir()
    closed = []
    model = Model("a", tmp_path)
    model.versions = {1: SimpleNamespace(close=lambda: closed.append(1))}
    model.states = {1: State(AVAILABLE)}
    model.poll()
    assert list(model.versions) == [1] and model.states == {1: State(AVAILABLE)}
    (tmp_path / "1").rmdir()
    model.poll()
    assert not model.versions, "whose folder is gone is let go"
    wait_for(lambda: closed)


def test_a_base_path_that_is_not_there_changes_nothing(tmp_path):
    model = Model("a", tmp_path / "none")
    model.states = {3: State(AVAILABLE)}
    model.poll()
    assert model.states == {3: State(AVAILABLE)}


def test_a_version_in_error_is_not_tried_again_before_it_left(tmp_path):
    (tmp_path / "1").mkdir()
    graph = tmp_path / "1" / "saved_model.pb"
    graph.write_bytes(b"no model")
    model = Model("a", tmp_path)
    tried = []
    load = model.load
    model.load = lambda number, folder: (tried.append(number), load(number, folder))
    model.poll()
    model.poll()
    assert tried == [1] and model.current is None and model.failure()[0] == 1
    graph.unlink()
    model.poll()
    graph.write_bytes(b"no model")
    model.poll()
    assert tried == [1, 1]


def test_a_version_that_failed_keeps_its_words_when_newer_ones_push_it_out(tmp_path):
    """as the original's status: it names what ended, and why."""
    model = Model("a", tmp_path)
    for number in range(1, REMEMBERED + 3):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "saved_model.pb").write_bytes(b"no model")
        model.poll()
    newest = REMEMBERED + 2
    assert sorted(model.states) == list(range(newest - REMEMBERED, newest + 1))
    assert all(state.phase == END and "parse" in state.error for state in model.states.values())
    assert model.failed == {newest} and model.failure()[0] == newest


def test_a_version_that_does_not_serve_is_not_found():
    with (
        pytest.raises(ServingError, match=r"Specific\(a, 2\)"),
        Model("a", "/none").acquire(ModelSpec("a", 2)),
    ):
        pass


class Loads:
    """in place of `load`, by a clock of its own; tried: numbers; broken: those that fail."""

    def __init__(self, monkeypatch) -> None:
        self.tried, self.broken, self.now = [], set(), 0.0
        monkeypatch.setattr(module, "load", self)
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: self.now))

    def __call__(self, folder, number, loading):
        self.tried.append(number)
        if number in self.broken:
            raise precondition(f"no\ntry {len(self.tried)}")
        return SimpleNamespace(close=lambda: None)


@pytest.fixture
def loads(monkeypatch):
    return Loads(monkeypatch)


def add_version(base: Path, number: int) -> Path:
    folder = base / str(number)
    folder.mkdir()
    (folder / "saved_model.pb").touch()
    return folder


def test_a_load_that_failed_is_tried_again_at_the_looks_after_its_time(tmp_path, loads):
    add_version(tmp_path, 1)
    model, loads.broken = Model("a", tmp_path, loading=Loading(retries=2, retry_seconds=60)), {1}
    for seconds, tries in ((0, 1), (59, 1), (60, 2), (119, 2)):
        loads.now = seconds
        model.poll()
        model.retry()
        assert loads.tried == [1] * tries and model.states == {1: State(LOADING)}
        assert model.failure() is None and model.is_hopeful
    loads.now = 120
    model.retry()
    assert loads.tried == [1] * 3 and not model.is_hopeful and model.failure() == (1, "no")
    assert model.states[1] == State(END, "no", grpc.StatusCode.FAILED_PRECONDITION)
    loads.now = 1000
    model.poll()
    model.retry()
    assert len(loads.tried) == 3


def test_the_log_says_what_serves_what_failed_and_what_left(tmp_path, loads, capsys):
    add_version(tmp_path, 1)
    model, loads.broken = Model("a", tmp_path, loading=Loading(retries=1, retry_seconds=60)), {2}
    model.poll()
    add_version(tmp_path, 2)
    model.poll()
    model.poll()
    loads.now = 60
    model.poll()
    add_version(tmp_path, 3)
    model.poll()
    model.remove()
    wait_for(lambda: model.states[1] == model.states[3] == State(END))
    lines = capsys.readouterr().err.splitlines()
    assert lines[:4] == [
        "version 1 of a serves",
        "version 2 of a could not be loaded (1 more tries; serving: 1): no",
        "version 2 of a could not be loaded (0 more tries; serving: 1): no",
        "version 3 of a serves",
    ]
    assert sorted(lines[4:]) == ["version 1 of a is unloaded", "version 3 of a is unloaded"]


def test_newer_versions_are_loaded_between_the_tries_and_a_removed_one_is_not_tried(
    tmp_path, loads
):
    folder = add_version(tmp_path, 2)
    model, loads.broken = Model("a", tmp_path, loading=Loading(retries=5, retry_seconds=60)), {2}
    model.poll()
    shutil.rmtree(folder)
    add_version(tmp_path, 3)
    model.poll()
    assert model.current is model.versions[3] and not model.retries
    assert model.states == {
        2: State(END, "no", grpc.StatusCode.FAILED_PRECONDITION),
        3: State(AVAILABLE),
    }
    loads.now = 60
    model.poll()
    model.retry()
    assert loads.tried == [2, 3]


def test_without_a_pause_between_tries_all_are_made_at_once(tmp_path, loads):
    add_version(tmp_path, 1)
    model, loads.broken = Model("a", tmp_path, loading=Loading(retries=3, retry_seconds=-1)), {1}
    model.poll()
    assert loads.tried == [1] * 4 and model.states[1].phase == END


def test_a_later_try_that_succeeds_replaces_the_version_before_it(tmp_path, loads):
    add_version(tmp_path, 1)
    model = Model("a", tmp_path, loading=Loading(retries=1, retry_seconds=60))
    model.poll()
    add_version(tmp_path, 2)
    loads.broken = {2}
    model.poll()
    assert list(model.versions) == [1], "serves meanwhile"
    loads.broken, loads.now = set(), 60
    model.retry()
    assert list(model.versions) == [2] and not model.retries
    model.remove()
    assert not model.retries
