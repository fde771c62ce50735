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
from types import TracebackType
from typing import TextIO


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
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
        every: float | None = None,
    ) -> None:
        self.stream = sys.stderr if stream is None else stream
        self.total = total
        self.clock = clock
        # A line that is overwritten may change often; one that stays fills a log.
        usual = 0.5 if self.stream.isatty() else 30.0
        self.every = usual if every is None else every
        self.lock = threading.Lock()
        self.bytes = 0
        self.done = 0

    def __enter__(self) -> Transfers:
        self.began = self.clock()
        self.said = self.began
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
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


# One line a view, in finished shards and in those that are being written.
VIEW_LINES = (
    "manifest/*.jsonl",
    "quarantine/*.jsonl",
    ".shard-*/manifest",
    ".shard-*/quarantine",
)


def views_done(stage: Path) -> tuple[int, int]:
    """(views written or refused, views listed) so far in the stage of an ingest, unfinished shards
    included.
    """
    listed = sum(json.loads(path.read_text())["views"] for path in stage.glob("listed/*.json"))
    done = sum(lines_in(path) for pattern in VIEW_LINES for path in stage.glob(pattern))
    return done, listed


def lines_in(path: Path) -> int:
    """how many; 0 for a file that was renamed in this moment."""
    count = 0
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        while block := file.read(1 << 20):
            count += block.count(b"\n")
    return count


@contextlib.contextmanager
def watched(stage: str, every: float = 30.0, stream: TextIO | None = None) -> Iterator[None]:
    """say every so many seconds how far the ingest in the local folder `stage` is; workers may be
    other processes, so their files are looked at.
    """
    ended = threading.Event()
    began = time.monotonic()

    def watch() -> None:
        # What an interrupted run had done already tells nothing about the rate.
        before: int | None = None
        while not ended.wait(every):
            done, listed = views_done(Path(stage))
            before = done if before is None else before
            rate = (done - before) / (time.monotonic() - began)
            left = ""
            if rate > 0 and listed > done:
                left = f", about {readable((listed - done) / rate)} left"
            said = f"{done:,} of {listed:,} views, {rate:.1f} a second{left}"
            print(said, file=stream or sys.stderr, flush=True)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
