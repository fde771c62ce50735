"""Processes that train beside each other end with the process that started them."""

from __future__ import annotations

import ctypes
import os
import signal

# Of Linux' prctl: the signal that a process gets when the one that started it ends.
PR_SET_PDEATHSIG = 1


def begin_worker() -> None:
    """what a worker does first. Ctrl-C is its starter's to hear, who ends it; of a starter that was
    killed, the kernel tells it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    starter = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != starter:  # it ended in between
        os.kill(os.getpid(), signal.SIGKILL)
