"""Processes that train beside each other share the machine, and end with the process that started
them.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import ctypes
import gc
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from models.networks.optional import left_out

# Of Linux' prctl: the signal that a process gets when the one that started it ends.
PR_SET_PDEATHSIG = 1
THREADS = ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
# Of a GPU's memory, what JAX processes beside each other may take together; the rest is for what
# their drivers and the process that started them hold.
GPU_SHARE = 0.9
Result = TypeVar("Result")


@contextlib.contextmanager
def machine_shared_by(processes: int) -> Iterator[None]:
    """Gives processes that are started inside their share of the machine, by their environment. Of
    the cores: two libraries that each use all of them only wait for each other. Of a GPU's memory,
    which TensorFlow takes whole and JAX by three quarters when they start: TensorFlow takes what it
    needs, as it needs it; JAX no more than its share. Variables that are set already stay, but for
    threads.
    """
    # those that this process may use, which a container may have fewer of than the machine
    cores = max(1, len(os.sched_getaffinity(0)) // processes)
    settings = dict.fromkeys(THREADS, str(cores)) | {
        name: os.environ.get(name, value) for name, value in gpu_memory_variables(processes).items()
    }
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def gpu_memory_variables(processes: int) -> dict[str, str]:
    """Returns the variables that say how each of several processes takes a GPU's memory."""
    return {
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        "XLA_PYTHON_CLIENT_MEM_FRACTION": f"{GPU_SHARE / processes:.3f}",
    }


def results_of_processes(calls: Sequence[Callable[[], Result]], processes: int) -> Iterator[Result]:
    """Yields the results of calls, which must be picklable, as they are finished: `processes`
    processes that train run them in this order. After an error, calls that wait do not begin, and
    those that run are waited for.
    """
    # TensorFlow's threads do not survive a fork
    spawn = multiprocessing.get_context("spawn")
    with (
        machine_shared_by(processes),
        concurrent.futures.ProcessPoolExecutor(processes, spawn, begin_trainer) as pool,
    ):
        waiting = [pool.submit(call) for call in calls]
        try:
            for future in concurrent.futures.as_completed(waiting):
                yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def begin_worker() -> None:
    """Prepares a worker. It leaves Ctrl-C to its starter, who ends it; where the starter is killed,
    the kernel ends it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    starter = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != starter:  # it ended in between
        os.kill(os.getpid(), signal.SIGKILL)


def begin_trainer() -> None:
    """Prepares a worker that trains."""
    begin_worker()
    with left_out():
        import keras  # noqa: F401  by what it is asked for it would be loaded whole
    # Keras' `clear_session` looks for garbage, a network each: not among all that was imported.
    gc.collect()
    gc.freeze()
