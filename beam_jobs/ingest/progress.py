"""Prints lines on standard error that say how far a download or an ingest is, how fast it goes, and
how long it will still take.
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
    """Returns a duration as text, such as 42 s, 12 min or 3 h 20 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


class Transfers:
    """The progress of a download: `with Transfers(total) as transfers` counts bytes from several
    threads. The time left is estimated by the mean size of the finished archives.
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
        # A terminal's line is overwritten and may change often; in a log every line stays.
        usual = 0.5 if self.stream.isatty() else 30.0
        self.every = usual if every is None else every
        self.lock = threading.Lock()
        self.bytes = 0
        self.done = 0

    def __enter__(self) -> Transfers:
        self.began = self.clock()
        self.last_print = self.began
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.say("\n")

    def progress(self, count: int) -> None:
        """Counts bytes that arrived (negative: taken back) and prints the line when it is due."""
        with self.lock:
            self.bytes += count
            if self.clock() - self.last_print >= self.every:
                self.last_print = self.clock()
                self.say("\r" if self.stream.isatty() else "\n")

    def finished(self) -> None:
        """Counts a finished archive."""
        with self.lock:
            self.done += 1

    def line(self) -> str:
        """Returns a line such as "12 of 525 archives, 1,204.0 MB, 45.1 MB/s, about 3 h 20 min
        left".
        """
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
    """Returns (views written or refused, views listed) so far in the stage of an ingest, unfinished
    shards included.
    """
    total = sum(json.loads(path.read_text())["views"] for path in stage.glob("listed/*.json"))
    count = sum(lines_in(path) for pattern in VIEW_LINES for path in stage.glob(pattern))
    return count, total


def lines_in(path: Path) -> int:
    """Returns the number of lines of a file, 0 for one that was renamed at this moment."""
    count = 0
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        while block := file.read(1 << 20):
            count += block.count(b"\n")
    return count


@contextlib.contextmanager
def watched(stage: str, every: float = 30.0, stream: TextIO | None = None) -> Iterator[None]:
    """Prints every `every` seconds, until the block ends, how far the ingest in the local folder
    `stage` is. Workers may be other processes, so that the files are counted.
    """
    ended = threading.Event()
    began = time.monotonic()

    def watch() -> None:
        # Views that an interrupted run had already done must not count in the rate.
        before: int | None = None
        while not ended.wait(every):
            count, total = views_done(Path(stage))
            before = count if before is None else before
            rate = (count - before) / (time.monotonic() - began)
            time_left = ""
            if rate > 0 and total > count:
                time_left = f", about {readable((total - count) / rate)} left"
            line = f"{count:,} of {total:,} views, {rate:.1f} a second{time_left}"
            print(line, file=stream or sys.stderr, flush=True)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
