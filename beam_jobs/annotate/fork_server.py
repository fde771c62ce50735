"""Starts the process that annotation's workers are forked from. It imports what they need once,
which takes a second of a core, and may do so while the process that started it still imports its
own modules.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Iterator
from multiprocessing import forkserver, resource_tracker
from multiprocessing.context import ForkServerContext

# Imported for every kind of data set: the first one switches the garbage collector off, the last
# one calls kernels once and switches it on again.
UNCOLLECTED = "beam_jobs.annotate.uncollected"
PRELOADED = "beam_jobs.annotate.preloaded"


def begin(work: str) -> ForkServerContext:
    """Returns the multiprocessing context for the workers. If no fork server runs yet, one is
    started, which imports the module `work` and ends with this process.
    """
    # There is a process for each core, so that threads inside libraries would only compete. BLAS
    # reads its variables when numpy is first imported, so that they are set before the start.
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
    # Threads of this process may hold locks that a fork would copy, and never release: a server
    # without threads is forked.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([UNCOLLECTED, work, PRELOADED])
    # Started before the server, whose start would otherwise start it too and let signals through.
    resource_tracker.ensure_running()
    # Only this process reacts to Ctrl-C and ends the server, even while that still imports; its
    # workers inherit this.
    with ctrl_c_waits():
        forkserver.ensure_running()
    return context


@contextlib.contextmanager
def ctrl_c_waits() -> Iterator[None]:
    """Holds back Ctrl-C until the block ends: an import that is broken off ends in whatever error
    its library makes of it. Processes that are started inside never receive it.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def await_server(context: ForkServerContext) -> None:
    """Waits until the server has imported its modules and can fork at once. A pool that is given up
    before that has already asked for workers, and these find its locks gone and print long errors.
    """
    first = context.Process(target=int)
    first.start()
    first.join()
