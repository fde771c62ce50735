"""How a command ends, whichever package it is of: by Ctrl-C, by a reader that has seen enough, by
an output that takes no more.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from models.provenance.atomic import NO_ROOM

PIPE_CLOSED = 141  # what a shell sees of a program that SIGPIPE ended
INTERRUPTED = 130  # the same of SIGINT


def exit_code_of(run: Callable[[], int], left: str = "") -> int:
    """Returns the exit code of `run()`: its own; INTERRUPTED after Ctrl-C, with a line on stderr;
    PIPE_CLOSED where nobody reads the output any more; 1, with a line, where the disk is full.
    Every other error goes on to the caller.

    left: what an interrupted command leaves behind, in words; "" for one that leaves nothing.
    """
    open_closed_streams()
    with note_interrupts() as came:
        try:
            try:
                return run()
            finally:
                # now, and not when the interpreter ends, where nobody can say what went wrong
                sys.stdout.flush()
        except BrokenPipeError:
            # a socket, or a pipe to a process of ours, is the command's own matter
            if not (has_lost_reader(sys.stdout) or has_lost_reader(sys.stderr)):
                raise
            silence()
            return PIPE_CLOSED
        except BaseException as error:
            # a library that is interrupted at its import may raise what it likes: NumPy tells how
            # it is installed
            if came or isinstance(error, KeyboardInterrupt):
                print(f"interrupted; {left}" if left else "interrupted", file=sys.stderr)
                return INTERRUPTED
            if not isinstance(error, OSError) or error.errno not in NO_ROOM:
                raise
            print(f"error: disk full: no room for {place_of(error)}; free some", file=sys.stderr)
            silence()
            return 1


def place_of(error: OSError) -> str:
    """Returns what could not be written: the file that the error names, else where output goes."""
    is_output = takes_no_more(sys.stdout)
    return error.filename or ("what standard output goes to" if is_output else "what it writes")


def open_closed_streams() -> None:
    """Opens a stream that the shell closed (`>&-`) on the null device. Left closed, its number
    would be that of the next file to be opened, which then gets what libraries print.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115


@contextlib.contextmanager
def note_interrupts() -> Iterator[list[int]]:
    """Context in which Ctrl-C raises KeyboardInterrupt as ever, and its signal's number is appended
    to the list that is given. The second Ctrl-C ends the process at once.
    """
    came: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        raise KeyboardInterrupt

    is_ours = (
        threading.current_thread() is threading.main_thread()
        # ignored (a shell's background), or another's: stays so
        and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    if is_ours:
        signal.signal(signal.SIGINT, note)
    try:
        yield came
    finally:
        if is_ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def has_lost_reader(stream: object) -> bool:
    """Is `stream` a pipe whose other end is closed?"""
    number = number_of(stream)
    if number is None:
        return False
    poll = select.poll()
    poll.register(number, 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def takes_no_more(stream: object) -> bool:
    """Is `stream` a file on a full disk, or a device that no person sits at (/dev/full)?"""
    number = number_of(stream)
    if number is None:
        return False
    mode = os.fstat(number).st_mode
    if stat.S_ISCHR(mode):
        return not os.isatty(number)
    return stat.S_ISREG(mode) and os.fstatvfs(number).f_bavail == 0


def number_of(stream: object) -> int | None:
    """Returns the number of the stream's file; None for a stream without one, as tests put in
    place.
    """
    try:
        number: int = stream.fileno()  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return None
    return number


def silence() -> None:
    """Sends streams that failed to the null device: what they still hold would fail again when the
    interpreter ends.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        number = number_of(stream)
        # what was said of a full disk must still be read
        if number is not None and (stream is sys.stdout or has_lost_reader(stream)):
            os.dup2(nowhere, number)
    os.close(nowhere)
