"""A line on stderr that says how far a download or an ingest is, how fast, and how long it will
still take.
"""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path


def readable(seconds: float) -> str:
    """42 s, 12 min, 3 h 20 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


class Transfers:
    """`with Transfers(total) as transfers`: counts bytes from several threads. The time left rests
    on the mean size of the finished archives.
    """

    def __init__(
        self,
        total: int,
        *,
        stream=None,
        clock: Callable[[], float] = time.monotonic,
        every: float | None = None,
    ) -> None:
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
        text = (
            f"{self.done} of {self.total} archives, {self.bytes / 1e6:,.1f} MB, {rate / 1e6:.1f} "
            "MB/s"
        )
        if 0 < self.done < self.total and rate > 0:
            text += (
                f", about {readable(self.bytes / self.done * (self.total - self.done) / rate)} left"
            )
        return text

    def say(self, end: str) -> None:
        print(self.line(), end=end, file=self.stream, flush=True)


def views_done(stage: Path) -> tuple[int, int]:
    """(views written or refused, views listed) so far in the stage of an ingest, unfinished shards
    included.
    """
    listed = done = 0
    for path in stage.glob("listed/*.json"):
        listed += json.loads(path.read_text())["views"]
    for pattern in (
        "manifest/*.jsonl",
        "quarantine/*.jsonl",
        ".shard-*/manifest",
        ".shard-*/quarantine",
    ):
        for path in stage.glob(pattern):
            with (
                contextlib.suppress(FileNotFoundError),
                path.open("rb") as file,
            ):  # renamed in this moment
                done += sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))  # noqa: B023  used at once
    return done, listed


@contextlib.contextmanager
def watched(stage: str, every: float = 30.0, stream=None) -> Iterator[None]:
    """say every so many seconds how far the ingest in the local folder `stage` is; workers may be
    other processes, so their files are looked at.
    """
    ended, began = threading.Event(), time.monotonic()

    def watch() -> None:
        first = None
        while not ended.wait(every):
            done, listed = views_done(Path(stage))
            first = (
                done if first is None else first
            )  # what an interrupted run had done already tells nothing about the rate
            rate = (done - first) / (time.monotonic() - began)
            left = (
                f", about {readable((listed - done) / rate)} left"
                if rate > 0 and listed > done
                else ""
            )
            print(
                f"{done:,} of {listed:,} views, {rate:.1f} a second{left}",
                file=stream or sys.stderr,
                flush=True,
            )

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
