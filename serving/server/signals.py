"""Waits for SIGTERM and SIGINT without a race.

A handler in Python runs between two instructions of the main thread. One that sets a
`threading.Event` may find the event's lock taken by the very thread that it interrupts, which is
then never released; and a signal that comes just before that thread begins to wait does not wake
it. So the bytes that Python itself writes for every signal (`signal.set_wakeup_fd`, the self-pipe
trick of D. J. Bernstein) are waited for instead: they stay until they are read.
"""

from __future__ import annotations

import select
import signal
import socket
from types import FrameType

ASKED = (signal.SIGTERM, signal.SIGINT)


def do_nothing(number: int, frame: FrameType | None) -> None:
    """Serves as a handler: Python writes its byte only for a signal that has one."""


class StopSignals:
    """As a context: inside it SIGTERM and SIGINT of this process do nothing but end `wait`. In the
    main thread; others raise ValueError.
    """

    def __enter__(self) -> StopSignals:
        self.reader, self.writer = socket.socketpair()
        # a handler must not wait: a full pipe has said enough
        self.writer.setblocking(False)
        # with a handler, or Python writes no byte and the process ends
        self.before = {number: signal.signal(number, do_nothing) for number in ASKED}
        self.fd = signal.set_wakeup_fd(self.writer.fileno(), warn_on_full_buffer=False)
        return self

    def wait(self, seconds: float | None = None) -> bool:
        """Waits until a signal has come, or at most so many seconds; returns whether one has. A
        signal that has come is still told later.
        """
        # the byte stays: whoever asks later is told, too
        return bool(select.select([self.reader], [], [], seconds)[0])

    def __exit__(self, *error: object) -> None:
        """Restores what signals did before."""
        signal.set_wakeup_fd(self.fd)
        for number, handler in self.before.items():
            signal.signal(number, handler)
        self.reader.close()
        self.writer.close()
