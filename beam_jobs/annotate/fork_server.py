"""The process that annotation's workers are forked from. It imports what they need once, for a
second of a core, and may begin before its own starter has imported as much.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Iterator
from multiprocessing import forkserver, resource_tracker
from multiprocessing.context import ForkServerContext

# Imported for whatever is made: first, what keeps the collector still meanwhile; last, kernels that
# are called once, and the collector again.
UNCOLLECTED = "beam_jobs.annotate.uncollected"
PRELOADED = "beam_jobs.annotate.preloaded"


def begin(work: str) -> ForkServerContext:
    """workers' context. Its server imports the module `work` from now on, if none was begun before,
    and ends with this process.
    """
    # A process a core: threads inside libraries would only fight. BLAS reads its variables when
    # numpy is first imported, so that the starter has to set them.
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
    # Threads of this process may hold locks that a fork would copy, and never release: a server
    # without threads is forked.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([UNCOLLECTED, work, PRELOADED])
    # Beginning it would let signals through, if the server were the first to need it.
    resource_tracker.ensure_running()
    # Ctrl-C is its starter's to hear, who ends it: also while it imports, and its workers after it.
    with ctrl_c_waits():
        forkserver.ensure_running()
    return context


@contextlib.contextmanager
def ctrl_c_waits() -> Iterator[None]:
    """Ctrl-C meanwhile is heard at the end: an import that is broken off ends in whatever error its
    library makes of it. Processes that are begun inside never hear it.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def await_server(context: ForkServerContext) -> None:
    """come back when the server has imported, and forks at once. A pool that is given up before has
    asked for workers, and these find its locks gone and say so at length.
    """
    first = context.Process(target=int)
    first.start()
    first.join()
