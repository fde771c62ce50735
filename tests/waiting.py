"""Tests wait for what they name, not for a time."""

import time
from collections.abc import Callable

# gRPC's names of a missed deadline: the second where the server hangs up before the caller's clock
# says so.
LATE = {
    "DEADLINE_EXCEEDED",
    "CANCELLED",
}


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    """until `condition()` holds; the limit is that of a slow, loaded machine."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.01)
