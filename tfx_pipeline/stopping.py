"""Ctrl-C and SIGTERM end a run within seconds, its workers too.

A run may be killed at any moment: what is finished lies in the ledgers. So nothing under way is
waited for: every process below this one is killed, what the run holds open is closed on the way
out, and whoever is still busy after a few seconds (a solver in the middle of a program) is left.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn, TextIO

# What ends a run, in a person's words. A signal that was ignored when we were started (nohup, a
# shell's background) stays ignored.
SIGNALS = {
    signal.SIGINT: "Ctrl-C",
    signal.SIGTERM: "SIGTERM",
    signal.SIGHUP: "its terminal was closed",
}
# Seconds that a run has to close what it holds open.
GRACE = 5.0
# A process that frees the shared memory of those that were killed, and ends by itself.
SPARED = b"multiprocessing.resource_tracker"


class Stopped(KeyboardInterrupt):
    """A signal came. number: of the signal; the exit code is 128 more."""

    def __init__(self, number: int) -> None:
        super().__init__(SIGNALS[signal.Signals(number)])
        self.number = number


@contextlib.contextmanager
def stoppable(
    resume: str, out: TextIO = sys.stderr, grace: float = GRACE, *, gently: bool = False
) -> Iterator[None]:
    """Context in which a signal of `SIGNALS` raises Stopped in the main thread, and the process
    ends with 128 + the signal's number.

    resume: the command that goes on from there, which is written to `out`. grace: seconds that the
    main thread has to close what it holds open. gently: processes below are not killed before three
    times `grace`; who started them tells them to end.
    """
    lock = threading.Lock()

    def leave(number: int) -> NoReturn:
        # once: the main thread and the watching one may both get here
        if lock.acquire(blocking=False):
            kill_descendants()
            why = SIGNALS[signal.Signals(number)]
            # a bar may be in the middle of its line
            out.write(f"\nstopped ({why}); finished work is kept. Resume: {resume}\n")
            for stream in (out, sys.stdout):
                with contextlib.suppress(OSError, ValueError):  # a terminal that is gone
                    stream.flush()
            # Without joining threads: libraries' own may be in the middle of something.
            os._exit(128 + number)
        while True:
            time.sleep(1)  # the other one is leaving

    def on_signal(number: int, frame: FrameType | None) -> None:
        # a second signal would raise in the middle of the way out
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        # workers first: the main thread may be waiting for one of them
        if not gently:
            kill_descendants()
        raise Stopped(number)

    # Python's handlers wait for the main thread to come back from compiled code; `watch`, in a
    # thread of its own, is told by the signal itself.
    reader, writer = socket.socketpair()
    # a handler must not wait for room in the pipe
    writer.setblocking(False)

    def watch() -> None:
        # bytes are the signals' numbers; those that are not ours are passed over
        number = reader.recv(1)
        while number and number[0] not in set(before):
            number = reader.recv(1)
        if number:
            # so long the main thread may close what it holds; then the process ends wherever it is
            time.sleep(3 * grace if gently else grace)
            leave(number[0])

    before = {
        number: signal.getsignal(number)
        for number in SIGNALS
        # ignored when we were started (nohup): stays so
        if signal.getsignal(number) not in (signal.SIG_IGN, None)
    }
    earlier = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=watch, daemon=True).start()
    try:
        for number in before:
            signal.signal(number, on_signal)
        yield
    except Stopped as stop:
        leave(stop.number)
    finally:
        # in any case: what follows `stoppable` has its signals as before
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(earlier)
        # the watching thread reads the end, and goes
        writer.close()


def resume_command(arguments: list[str]) -> str:
    """Command line with which a person starts this program's command again."""
    python = Path(sys.executable)
    if python.is_relative_to(Path.cwd()):
        python = python.relative_to(Path.cwd())
    return shlex.join([str(python), "-m", "tfx_pipeline", *arguments])


def kill_descendants() -> None:
    """Sends SIGKILL to every process below this one, also to those that they start meanwhile."""
    # until none is left: a process may start another while it is killed
    while numbers := [number for number in descendants(os.getpid()) if not is_spared(number)]:
        for number in numbers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        # ended children take a moment to go
        time.sleep(0.01)


def descendants(process: int) -> Iterator[int]:
    """Yields the numbers of living processes that `process` started, and that these started."""
    # a list a thread: any of them may have started it
    for file in Path(f"/proc/{process}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, file.read_text().split()):
                # the deepest first: a parent that dies hands its children to init
                yield from descendants(child)
                if is_alive(child):
                    yield child


def is_alive(process: int) -> bool:
    """Does the process run? One that has ended and was not waited for does not."""
    try:
        # the name in brackets may hold blanks and brackets: from the last one on
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def is_spared(process: int) -> bool:
    try:
        return SPARED in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False
