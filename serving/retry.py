"""Asking again: only where the server says UNAVAILABLE (not there yet, draining, queue full), and never past the deadline."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import grpc

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 3.0  # seconds


def retried(call: Callable[[float], object], deadline: float, *, attempts: int = 8, seed: int | None = None, sleep=time.sleep, clock=time.monotonic):
    """`call(seconds left)`, again after 0.1, 0.2, 0.4 ... 3 s (each shortened by up to half, so that clients do not come back together).

    deadline: seconds for all attempts together. Any other code, the last attempt's error and a pause that would end too late are raised as they came.
    """
    until, rng = clock() + deadline, random.Random(seed)
    for attempt in range(attempts):
        try:
            return call(max(until - clock(), 0.001))
        except grpc.RpcError as error:
            pause = min(FIRST_PAUSE * 2**attempt, LONGEST_PAUSE) * rng.uniform(0.5, 1.0)
            if error.code() != grpc.StatusCode.UNAVAILABLE or attempt == attempts - 1 or clock() + pause >= until:
                raise
        sleep(pause)
    raise ValueError(f"attempts is at least 1, got {attempts}")
