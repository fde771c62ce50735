"""Many sets of sources at a time, a thread each."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from threadpoolctl import threadpool_limits

from models.networks.transfers.learners import Bench, Losses, SourceSet
from models.tasks.arrays import Floats

QUIET = 10.0  # seconds between two lines of progress
SAVED = 32  # source sets after which what was measured is given away


def side_by_side(
    bench: Bench,
    subsets: Sequence[SourceSet],
    losses_of: Callable[[SourceSet], dict[str, Floats]],
    into: str,
) -> Iterator[tuple[str, Losses]]:
    """(target, losses) for all `subsets`, as `losses_of` finds them, after every `SAVED` sets.

    losses_of: set of sources -> target -> losses. into: the targets in words. As many sets at a
    time as `config.trainers`, a thread each, on as many shares of the cores: these matrices are too
    small for one product to fill them all.
    """
    workers = bench.config.trainers
    cores = len(os.sched_getaffinity(0))
    progress = Progress(bench, len(subsets), into)
    rows: dict[str, Losses] = {}
    pool = ThreadPoolExecutor(workers)
    with threadpool_limits(max(1, cores // workers), "blas"):
        waiting = [pool.submit(losses_of, subset) for subset in subsets]
        try:
            for done, (subset, future) in enumerate(zip(subsets, waiting), 1):
                for name, losses in future.result().items():
                    rows.setdefault(name, {})[subset] = losses
                if done % SAVED == 0 or done == len(subsets):
                    yield from rows.items()
                    rows = {}
                    progress.say(done)
        finally:
            # After an error or an interrupt: what waits does not begin.
            pool.shutdown(wait=True, cancel_futures=True)


class Progress:
    """A line at the end, and before it every `QUIET` seconds at most."""

    def __init__(self, bench: Bench, count: int, into: str) -> None:
        self.out = bench.out
        self.count = count
        self.into = into
        self.since = time.time()
        self.said = self.since

    def say(self, done: int) -> None:
        """done: sets of sources that are measured."""
        now = time.time()
        if done < self.count and now - self.said <= QUIET:
            return
        self.said = now
        left = (now - self.since) / done * (self.count - done)
        print(
            f"  source sets {done}/{self.count} into {self.into}, about {left:.0f} s left",
            file=self.out,
            flush=True,
        )
