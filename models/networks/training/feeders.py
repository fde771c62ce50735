"""Who makes batches ahead: one thread, or several processes.

Threads hold the interpreter's lock for the part of a batch that is Python, so that a few of them
feed no faster than two. Processes have locks of their own, and write into memory that this one sees
too: a batch of pictures is too large to be sent through a pipe.
"""

from __future__ import annotations

import collections
import functools
import mmap
import multiprocessing
import os
import weakref
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import NamedTuple, Protocol

import numpy as np

from models.networks.training.workers import begin_worker
from models.tasks.arrays import Array

# Input, target, mask; or what else is made in three parts.
Batch = tuple[Array, Array, Array]
# Arrays begin at multiples of this, as Eigen and XLA want theirs.
ALIGNED = 64
# Batches a feeder from which on it is worth a process, which takes 0.9 s of a core to begin.
MANY = 8


class Maker(Protocol):
    """What makes a batch of its number alone, here or in another process."""

    def batch(self, number: int, /) -> Batch:
        """Makes the batch of a number."""

    def prefetch(self, number: int, /) -> None:
        """Has the system fetch the records of a batch, and does not wait for them."""


class Prefetching:
    """Makes the batches of `maker`, and before each has the records of a later one fetched, by
    `ahead`: as many batches as are made at the same time, by this maker and others like it. Of a
    batch whose turn comes first, its own.
    """

    def __init__(self, maker: Maker, ahead: int) -> None:
        self.maker = maker
        self.ahead = ahead
        # Numbers of batches, the last ones whose records were fetched: threads share them.
        self.fetched: collections.deque[int] = collections.deque(maxlen=2 * ahead)

    def batch(self, number: int) -> Batch:
        for one in (number, number + self.ahead):
            if one not in self.fetched:
                self.fetched.append(one)
                self.maker.prefetch(one)
        return self.maker.batch(number)


class Parts(Maker, Protocol):
    """A maker that comes to an end."""

    def __len__(self) -> int:
        """Returns how many batches there are."""


class Coming(Protocol):
    """A batch that is being made."""

    def result(self) -> Batch:
        """Waits for the batch and returns it."""


class Feeders(Protocol):
    """Whoever makes batches."""

    def begin(self, step: int) -> Coming:
        """Has the batch of a step made."""

    def close(self) -> None:
        """Ends the feeders; what was begun is finished, what waits is not begun."""


def feeders_of(maker: Maker, count: int) -> Feeders:
    """Returns a thread of this process, or `count` processes; threads also where the system has no
    memory that is shared by a file's number (Linux has).
    """
    if count > 1 and hasattr(os, "memfd_create"):
        return FeederProcesses(maker, count)
    return FeederThreads(maker, count)


def batches_ahead(parts: Parts, count: int) -> Iterator[Batch]:
    """Yields all batches in order; where there are many, `count` feeders make some ahead."""
    numbers = range(len(parts))
    if count < 2 or len(numbers) < MANY * count:
        yield from map(Prefetching(parts, 1).batch, numbers)
        return
    feeders = feeders_of(parts, count)
    try:
        coming = collections.deque(feeders.begin(i) for i in numbers[: count + 1])
        for i in numbers:
            if i + count + 1 < len(numbers):
                coming.append(feeders.begin(i + count + 1))
            yield coming.popleft().result()
    finally:
        feeders.close()


def one_ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    """Yields the same batches in their order; a thread makes the next one while one is used."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = pool.submit(next, batches, None)
            yield batch


class FeederThreads:
    """Threads of this process."""

    def __init__(self, maker: Maker, count: int) -> None:
        self.batch = Prefetching(maker, count).batch
        self.pool = ThreadPoolExecutor(count)

    def begin(self, step: int) -> Future[Batch]:
        return self.pool.submit(self.batch, step)

    def close(self) -> None:
        self.pool.shutdown(wait=True, cancel_futures=True)


class Part(NamedTuple):
    """An array that lies in a block from byte `start` on."""

    start: int
    shape: tuple[int, ...]
    dtype: str


class Block:
    """Memory of `size` bytes that other processes open by its path. Not of /dev/shm, which a
    container may have 64 MB of; it is gone with this process, however that ends.
    """

    def __init__(self, size: int) -> None:
        self.number = os.memfd_create("batch")
        os.ftruncate(self.number, size)
        self.memory = mmap.mmap(self.number, size)
        # of this block: its number is free for another when it is let go
        weakref.finalize(self, os.close, self.number)

    @property
    def path(self) -> str:
        return f"/proc/{os.getpid()}/fd/{self.number}"


class FeederProcesses:
    """Processes of their own. The first batch is made here, and says how large one is."""

    def __init__(self, maker: Maker, count: int) -> None:
        self.maker = maker
        # threads of this process would not survive a fork
        spawn = multiprocessing.get_context("spawn")
        self.pool = ProcessPoolExecutor(count, spawn, begin_feeder, (maker, count))
        # All of them, by this thread: a process ends with the thread that began it, and of the
        # threads that ask for batches nobody knows how long they live.
        for _ in range(count):
            self.pool.submit(int)
        # None is let go before its feeders are: they know one by its file's number.
        self.blocks: list[Block] = []
        self.free: list[Block] = []

    @functools.cached_property
    def size(self) -> int:
        """Bytes of a batch."""
        return extent(self.maker.batch(0))

    def begin(self, step: int) -> ComingFromProcess:
        if not self.free:
            self.blocks.append(Block(self.size))
            self.free.append(self.blocks[-1])
        block = self.free.pop()
        return ComingFromProcess(
            self.pool.submit(write_batch, step, block.path, self.size), block, self.free
        )

    def close(self) -> None:
        self.pool.shutdown(wait=True, cancel_futures=True)


class ComingFromProcess(NamedTuple):
    """A batch that a process writes into a block. free: where the block goes when nobody holds the
    batch any longer.
    """

    written: Future[list[Part]]
    block: Block
    free: list[Block]

    def result(self) -> Batch:
        """Waits for the batch; its arrays lie in the block, where TensorFlow and JAX may read them
        long after they were given them. Raises RuntimeError if the process has ended.
        """
        try:
            parts = self.written.result()
        except BrokenProcessPool as error:
            raise RuntimeError(
                "a process that makes batches has ended (the system ends one when memory is "
                "short); run again, perhaps with fewer: --set feeders=1"
            ) from error
        whole = np.frombuffer(self.block.memory, "uint8")
        let_go = weakref.finalize(whole, self.free.append, self.block)
        let_go.atexit = False
        value, target, mask = (array_at(whole, part) for part in parts)
        return value, target, mask


def array_at(whole: Array, part: Part) -> Array:
    """Returns a part of a block's bytes as the array that it is; its base is `whole`."""
    length = int(np.prod(part.shape, dtype=np.int64)) * np.dtype(part.dtype).itemsize
    return whole[part.start : part.start + length].view(part.dtype).reshape(part.shape)


def extent(batch: Sequence[Array]) -> int:
    """Returns the bytes that the arrays of a batch take in a block."""
    return sum(array.nbytes + -array.nbytes % ALIGNED for array in batch)


# In a feeder, what makes its batches.
MAKERS: list[Prefetching] = []


def begin_feeder(maker: Maker, count: int) -> None:
    """Prepares a process that makes batches, one of `count`."""
    begin_worker()
    # A GPU is its starter's; what needs Keras at all needs it for some arithmetic.
    os.environ.update(CUDA_VISIBLE_DEVICES="", JAX_PLATFORMS="cpu")
    import cv2

    # a process a core: threads inside libraries would only fight
    cv2.setNumThreads(1)
    MAKERS[:] = [Prefetching(maker, count)]


def write_batch(step: int, path: str, size: int) -> list[Part]:
    """Makes the batch of a step in the block at a path, of `size` bytes."""
    batch = MAKERS[0].batch(step)
    if extent(batch) > size:
        raise ValueError(f"the batch of step {step} takes {extent(batch)} bytes, others {size}")
    whole = np.frombuffer(block_at(path, size), "uint8")
    parts = []
    start = 0
    for array in batch:
        parts.append(Part(start, array.shape, array.dtype.str))
        array_at(whole, parts[-1])[...] = array
        start += array.nbytes + -array.nbytes % ALIGNED
    return parts


@functools.cache
def block_at(path: str, size: int) -> mmap.mmap:
    """Returns the memory of a block of another process, which stays open as long as this process.
    Raises OSError where the system lets no process open another's.
    """
    try:
        number = os.open(path, os.O_RDWR)
    except OSError as error:
        raise OSError(
            error.errno,
            f"{error.strerror}: a process that makes batches cannot write where its trainer reads; "
            "have one thread make them: --set feeders=1",
            path,
        ) from error
    try:
        return mmap.mmap(number, size)
    finally:
        os.close(number)
