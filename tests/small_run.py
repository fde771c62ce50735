"""The small main job for tests: its command, what a run left behind, and runs by edited sources."""

import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from models.provenance.sources import PACKAGES

ROOT = Path(__file__).resolve().parents[1]
# What the demo is told; a cluster's file is told the same.
SMOKE = ("--config", "smoke")
# seconds: machines differ threefold, and other tests run beside it
TIMEOUT = 2400


def command(*words, cwd=ROOT) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", *map(str, words)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )


class Stopped(NamedTuple):
    """code: its exit code. seconds: that it took to end."""

    code: int
    said: str
    seconds: float


def stopped_command(*words, mark: str, cwd=ROOT) -> Stopped:
    """a command that gets SIGTERM when it has said `mark`."""
    process = subprocess.Popen(
        [sys.executable, "-m", *map(str, words)],
        cwd=cwd,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    said = ""
    for line in process.stderr:
        said += line
        if mark in line:
            break
    process.terminate()
    since = time.monotonic()
    said += process.communicate(timeout=60)[1]
    return Stopped(process.returncode, said, time.monotonic() - since)


def newest(run: Path, node: str, output: str) -> Path:
    return max((run / "artifacts" / node / output).iterdir(), key=lambda path: int(path.name))


def edited_copy(folder: Path, edits: dict[str, tuple[str, str]]) -> Path:
    """a copy of the sources with `path: (old, new)` replaced; kernels that numba has compiled from
    unchanged files (which it tells by time and size) come along.
    """
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package)
    shutil.copy(ROOT / "BUILD", folder / "BUILD")
    for path, (old, new) in edits.items():
        text = (folder / path).read_text()
        assert old in text, f"{path} has no {old!r}: the test must follow the code"
        (folder / path).write_text(text.replace(old, new, 1))
    return folder


def executions(run: Path) -> list[tuple[int, str, int]]:
    """(number, node's type, state) of all executions so far; state 3 ran, 5 was cached."""
    with sqlite3.connect(run / "metadata.sqlite") as base:
        return base.execute(
            "select Execution.id, Type.name, last_known_state from Execution "
            "join Type on Type.id = Execution.type_id"
        ).fetchall()


def run_again(run: Path, sources: Path) -> tuple[set[str], str]:
    """run the pipeline by other sources; (the nodes that were not cached, what it said)."""
    last = max(number for number, _, _ in executions(run))
    words = ("run", *SMOKE, "--run", run, "--data", run / "data")
    done = command("tfx_pipeline", *words, cwd=sources)
    assert done.returncode == 0, done.stderr[-3000:]
    fresh = [row for row in executions(run) if row[0] > last]
    return {name.split(".")[-1] for _, name, state in fresh if state == 3}, done.stderr
