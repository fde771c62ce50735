"""What no kept version refers to is said before it goes, and nothing else goes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from made_history import NODES, MadeRuns

from tfx_pipeline.history.journal import read
from tfx_pipeline.history.metadata import METADATA, run_graphs
from tfx_pipeline.history.waste import freed_bytes, remove, waste_of

ROOT = Path(__file__).resolve().parents[3]


def losses(*folders):
    named = {folder.partition("-")[0]: folder for folder in folders}
    return {"TrainTransfers/losses": {"calibration.json": {"ledgers": named}}}


@pytest.fixture
def runs(tmp_path):
    """three versions; DecodeLabels' artifact of the first is used by the second too."""
    made = MadeRuns(tmp_path)
    for folder in ("normal-1", "normal-2", "normal-3", "jigsaw-1"):
        (tmp_path / "work" / "transfers" / folder).mkdir(parents=True)
        (tmp_path / "work" / "transfers" / folder / "segment-0.npz").write_bytes(b"x" * 5000)
        os.utime(tmp_path / "work" / "transfers" / folder, (1.0e9, 1.0e9))
    for networks in ("scratch", "shares"):
        (tmp_path / "work" / "transfers" / networks).mkdir()
        os.utime(tmp_path / "work" / "transfers" / networks, (1.0e9, 1.0e9))
    made.add(version=1, files=losses("normal-1", "jigsaw-1"))
    early = ("ExampleGen", "DecodeLabels")
    made.add(version=2, cached=early, files=losses("normal-2", "jigsaw-1"))
    made.add(version=3, files=losses("normal-3", "jigsaw-1"))
    return made


def below(folder, paths):
    return {str(path.relative_to(folder)) for path in paths}


def test_versions_artifacts_and_ledgers_of_no_kept_run_go(runs):
    folder = runs.folder
    first, second, third = run_graphs(folder)
    waste = waste_of(folder, keep=2)
    assert below(folder, waste.versions) == {"serving/taxonomy/1"}
    gone = {str(folder / path) for path in below(folder, waste.artifacts)}
    kept = set(second.artifacts.values()) | set(third.artifacts.values())
    assert gone == set(first.artifacts.values()) - kept
    assert first.artifacts["DecodeLabels/labels"] not in gone
    assert below(folder, waste.ledgers) == {"work/transfers/normal-1"}
    remove(folder, waste)
    assert not any(path.exists() for path in waste.paths)
    assert all(Path(path).is_dir() for path in kept)
    for networks in ("scratch", "shares"):
        assert (folder / "work" / "transfers" / networks).is_dir()
    assert not waste_of(folder, keep=2).paths


def test_a_folder_that_is_reached_by_a_link_loses_nothing_more(runs, tmp_path_factory):
    other = tmp_path_factory.mktemp("other") / "link"
    other.symlink_to(runs.folder)
    here, there = waste_of(runs.folder, keep=2), waste_of(other, keep=2)
    assert below(runs.folder, here.paths) == below(other, there.paths)


def test_what_the_newest_run_used_stays_though_it_pushed_nothing(runs):
    runs.add(until="Pusher", ends="failed", files=losses("normal-1", "jigsaw-1"))
    waste = waste_of(runs.folder, keep=1)
    last = run_graphs(runs.folder)[-1]
    assert not {str(path) for path in waste.artifacts} & set(last.artifacts.values())
    assert below(runs.folder, waste.ledgers) == {"work/transfers/normal-2"}


def test_what_the_newest_run_read_stays_though_no_kept_run_made_it(runs):
    runs.add(until="TrainTasks", ends="failed")
    made_by_no_kept_run = run_graphs(runs.folder)[-1].artifacts["DecodeLabels/labels"]
    # a run of one node, which takes what lies there
    began = runs.context("pipeline_run", "2999-01-01T00:00:00")
    runs.execute(began, "TrainTasks", "networks", ("DecodeLabels/labels",), "failed", None, {})
    gone = {str(path) for path in waste_of(runs.folder, keep=1).artifacts}
    assert gone and made_by_no_kept_run not in gone


def test_without_metadata_nobody_knows_what_is_needed_and_no_artifact_goes(runs):
    before = waste_of(runs.folder, keep=1)
    assert before.artifacts and before.ledgers
    (runs.folder / METADATA).unlink()
    found = waste_of(runs.folder, keep=1)
    assert found.artifacts == found.ledgers == ()
    assert found.versions == before.versions


def test_ledgers_stay_where_a_kept_run_does_not_say_what_it_took(runs):
    runs.add(version=4, files={"TrainTransfers/losses": {"calibration.json": {}}})
    assert waste_of(runs.folder, keep=1).ledgers == ()


def test_what_the_run_under_way_has_written_stays(runs):
    new = runs.folder / "work" / "transfers" / "normal-9"
    new.mkdir()
    runs.add(until="TrainTasks", ends="running")
    os.utime(new)
    assert new not in waste_of(runs.folder, keep=1).ledgers


def test_withdrawn_versions_damaged_files_and_halves_go(runs):
    folder = runs.folder
    (folder / "serving" / "taxonomy" / ".withdrawn-9").mkdir()
    (folder / "work" / "networks" / ".damaged" / "normal-1").mkdir(parents=True)
    (folder / "work" / "networks" / ".normal.123.partial").mkdir()
    (folder / "work" / "networks" / ".normal.checkpoint.npz").touch()
    waste = waste_of(folder, keep=3)
    assert below(folder, waste.paths) == {
        "serving/taxonomy/.withdrawn-9",
        "work/networks/.damaged",
        "work/networks/.normal.123.partial",
    }


def test_a_file_with_a_link_elsewhere_frees_nothing(tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "weights").write_bytes(b"x" * 8192)
    os.link(tmp_path / "old" / "weights", tmp_path / "ledger")
    assert freed_bytes([tmp_path / "old"]) == 0
    assert freed_bytes([tmp_path / "old", tmp_path / "ledger"]) >= 8192


def command(*words):
    return subprocess.run(
        [sys.executable, "-m", "tfx_pipeline", *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_command_says_first_and_needs_yes_and_is_in_the_history(runs):
    folder = runs.folder
    said = command("prune", folder, "--keep", "1")
    assert said.returncode == 0 and "serving/taxonomy/1" in said.stdout and "--yes" in said.stderr
    assert (folder / "serving" / "taxonomy" / "1").is_dir() and read(folder) == []
    done = command("prune", folder, "--keep", "1", "--yes")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (folder / "serving" / "taxonomy").iterdir()) == ["3"]
    [entry] = read(folder)
    assert entry.outcome == "pruned" and "2 versions" in entry.reason and entry.serves == 3
    bad = command("prune", folder, "--keep", "0")
    assert bad.returncode == 2 and "--keep: expected at least 1" in bad.stderr


def test_a_rollback_serves_the_old_version_and_is_in_the_history(runs):
    folder = runs.folder
    for number in (1, 2, 3):
        (folder / "serving" / "taxonomy" / str(number) / "saved_model.pb").touch()
    done = command("rollback", folder)
    assert done.returncode == 0 and done.stdout == "version 2 serves again\n", done.stderr
    assert command("rollback", folder, "--to", "1").returncode == 0
    first, second = read(folder)
    assert (first.outcome, first.serves) == ("rollback", 2)
    assert second.serves == 1 and "withdrawn: 2" in second.reason
    bad = command("rollback", folder, "8")
    assert bad.returncode == 1 and "no version 8" in bad.stderr
    shown = command("history", folder)
    assert shown.returncode == 0 and "rollback" in shown.stdout
    assert shown.stdout.endswith("version 1 serves\n")


def test_a_folder_without_history_and_a_wrong_number_are_said(tmp_path, runs):
    for words in (("history", runs.folder), ("history", tmp_path / "x"), ("diff", tmp_path, 1, 2)):
        done = command(*words)
        assert done.returncode == 1 and done.stderr.startswith("error: no "), done.stderr
    assert len(NODES) == len(run_graphs(runs.folder)[0].executions)
