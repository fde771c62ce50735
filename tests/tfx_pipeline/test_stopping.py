"""A run ends within seconds of a signal, with its workers and what waits for them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Seconds, on a busy machine too; a network that was waited for would take a minute.
ENOUGH = 20.0
# A stage as TrainTasks is: two workers, six networks of a minute each.
STAGE = """
import concurrent.futures, multiprocessing, signal, sys, time
from pathlib import Path
from models.networks.training.workers import begin_worker
from tfx_pipeline.stopping import resume_command, stoppable

def train(folder, number):
    Path(folder, f"begun-{number}").touch()
    time.sleep(60)

def stage(folder):
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(2, spawn, begin_worker) as pool:
        waiting = [pool.submit(train, folder, number) for number in range(6)]
        for future in concurrent.futures.as_completed(waiting):
            future.result()

if __name__ == "__main__":
    # tests that a shell started in its background were told to ignore it
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with stoppable(resume_command(["run", "--data", "my data"])):
            stage(sys.argv[1])
    finally:
        Path(sys.argv[1], "left open").touch()
"""
# A solver that never looks up.
SOLVER = """
import hashlib, sys
from pathlib import Path
from tfx_pipeline.stopping import stoppable

with stoppable("again", grace=0.5):
    Path(sys.argv[1], "begun-0").touch()
    Path(sys.argv[1], "begun-1").touch()
    hashlib.pbkdf2_hmac("sha256", b"", b"", 10**9)
"""


def begun(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("begun-*")}


def start(folder: Path, code: str = STAGE) -> subprocess.Popen:
    """the stage, in a session of its own, when both workers are at work."""
    (folder / "stage.py").write_text(code)
    process = subprocess.Popen(
        [sys.executable, folder / "stage.py", folder],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until = time.monotonic() + 60
    while len(begun(folder)) < 2 and time.monotonic() < until:
        time.sleep(0.02)
    assert begun(folder) == {"begun-0", "begun-1"}
    return process


def living(session: int) -> list[int]:
    """processes of a session that have not ended."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, number = stat.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(number) == session and state != "Z":
            found.append(int(stat.parent.name))
    return found


def all_end(session: int, within: float = ENOUGH) -> bool:
    until = time.monotonic() + within
    while time.monotonic() < until:
        if not living(session):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    "number, to_all, code, why",
    [
        (signal.SIGINT, True, 130, "Ctrl-C"),  # a terminal tells the whole group
        (signal.SIGTERM, False, 143, "SIGTERM"),  # systemd, docker and kill tell the first
    ],
)
def test_a_signal_ends_the_run_and_its_workers_and_begins_nothing_that_waits(
    tmp_path, number, to_all, code, why
):
    process = start(tmp_path)
    since = time.monotonic()
    (os.killpg if to_all else os.kill)(process.pid, number)
    _, said = process.communicate(timeout=60)
    assert time.monotonic() - since < ENOUGH
    assert process.returncode == code
    lines = said.strip().splitlines()
    assert len(lines) == 1, said
    assert lines[0].startswith(f"stopped ({why}); finished work is kept. Resume: ")
    assert lines[0].endswith(" -m tfx_pipeline run --data 'my data'")
    assert all_end(process.pid)
    assert begun(tmp_path) == {"begun-0", "begun-1"}


def test_what_a_run_holds_open_is_closed_on_the_way_out(tmp_path):
    code = STAGE.replace(
        "stage(sys.argv[1])",
        """try: stage(sys.argv[1])
            finally: Path(sys.argv[1], "closed").touch()""",
    )
    process = start(tmp_path, code)
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 143 and (tmp_path / "closed").exists()


def test_compiled_code_that_never_looks_up_is_left_after_a_while(tmp_path):
    process = start(tmp_path, SOLVER)
    process.terminate()
    _, said = process.communicate(timeout=60)
    assert process.returncode == 143 and said.strip().startswith("stopped (SIGTERM)")


def test_workers_of_a_run_that_was_killed_end_too(tmp_path):
    process = start(tmp_path)
    process.kill()
    process.communicate(timeout=60)
    assert all_end(process.pid)
    assert begun(tmp_path) == {"begun-0", "begun-1"}
