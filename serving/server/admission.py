"""Lets requests in while a server runs: once closed, new requests are UNAVAILABLE and the running
ones are waited for.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from serving.errors import unavailable


class Gate:
    """Counts the requests inside, of all doors. closed: nobody is let in any more."""

    def __init__(self) -> None:
        self.change = threading.Condition()
        self.inside = 0
        self.closed = False

    @contextmanager
    def passed(self) -> Iterator[None]:
        """As a context, holds a request that is let in. Raises UNAVAILABLE when closed: a client
        that asks again finds another server.
        """
        with self.change:
            if self.closed:
                raise unavailable("the server is shutting down")
            self.inside += 1
        try:
            yield
        finally:
            with self.change:
                self.inside -= 1
                self.change.notify_all()

    def close(self, grace: float) -> bool:
        """Lets nobody in any more, waits up to `grace` seconds for those inside, and returns
        whether all came out.
        """
        with self.change:
            self.closed = True
            return self.change.wait_for(lambda: not self.inside, grace)
