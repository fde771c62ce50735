"""A schedule in the foreground ticks, goes on after a failure, and ends when it is told."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tfx_pipeline.schedule import every
from tfx_pipeline.schedule.every import repeat

ROOT = Path(__file__).resolve().parents[3]


def test_a_tick_that_fails_is_followed_by_the_next(capfd):
    since = time.monotonic()
    assert repeat(["history", "/nowhere"], 0.1, ticks=2) == 0
    assert capfd.readouterr().err.count("this tick ended with code 1; the next one comes") == 2
    assert time.monotonic() - since < 20


@pytest.mark.parametrize(("tick", "pause"), [(0.0, 60.0), (25.0, 35.0), (100.0, 0.0)])
def test_the_pause_is_what_the_tick_leaves_of_the_time(tick, pause, monkeypatch):
    clock, pauses = [1000.0], []

    class Tick:
        def __init__(self, words):
            clock[0] += tick

        def wait(self):
            return 0

    monkeypatch.setattr(every.subprocess, "Popen", Tick)
    monkeypatch.setattr(every.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(every.time, "sleep", pauses.append)
    assert repeat(["history"], 60.0, ticks=3) == 0
    assert pauses == [pause, pause]


def test_sigterm_ends_the_loop_and_its_tick(tmp_path):
    (tmp_path / "data").mkdir()
    words = ["schedule", "--data", str(tmp_path / "span-{SPAN}"), "--run", str(tmp_path / "run")]
    process = subprocess.Popen(
        [sys.executable, "-m", "tfx_pipeline", *words, "--every", "1h"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert "nothing to do" in process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=15)
    assert process.returncode == 143
    assert "stopped (SIGTERM)" in said and "--every 1h" in said
