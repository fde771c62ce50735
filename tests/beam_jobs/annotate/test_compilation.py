"""Processes that begin together compile a kernel once, and wait for nobody who is gone."""

import os
import subprocess
import sys
import threading
from pathlib import Path

from numba.core import event

from beam_jobs.annotate.compilation import COMPILER_LOCK, OneCompiler

REPOSITORY = Path(__file__).resolve().parents[3]
# One calls the other, as our kernels do.
KERNELS = """
import numba
from models.provenance.kernels import njit

@njit(cache=True)
def inner(values):
    return values.sum()

@njit(cache=True)
def outer(values):
    return inner(values) + 1
"""
CALLER = """
import sys
import numpy as np
from beam_jobs.annotate.dataset import single_threaded
single_threaded()
sys.path.insert(0, sys.argv[1])
import kernels
print("ready", flush=True)
input()
assert kernels.outer(np.arange(4.0)) == 7
print(sum(kernels.outer.stats.cache_misses.values()))
"""


def test_of_processes_that_begin_together_one_compiles(tmp_path):
    (tmp_path / "kernels.py").write_text(KERNELS)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CALLER, tmp_path],
            cwd=REPOSITORY,
            env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    missed = [int(process.communicate()[0]) for process in processes]
    assert all(process.returncode == 0 for process in processes)
    assert sorted(missed) == [0, 1]


def told(status: event.EventStatus) -> event.Event:
    return event.Event(COMPILER_LOCK, status)


START = told(event.EventStatus.START)
END = told(event.EventStatus.END)


def test_another_thread_waits_until_the_outermost_kernel_is_kept(tmp_path):
    first, second = OneCompiler(tmp_path), OneCompiler(tmp_path)
    inside = threading.Event()

    def other() -> None:
        second.notify(START)
        inside.set()
        second.notify(END)

    first.notify(START)
    first.notify(START)
    thread = threading.Thread(target=other)
    thread.start()
    first.notify(END)
    assert not inside.wait(0.2)
    first.notify(END)
    thread.join(30)
    assert inside.is_set()


def test_where_nothing_can_be_locked_a_process_compiles_for_itself(tmp_path):
    alone = OneCompiler(tmp_path / "gone")
    assert alone.locked() is None
    alone.notify(START)
    alone.notify(END)


def test_an_end_without_a_beginning_is_nothing(tmp_path):
    OneCompiler(tmp_path).notify(END)
    file = OneCompiler(tmp_path).locked()
    assert file is not None
    os.close(file)
