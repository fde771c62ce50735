"""Kernels are compiled once, whoever needs them first.

numba keeps what it compiled beside the sources, but processes that begin together on a fresh
checkout all miss it, and each compiles every kernel: a minute and a half of a core.
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
    """numba's lock of a process's threads, between the processes of this checkout as well: who
    waited finds the kernel in the cache. A process that ends, in whatever way, gives it back.

    Where a folder cannot be locked (some network file systems) every process compiles for itself.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # a thread each: numba's own lock comes after ours, and a kernel compiles those it calls
        self.mine = threading.local()

    def on_start(self, started: event.Event) -> None:
        depth = getattr(self.mine, "depth", 0)
        if depth == 0:
            self.mine.file = self.locked()
        self.mine.depth = depth + 1

    def on_end(self, ended: event.Event) -> None:
        depth = getattr(self.mine, "depth", 0)
        if depth == 0:
            return  # began before anyone listened
        self.mine.depth = depth - 1
        if depth == 1 and self.mine.file is not None:
            fcntl.flock(self.mine.file, fcntl.LOCK_UN)
            os.close(self.mine.file)

    def locked(self) -> int | None:
        """the folder, open and locked. Not a file in it: who may only read can lock, too."""
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
    """from now on this process compiles no kernel that another one of this checkout compiles."""
    event.register(COMPILER_LOCK, OneCompiler(REPOSITORY))
