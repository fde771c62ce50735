"""The storm kills whole groups at random, goes on to the end, and tells what differs."""

import importlib.util
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from models.provenance.atomic import write_text

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location("kill_storm", ROOT / "benchmarks" / "kill_storm.py")
kill_storm = importlib.util.module_from_spec(spec)
spec.loader.exec_module(kill_storm)


def say(line):
    """past pytest's own capture, as a command of its own would."""
    os.write(1, f"{line}\n".encode())


def work(words):
    """three nodes with a ledger of four files each, and a child that would outlive a lone kill."""
    run = Path(words[-1])
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"])
    for number, node in enumerate("ABC", 1):
        say(f"[{number:2d}/3] {node} ...")
        for i in range(4):
            path = run / "artifacts" / node / "out" / "1" / f"{i}.txt"
            if not path.exists():
                time.sleep(0.02)
                write_text(path, f"{node} {i}")
                say(f"network {i}/4 {node}{i}: 1 s")
    child.kill()
    child.wait()
    return 0


def tree(folder):
    return {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*.txt")}


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(kill_storm, "LINES", 10)


def test_a_storm_ends_as_a_calm_run(quick, tmp_path, capsys):
    kill_storm.run_once([str(tmp_path / "calm")], 60.0, 10**9, work)
    fell = kill_storm.storm([str(tmp_path / "storm")], tmp_path / "storm", 12, 0.15, 0, work)
    assert sum(fell.values()) == 12 and set(fell) <= {*"ABC", kill_storm.NOT_YET}
    assert tree(tmp_path / "storm") == tree(tmp_path / "calm") and len(tree(tmp_path)) == 24
    assert " networks finished; finished twice: " in capsys.readouterr().out


def test_a_kill_that_comes_at_once_kills_the_group(tmp_path):
    node, code, trained = kill_storm.run_once([str(tmp_path)], 0.0, 10**9, work)
    assert (node, code, trained) == (kill_storm.NOT_YET, None, [])


def test_an_attempt_that_fails_by_itself_ends_the_storm(tmp_path):
    def broken(words):
        say("a traceback")
        return 3

    with pytest.raises(SystemExit, match="a traceback"):
        kill_storm.run_once([str(tmp_path)], 60.0, 10**9, broken)


def test_results_are_told_by_their_bytes_and_the_newest_artifact(tmp_path):
    for number, text in ((2, "old"), (10, "new")):
        for node, output, pattern in kill_storm.RESULTS:
            write_text(
                tmp_path / "artifacts" / node / output / f"{number}" / pattern.replace("*", "x"),
                text,
            )
    files = kill_storm.digests(tmp_path)
    assert len(files) == len(kill_storm.RESULTS) and len(set(files.values())) == 1
    write_text(tmp_path / "artifacts/SolveTaxonomy/taxonomies/10/taxonomies.json", "other")
    assert len(set(kill_storm.digests(tmp_path).values())) == 2
