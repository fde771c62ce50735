"""Many sets of sources at a time, a thread each; where there are many test samples, some of these
at a time.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from threadpoolctl import threadpool_limits

from models.networks.transfers.learners import BenchView, Losses, SourceSet
from models.tasks.arrays import Floats

QUIET = 10.0  # seconds between two lines of progress
SAVED = 32  # source sets after which what was measured is given away
# Bytes of labels, features, kernels and answers of test samples that are held at a time.
HELD = 2 << 30
Fit = TypeVar("Fit")
Result = TypeVar("Result")
# (sources, what was solved of them) -> target -> losses [sample] of some test samples.
Judged = Callable[[SourceSet, Fit], dict[str, Floats]]


def some_at_a_time(count: int, size: int) -> list[range]:
    """Returns the numbers of `count` test samples, of `size` bytes each, in parts: all together
    where `HELD` has room for them, else one part after the other.
    """
    step = max(1, HELD // size)
    return [range(start, min(start + step, count)) for start in range(0, count, step)]


def part_by_part(
    bench: BenchView,
    subsets: Sequence[SourceSet],
    fit: Callable[[SourceSet], Fit],
    parts: Sequence[Callable[[], Judged[Fit]]],
    into: str,
) -> Iterator[tuple[str, Losses]]:
    """`side_by_side`, of test samples of which some are held at a time. fit: what is solved of a
    set of sources. parts: make what judges it on some samples after the other, in order; anew for
    every `SAVED` sets of sources, whose fits are held meanwhile, unless one part has all samples.
    """
    if len(parts) == 1:
        judge = parts[0]()

        def losses_of(subset: SourceSet) -> dict[str, Floats]:
            return judge(subset, fit(subset))

        yield from side_by_side(bench, subsets, losses_of, into)
        return
    progress = Progress(bench, len(subsets), into)
    for start in range(0, len(subsets), SAVED):
        some = subsets[start : start + SAVED]
        fits = dict(zip(some, in_threads(bench, fit, some)))
        pieces: dict[str, dict[SourceSet, list[Floats]]] = {}
        for make in parts:
            for subset, losses in zip(some, in_threads(bench, judge_of_fits(make(), fits), some)):
                for name, values in losses.items():
                    pieces.setdefault(name, {}).setdefault(subset, []).append(values)
        for name, rows in pieces.items():
            yield name, {subset: np.concatenate(values) for subset, values in rows.items()}
        progress.say(start + len(some))


def judge_of_fits(
    judge: Judged[Fit], fits: dict[SourceSet, Fit]
) -> Callable[[SourceSet], dict[str, Floats]]:
    """Returns what judges a set of sources by what was solved of it before: target -> losses
    [sample].
    """
    return lambda subset: judge(subset, fits[subset])


def in_threads(
    bench: BenchView, work: Callable[[SourceSet], Result], subsets: Sequence[SourceSet]
) -> Iterator[Result]:
    """`work` of all `subsets`, in order. As many at a time as `config.trainers`, a thread each, on
    as many shares of the cores: these matrices are too small for one product to fill them all.
    """
    workers = bench.config.trainers
    cores = len(os.sched_getaffinity(0))
    pool = ThreadPoolExecutor(workers)
    with threadpool_limits(max(1, cores // workers), "blas"):
        waiting = [pool.submit(work, subset) for subset in subsets]
        try:
            while waiting:
                # Nothing here keeps a result once it is given.
                yield waiting.pop(0).result()
        finally:
            # After an error or an interrupt: what waits does not begin.
            pool.shutdown(wait=True, cancel_futures=True)


def side_by_side(
    bench: BenchView,
    subsets: Sequence[SourceSet],
    losses_of: Callable[[SourceSet], dict[str, Floats]],
    into: str,
) -> Iterator[tuple[str, Losses]]:
    """(target, losses) for all `subsets`, as `losses_of` finds them, after every `SAVED` sets.

    losses_of: set of sources -> target -> losses [sample]. into: the targets in words. Several sets
    at a time, as `in_threads` does it.
    """
    progress = Progress(bench, len(subsets), into)
    rows: dict[str, Losses] = {}
    for measured_count, (subset, losses) in enumerate(
        zip(subsets, in_threads(bench, losses_of, subsets)), 1
    ):
        for name, values in losses.items():
            rows.setdefault(name, {})[subset] = values
        if measured_count % SAVED == 0 or measured_count == len(subsets):
            yield from rows.items()
            rows = {}
            progress.say(measured_count)


class Progress:
    """A line at the end, and before it every `QUIET` seconds at most."""

    def __init__(self, bench: BenchView, count: int, into: str) -> None:
        self.out = bench.out
        self.count = count
        self.into = into
        self.since = time.time()
        self.last_print = self.since

    def say(self, measured_count: int) -> None:
        """Prints a line if it is time for one. measured_count: of sets of sources."""
        now = time.time()
        if measured_count < self.count and now - self.last_print <= QUIET:
            return
        self.last_print = now
        seconds_left = (now - self.since) / measured_count * (self.count - measured_count)
        print(
            f"  source sets {measured_count}/{self.count} into {self.into}, "
            f"about {seconds_left:.0f} s left",
            file=self.out,
            flush=True,
        )
