"""Lets one process compile each numba kernel while the others wait for it.

numba keeps what it compiled beside the sources, but processes that begin together on a fresh
checkout all find nothing there, and each would compile every kernel: a minute and a half of a core.
"""

from __future__ import annotations

import fcntl
import os
import threading
from functools import cache
from pathlib import Path

from numba.core import event

REPOSITORY = Path(__file__).resolve().parents[2]
# numba asks for this lock of its own before it looks into its cache, and gives it back when what
# it compiled is kept there: https://numba.readthedocs.io/en/stable/developer/event_api.html
COMPILER_LOCK = "numba:compiler_lock"


class OneCompiler(event.Listener):
    """A listener that extends numba's compiler lock, which holds among the threads of a process, to
    all processes of this checkout: a process that waited finds the kernel in the cache. A process
    that ends, in whatever way, gives the lock back. Where a folder cannot be locked (some network
    file systems) every process compiles for itself.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # per thread, since numba's own lock is taken after this one; with a depth, since compiling
        # a kernel also compiles the kernels that it calls
        self.mine = threading.local()

    def on_start(self, started: event.Event) -> None:
        depth = getattr(self.mine, "depth", 0)
        if depth == 0:
            self.mine.file = self.locked()
        self.mine.depth = depth + 1

    def on_end(self, ended: event.Event) -> None:
        depth = getattr(self.mine, "depth", 0)
        if depth == 0:
            return  # this compilation began before the listener was registered
        self.mine.depth = depth - 1
        if depth == 1 and self.mine.file is not None:
            fcntl.flock(self.mine.file, fcntl.LOCK_UN)
            os.close(self.mine.file)

    def locked(self) -> int | None:
        """Returns the descriptor of the folder, open and locked, or None where it cannot be locked.
        The folder itself is locked and not a file in it, so that a process that may only read can
        lock it too.
        """
        try:
            file = os.open(self.folder, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:
            os.close(file)
            return None
        return file


@cache
def compile_once() -> None:
    """Makes this process wait, from now on, for kernels that another process of this checkout is
    compiling, instead of compiling them as well.
    """
    event.register(COMPILER_LOCK, OneCompiler(REPOSITORY))
