"""One writer a run folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tfx_pipeline.faults import HeldError, RunError
from tfx_pipeline.run_lock import lock_run

ROOT = Path(__file__).resolve().parents[2]


def test_a_second_one_is_told_who_holds_it(tmp_path):
    run = tmp_path / "run"
    held = pytest.raises(HeldError, match=f"process {os.getpid()}.*--run")
    with lock_run(run), held, lock_run(run):
        pass


def test_it_is_free_again_afterwards_whatever_happened(tmp_path):
    with pytest.raises(ZeroDivisionError), lock_run(tmp_path):
        raise ZeroDivisionError
    with lock_run(tmp_path):
        pass


def test_another_process_sees_it_and_a_killed_one_leaves_it_free(tmp_path):
    hold = (
        "import time; from pathlib import Path; from tfx_pipeline.run_lock import lock_run\n"
        f"with lock_run(Path({str(tmp_path)!r})): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", hold], stdout=subprocess.PIPE, cwd=ROOT)
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(HeldError, match=f"process {holder.pid}"), lock_run(tmp_path):
        pass
    holder.kill()
    holder.wait()
    holder.stdout.close()
    with lock_run(tmp_path):
        pass


def test_a_folder_that_cannot_be_is_said_with_the_cure(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(RunError, match="cannot write to .*choose another folder"),
        lock_run(tmp_path / "file" / "run"),
    ):
        pass
