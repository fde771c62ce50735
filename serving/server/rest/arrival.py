"""Reads what a client sends for as long as it goes on arriving: a client that stops in the middle
of a request, or sends a byte now and then, would otherwise hold a thread and memory for as long as
it likes. A client that sends steadily may take as long as it needs.
"""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Callable
from typing import Any

# seconds without a byte; also how long a connection without a request is kept
PATIENCE = 30.0
LEAST_RATE = 16 << 10  # bytes a second in the mean, from PATIENCE seconds after a request's begin


class LateError(TimeoutError):
    """Raised for a request that does not go on arriving, or one that does not begin."""


class Arrival(io.RawIOBase):
    """The bytes of a connection, as a raw stream. patience: in place of PATIENCE; clock: as
    time.monotonic.
    """

    def __init__(
        self,
        connection: socket.socket,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.connection = connection
        self.patience = patience
        self.clock = clock
        self.begin()

    def begin(self) -> None:
        """Begins to count bytes and time of a request, or of the waiting for one."""
        self.since = self.clock()
        self.received = 0

    def readable(self) -> bool:
        return True

    def left(self) -> float:
        """Returns the seconds in which the next byte must come."""
        earned = self.received / LEAST_RATE
        return min(self.patience, self.since + self.patience + earned - self.clock())

    def readinto(self, buffer: Any) -> int:
        """Writes what has arrived into `buffer`, once there is some, and returns how many bytes, 0
        at the end. Raises LateError.
        """
        seconds_left = self.left()
        if seconds_left <= 0:
            raise self._late()
        self.connection.settimeout(seconds_left)
        try:
            count = self.connection.recv_into(buffer)
        except TimeoutError as error:
            raise self._late() from error
        finally:
            # the limit is for reading alone: an answer may take its time
            self.connection.settimeout(None)
        self.received += count
        return count

    def _late(self) -> LateError:
        return LateError(
            f"expected a request without a pause of {self.patience:g} s, and after that time "
            f"{LEAST_RATE} bytes a second, got {self.received} bytes in "
            f"{self.clock() - self.since:.0f} s"
        )
