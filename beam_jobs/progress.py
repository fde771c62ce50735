"""A line on stderr that says how far a download is, how fast, and how long it will still take."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable


def readable(seconds: float) -> str:
    """42 s, 12 min, 3 h 20 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


class Transfers:
    """`with Transfers(total) as transfers`: counts bytes from several threads. The time left rests on the mean size of the finished archives."""

    def __init__(self, total: int, *, stream=None, clock: Callable[[], float] = time.monotonic, every: float | None = None) -> None:
        self.stream = sys.stderr if stream is None else stream
        self.total, self.clock = total, clock
        self.every = every if every is not None else 0.5 if self.stream.isatty() else 30.0
        self.lock, self.bytes, self.done = threading.Lock(), 0, 0

    def __enter__(self) -> Transfers:
        self.began = self.said = self.clock()
        return self

    def __exit__(self, *error) -> None:
        self.say("\n")

    def progress(self, count: int) -> None:
        with self.lock:
            self.bytes += count
            if self.clock() - self.said >= self.every:
                self.said = self.clock()
                self.say("\r" if self.stream.isatty() else "\n")

    def finished(self) -> None:
        with self.lock:
            self.done += 1

    def line(self) -> str:
        """12 of 525 archives, 1,204 MB, 45.1 MB/s, 3 h 20 min left"""
        rate = self.bytes / max(self.clock() - self.began, 1e-9)
        text = f"{self.done} of {self.total} archives, {self.bytes / 1e6:,.1f} MB, {rate / 1e6:.1f} MB/s"
        if 0 < self.done < self.total and rate > 0:
            text += f", about {readable(self.bytes / self.done * (self.total - self.done) / rate)} left"
        return text

    def say(self, end: str) -> None:
        print(self.line(), end=end, file=self.stream, flush=True)
