"""Workplaces: hidden, locked, swept once their run is dead."""

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from beam_jobs.annotate.staging import GRACE, sweep, workplace

REPOSITORY = Path(__file__).parents[3]


def test_a_workplace_without_its_lock_yet_is_left_for_a_minute(tmp_path):
    young = tmp_path / ".annotate.ash.12345678"
    young.mkdir()
    assert sweep(tmp_path) == [] and young.exists()
    os.utime(young, (time.time() - GRACE - 5,) * 2)
    assert sweep(tmp_path) == [young.name] and not young.exists()


def test_a_held_lock_is_seen_from_another_process(tmp_path):
    with workplace(tmp_path, "ash") as folder:
        other = (
            "from beam_jobs.annotate.staging import sweep; from pathlib import Path; "
            f"print(sweep(Path({str(tmp_path)!r})))"
        )
        assert (
            subprocess.run(
                [sys.executable, "-c", other], cwd=REPOSITORY, capture_output=True, text=True
            ).stdout.strip()
            == "[]"
        )
        assert folder.exists()
        with open(folder / ".lock") as lock, pytest.raises(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
