"""Batches requests in the server: requests that wait together run together, once, and each gets its
own rows.

One queue for every (version, set of fed tensors); a batch fetches the union of what its requests
want, so that requests for different task heads share one pass of the encoder (TensorFlow Serving
would run them apart). A batch that fails is run again request by request: one broken picture must
not cost its neighbours their answers. A request whose deadline passes while it waits leaves the
queue; one whose client has left is not run.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from models.tasks.arrays import Array
from serving.errors import (
    ServingError,
    from_tensorflow,
    gone,
    invalid,
    late,
    precondition,
    unavailable,
)
from serving.server.batch_parameters import Parameters
from serving.server.monitoring import QUEUED, RUNS, Metrics
from serving.server.session import Awaited, always


class Fetcher(Protocol):
    """What runs a batch: `session.Version`."""

    def fetch(
        self, feeds: dict[str, Array], fetches: list[str], deadline: float | None = None
    ) -> list[Array]: ...


STOPPED = "The batch scheduler was stopped before this task was run"
Key = tuple[int, tuple[str, ...]]  # what names a queue: a version, and the tensors fed


# compared by identity: `remove` compares, and whether two arrays are equal has no single answer
@dataclass(eq=False)
class Task:
    """A request that waits. awaited(): whether its client is still there. done: set when values or
    failure are there.

    failure: code and text instead of the exception, whose traceback would hold this task, its
    tensors and itself in a circle until the next collection.
    """

    version: Fetcher
    feeds: dict[str, Array]
    fetches: list[str]
    rows: int
    deadline: float | None
    awaited: Awaited = always
    since: float = field(default_factory=time.monotonic)
    done: threading.Event = field(default_factory=threading.Event)
    values: list[Array] = field(default_factory=list)
    failure: ServingError | None = None

    @property
    def key(self) -> Key:
        """Key of the queue in which the request waits."""
        # an id is unique while its object lives: tasks that wait hold their version
        return id(self.version), tuple(sorted(self.feeds))

    def fail(self, error: Exception) -> None:
        """Keeps the error of a request, without the frames that led to it."""
        translation = from_tensorflow(error)
        self.failure = ServingError(translation.code, str(translation))

    def missed(self, now: float) -> bool:
        """Returns whether the request's deadline has passed."""
        return self.deadline is not None and self.deadline <= now


class Scheduler:
    """Threads that take batches from the queues of all versions. `run` has the form of
    `Version.fetch`.
    """

    def __init__(self, parameters: Parameters, metrics: Metrics | None = None) -> None:
        self.parameters = parameters
        self.metrics = metrics or Metrics()
        self.queues: dict[Key, deque[Task]] = defaultdict(deque)
        self.change = threading.Condition()
        self.stopped = False
        for _ in range(parameters.num_batch_threads):
            threading.Thread(target=self.work, daemon=True).start()

    def run(
        self,
        version: Fetcher,
        feeds: dict[str, Array],
        fetches: list[str],
        deadline: float | None = None,
        awaited: Awaited = always,
    ) -> list[Array]:
        """Waits for a batch, runs it and returns the rows of this request, [rows, ...] as its
        feeds. A request that is not `awaited()` any more is left out of its batch.

        Raises INVALID_ARGUMENT, UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED, FAILED_PRECONDITION.
        """
        rows = rows_of(feeds)
        step = self.parameters.execution
        if rows > self.parameters.max_batch_size:
            raise invalid(
                f"Task size {rows} is larger than maximum input batch size "
                f"{self.parameters.max_batch_size}"
            )
        if rows > step:  # large batch splitting
            cuts = [
                {name: value[start : start + step] for name, value in feeds.items()}
                for start in range(0, rows, step)
            ]
            parts = [self.run(version, cut, fetches, deadline, awaited) for cut in cuts]
            return [np.concatenate(pieces) for pieces in zip(*parts)]
        task = Task(version, feeds, fetches, rows, deadline, awaited)
        self._enqueue(task)
        seconds = None if deadline is None else max(deadline - time.monotonic(), 0)
        if not task.done.wait(seconds):
            self._withdraw(task)
            raise late()
        if task.failure:
            # a new one: raising the one that is kept would give it a traceback
            raise ServingError(task.failure.code, str(task.failure))
        return task.values

    def _enqueue(self, task: Task) -> None:
        """Puts a request into its queue. Raises UNAVAILABLE where too many wait, or nobody takes
        from the queues any more.
        """
        with self.change:
            if self.stopped:
                raise unavailable(STOPPED)
            waiting = sum(other.rows for other in self.queues[task.key])
            if waiting + task.rows > self.parameters.most_waiting:
                raise unavailable(
                    "The batch scheduling queue to which this task was submitted is full"
                )
            self.queues[task.key].append(task)
            self.change.notify_all()

    def _withdraw(self, task: Task) -> None:
        with self.change:
            # a thread may have taken it in this moment
            if task in self.queues.get(task.key, ()):
                self.queues[task.key].remove(task)

    def work(self) -> None:
        """Runs batches until the scheduler stops; the body of a thread."""
        while batch := self._next():
            self.execute(batch)

    def _next(self) -> list[Task]:
        """Returns the next batch, once there is one; an empty list when the scheduler stops."""
        with self.change:
            while not self.stopped:
                if batch := self.due():
                    return batch
                self.change.wait(self.pause())
        return []

    def pause(self) -> float | None:
        """Returns the seconds until the oldest request has waited long enough; None where nobody
        waits.
        """
        oldest = min((queue[0].since for queue in self.queues.values() if queue), default=None)
        if oldest is None:
            return None
        return max(oldest + self.parameters.timeout - time.monotonic(), 1e-4)

    def due(self) -> list[Task]:
        """Returns the requests of a full batch, or of one that has waited long enough; the oldest
        queue first.
        """
        now = time.monotonic()
        waiting = [key for key, queue in self.queues.items() if queue]
        for key in sorted(waiting, key=lambda key: self.queues[key][0].since):
            queue = self.queues[key]
            is_full = sum(task.rows for task in queue) >= self.parameters.execution
            if is_full or now >= queue[0].since + self.parameters.timeout:
                return self._taken(key)
        return []

    def _taken(self, key: Key) -> list[Task]:
        """Takes as many of a queue's requests as one batch holds, the oldest first, and returns
        them.
        """
        queue = self.queues[key]
        batch: list[Task] = []
        rows = 0
        # one at least: `run` cuts what is larger
        while queue and rows + queue[0].rows <= self.parameters.execution:
            rows += queue[0].rows
            batch.append(queue.popleft())
        if not queue:
            # versions come and go: their queues would pile up
            del self.queues[key]
        return batch

    def execute(self, batch: list[Task]) -> None:
        """Runs the requests whose deadline has not passed and whose client is there, and hands each
        its outcome.
        """
        now = time.monotonic()
        live = []
        for task in batch:
            if task.missed(now):
                task.fail(late())
            elif not task.awaited():
                task.fail(gone())
            else:
                live.append(task)
        self._observe(live, now)
        if live:
            self._answer(live)
        for task in batch:
            task.done.set()

    def _observe(self, live: list[Task], now: float) -> None:
        pool = self.parameters.thread_pool_name
        for task in live:
            self.metrics.observe(QUEUED, (now - task.since) * 1e6, thread_pool_name=pool)

    def _answer(self, live: list[Task]) -> None:
        """Answers requests together; where that fails, one by one: a broken request must not cost
        its neighbours.
        """
        try:
            self.together(live)
        except Exception as error:  # ended at the edge: each waiting request is told
            if len(live) == 1:
                live[0].fail(error)
                return
        else:
            return
        for task in live:
            self._answer([task])

    def together(self, tasks: list[Task]) -> None:
        """Runs all requests as one; every request gets its rows, as views."""
        fetches = sorted({name for task in tasks for name in task.fetches})
        size = self._size(sum(task.rows for task in tasks))
        feeds = {
            name: self.merged([task.feeds[name] for task in tasks], size) for name in tasks[0].feeds
        }
        ends = [task.deadline for task in tasks if task.deadline is not None]
        # as long as any of them still waits
        deadline = max(ends) if len(ends) == len(tasks) else None
        # here and not with the batch: one without living tasks is not run, a broken one repeated
        self.metrics.add(RUNS)
        values = dict(zip(fetches, tasks[0].version.fetch(feeds, fetches, deadline)))
        for name, value in values.items():
            if not value.ndim or len(value) != size:
                raise precondition(
                    f"Batched output tensor {name} has shape {list(value.shape)}; its 0th "
                    f"dimension must equal the batch's {size} rows"
                )
        start = 0
        for task in tasks:
            task.values = [values[name][start : start + task.rows] for name in task.fetches]
            start += task.rows

    def _size(self, rows: int) -> int:
        """Returns the smallest allowed batch that holds so many rows."""
        sizes = self.parameters.allowed_batch_sizes
        return next((size for size in sizes if size >= rows), rows)

    def merged(self, parts: list[Array], size: int) -> Array:
        """Returns [size, ...]: the parts one below another, filled up with copies of the first
        row.
        """
        if len({part.shape[1:] for part in parts}) > 1:
            same_rank = len({part.ndim for part in parts}) == 1
            if not self.parameters.pad_variable_length_inputs or not same_rank:
                raise precondition(
                    "Tensors with name in different tasks have different shapes and padding "
                    "is turned off"
                )
            widest = tuple(np.max([part.shape for part in parts], axis=0)[1:])
            parts = [widened(part, widest) for part in parts]
        missing = size - sum(len(part) for part in parts)
        if missing:
            # a real row, not zeros: whatever the model asks of its input holds
            parts = [*parts, np.repeat(parts[0][:1], missing, axis=0)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def stop(self) -> None:
        """Ends the threads, each after the batch that it runs; what waits, and what comes later,
        fails as UNAVAILABLE.
        """
        with self.change:
            self.stopped = True
            waiting = [task for queue in self.queues.values() for task in queue]
            self.queues.clear()
            self.change.notify_all()
        # told here: no thread is left to do it, and a request without a deadline waits for ever
        for task in waiting:
            task.fail(unavailable(STOPPED))
            task.done.set()


def rows_of(feeds: dict[str, Array]) -> int:
    """Returns the number of rows of a request: dimension 0 of all its inputs [rows, ...]. Raises
    INVALID_ARGUMENT.
    """
    if not feeds or any(value.ndim == 0 for value in feeds.values()):
        raise invalid("Batching session Run() input tensors must have at least one dimension")
    sizes = {len(value) for value in feeds.values()}
    if len(sizes) != 1 or 0 in sizes:
        raise invalid("Batching session Run() input tensors must have equal 0th-dimension size")
    return sizes.pop()


def widened(part: Array, shape: tuple[int, ...]) -> Array:
    """Returns [n, *shape]: short rows filled with the tensor's own first value."""
    wide: Array = np.full((len(part), *shape), part.flat[0], part.dtype)
    wide[tuple(slice(0, side) for side in part.shape)] = part
    return wide
