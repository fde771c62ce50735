"""Tests wait for what they name, not for a time."""

import time
from collections.abc import Callable


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    """until `condition()` holds; the limit is that of a slow, loaded machine."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.01)


LATE = {"DEADLINE_EXCEEDED", "CANCELLED"}  # gRPC's names of a missed deadline: the second where the server's clock hangs up before the caller's says so
