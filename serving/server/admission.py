"""The way in while a server runs, and the way out: once closed, new requests are UNAVAILABLE and
the running ones are waited for.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager

from serving.errors import unavailable


class Gate:
    """Counts the requests inside, of all doors. is_set: closed (the name that `health.Health` asks
    by).
    """

    def __init__(self) -> None:
        self.change, self.inside, self.closed = threading.Condition(), 0, False

    def is_set(self) -> bool:
        return self.closed

    @contextmanager
    def passed(self):
        """around a request. Raises UNAVAILABLE when closed: a client that asks again finds another
        server.
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
        """let nobody in any more, wait up to `grace` seconds for those inside; whether all came
        out.
        """
        with self.change:
            self.closed = True
            return self.change.wait_for(lambda: not self.inside, grace)
