"""Asks again, only where the server says UNAVAILABLE (not there yet, draining, queue full), and
never past the deadline.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

import grpc

Answer = TypeVar("Answer")
FIRST_PAUSE = 0.1  # seconds
LONGEST_PAUSE = 3.0  # seconds
AHEAD = 0.1  # seconds by which a server's clock may end a question before the client's does


class MissedDeadline(grpc.RpcError):
    """Raised as DEADLINE_EXCEEDED, whichever clock ran out first: gRPC says CANCELLED where the
    server hung up before the client did.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"no answer within {seconds:g} s; give a longer deadline, or ask for fewer "
            "pictures or tasks at once"
        )

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.DEADLINE_EXCEEDED

    def details(self) -> str:
        return str(self)


def retried(
    call: Callable[[float], Answer],
    deadline: float,
    *,
    attempts: int = 8,
    seed: int | None = None,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Answer:
    """Returns `call(seconds left)`, called again after 0.1, 0.2, 0.4 ... 3 s (each shortened by up
    to half, so that clients do not come back together).

    deadline: seconds for all attempts together. Raises MissedDeadline where a question that nobody
    cancelled comes back cancelled at its end. Any other code, the last attempt's error and a pause
    that would end too late are raised as they came.
    """
    # `monotonic` by default: a clock that is set back must not lengthen a deadline
    until = clock() + deadline
    rng = random.Random(seed)
    for attempt in range(attempts):
        try:
            # never 0, which gRPC takes for a deadline that has passed before the call
            return call(max(until - clock(), 0.001))
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.CANCELLED and clock() >= until - AHEAD:
                raise MissedDeadline(deadline) from error
            # a random part: clients that a restart cut off together do not come back together
            pause = min(FIRST_PAUSE * 2**attempt, LONGEST_PAUSE) * rng.uniform(0.5, 1.0)
            hopeless = error.code() != grpc.StatusCode.UNAVAILABLE
            is_last = attempt == attempts - 1
            # a pause that ends after the deadline is no use: the error is said at once
            too_late = clock() + pause >= until
            if hopeless or is_last or too_late:
                raise
        sleep(pause)
    raise ValueError(f"attempts is at least 1, got {attempts}")
