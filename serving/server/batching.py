"""Server-side batching: requests that wait together run together, once, and each gets its own rows.

One queue for every (version, set of fed tensors); a batch fetches the union of what its requests
want, so that requests for different task heads share one pass of the encoder (TensorFlow Serving
would run them apart). A batch that fails is run again request by request: one broken picture must
not cost its neighbours their answers. A request whose deadline passes while it waits leaves the
queue; one whose client has left is not run.
"""

from __future__ import annotations

import os
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from serving.errors import (
    ServingError,
    from_tensorflow,
    gone,
    invalid,
    late,
    precondition,
    unavailable,
)
from serving.server.monitoring import QUEUED, RUNS


@dataclass(frozen=True)
class Parameters:
    """TensorFlow Serving's names and defaults; timeout in microseconds."""

    max_batch_size: int = 1000
    batch_timeout_micros: int = 0
    max_enqueued_batches: int = 10
    num_batch_threads: int = os.cpu_count() or 1
    allowed_batch_sizes: tuple[int, ...] = ()
    pad_variable_length_inputs: bool = False
    enable_large_batch_splitting: bool = False
    max_execution_batch_size: int = 0
    thread_pool_name: str = "batch_threads"

    def __post_init__(self) -> None:
        if (
            min(self.max_batch_size, self.max_enqueued_batches, self.num_batch_threads) < 1
            or self.batch_timeout_micros < 0
        ):
            raise ValueError(f"batching parameters are positive, got {self}")
        sizes = self.allowed_batch_sizes
        if sizes and (list(sizes) != sorted(set(sizes)) or sizes[-1] != self.execution):
            raise ValueError(
                f"allowed_batch_sizes must rise and end at the maximum of {self.execution}, "
                f"got {list(sizes)}"
            )

    @property
    def execution(self) -> int:
        """rows of the largest batch that is run."""
        return (
            self.max_execution_batch_size or self.max_batch_size
            if self.enable_large_batch_splitting
            else self.max_batch_size
        )


def read_parameters(path: str | Path) -> Parameters:
    """of a `--batching_parameters_file`. Raises ValueError."""
    from serving.server.config_files import message, read

    made, given = read(path, message("BatchingParameters")()), {}
    for entry, value in made.ListFields():
        given[entry.name] = (
            tuple(value) if entry.name == "allowed_batch_sizes" else getattr(value, "value", value)
        )
    return Parameters(**given)


@dataclass(eq=False)
class Task:
    """A request that waits. awaited(): is its client still there? done: set when values or error
    are there.
    """

    version: object
    feeds: dict[str, np.ndarray]
    fetches: list[str]
    rows: int
    deadline: float | None
    awaited: Callable[[], bool] = lambda: True
    since: float = field(default_factory=time.monotonic)
    done: threading.Event = field(default_factory=threading.Event)
    values: list | None = None
    error: Exception | None = None


class Scheduler:
    """Threads that take batches from the queues of all versions. `run` has the form of
    `Version.fetch`.
    """

    def __init__(self, parameters: Parameters, metrics=None) -> None:
        self.parameters, self.metrics = parameters, metrics
        self.queues: dict[tuple, deque[Task]] = defaultdict(deque)
        self.change, self.stopped = threading.Condition(), False
        for _ in range(parameters.num_batch_threads):
            threading.Thread(target=self.work, daemon=True).start()

    def run(
        self,
        version,
        feeds: dict[str, np.ndarray],
        fetches: list[str],
        deadline: float | None = None,
        awaited=lambda: True,
    ) -> list[np.ndarray]:
        """wait for a batch, run, return the rows of this request, for which a batch has no place
        once it is not `awaited()` any more.

        Raises INVALID_ARGUMENT, UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED, FAILED_PRECONDITION.
        """
        rows = rows_of(feeds)
        if rows > self.parameters.max_batch_size:
            raise invalid(
                f"Task size {rows} is larger than maximum input batch size "
                f"{self.parameters.max_batch_size}"
            )
        if rows > self.parameters.execution:  # large batch splitting
            step = self.parameters.execution
            cuts = [
                {key: value[i : i + step] for key, value in feeds.items()}
                for i in range(0, rows, step)
            ]
            parts = [self.run(version, cut, fetches, deadline, awaited) for cut in cuts]
            return [np.concatenate(pieces) for pieces in zip(*parts)]
        task, key = (
            Task(version, feeds, fetches, rows, deadline, awaited),
            (id(version), tuple(sorted(feeds))),
        )
        with self.change:
            waiting = sum(other.rows for other in self.queues[key]) + rows
            if waiting > self.parameters.max_enqueued_batches * self.parameters.execution:
                raise unavailable(
                    "The batch scheduling queue to which this task was submitted is full"
                )
            self.queues[key].append(task)
            self.change.notify_all()
        if not task.done.wait(None if deadline is None else max(deadline - time.monotonic(), 0)):
            with self.change:
                if task in self.queues.get(key, ()):
                    self.queues[key].remove(task)
            raise late()
        if task.error:
            raise task.error
        return task.values

    def work(self) -> None:
        while True:
            with self.change:
                while not self.stopped and not (batch := self.due()):
                    self.change.wait(self.pause())
                if self.stopped:
                    return
            self.execute(batch)

    def pause(self) -> float | None:
        """seconds until the oldest request has waited long enough."""
        oldest = min((queue[0].since for queue in self.queues.values() if queue), default=None)
        return (
            None
            if oldest is None
            else max(oldest + self.parameters.batch_timeout_micros / 1e6 - time.monotonic(), 1e-4)
        )

    def due(self) -> list[Task]:
        """the requests of a full batch, or of one that has waited long enough; the oldest queue
        first.
        """
        now, most = time.monotonic(), self.parameters.execution
        for key in sorted(
            (key for key, queue in self.queues.items() if queue),
            key=lambda key: self.queues[key][0].since,
        ):
            queue = self.queues[key]
            if (
                sum(task.rows for task in queue) >= most
                or now >= queue[0].since + self.parameters.batch_timeout_micros / 1e6
            ):
                taken, rows = [], 0
                while queue and rows + queue[0].rows <= most:
                    taken.append(queue.popleft())
                    rows += taken[-1].rows
                if not queue:
                    del self.queues[key]
                return taken
        return []

    def execute(self, batch: list[Task]) -> None:
        now = time.monotonic()
        live = [
            task
            for task in batch
            if (task.deadline is None or task.deadline > now) and task.awaited()
        ]
        if self.metrics:
            for task in live:
                self.metrics.observe(
                    QUEUED,
                    (now - task.since) * 1e6,
                    thread_pool_name=self.parameters.thread_pool_name,
                )
            self.metrics.add(RUNS)
        try:
            if live:
                self.together(live)
        except Exception as error:  # ended at the edge: each waiting request is told
            if len(live) == 1:
                live[0].error = error if isinstance(error, ServingError) else from_tensorflow(error)
            else:
                for task in live:
                    self.alone(task)
        for task in set(batch) - set(live):
            task.error = late() if task.deadline is not None and task.deadline <= now else gone()
        for task in batch:
            task.done.set()

    def alone(self, task: Task) -> None:
        try:
            self.together([task])
        except Exception as error:
            task.error = error if isinstance(error, ServingError) else from_tensorflow(error)

    def together(self, tasks: list[Task]) -> None:
        """one run for all; every task gets its rows, as views."""
        fetches = sorted({name for task in tasks for name in task.fetches})
        rows = sum(task.rows for task in tasks)
        size = next((size for size in self.parameters.allowed_batch_sizes if size >= rows), rows)
        feeds = {
            name: self.merged([task.feeds[name] for task in tasks], size) for name in tasks[0].feeds
        }
        ends = [task.deadline for task in tasks]
        values = dict(
            zip(
                fetches, tasks[0].version.fetch(feeds, fetches, None if None in ends else max(ends))
            )
        )
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

    def merged(self, parts: list[np.ndarray], size: int) -> np.ndarray:
        """[size, ...]: the parts one below another, filled up with copies of the first row."""
        if len({part.shape[1:] for part in parts}) > 1:
            if (
                not self.parameters.pad_variable_length_inputs
                or len({part.ndim for part in parts}) > 1
            ):
                raise precondition(
                    "Tensors with name in different tasks have different shapes and padding "
                    "is turned off"
                )
            widest = np.max([part.shape for part in parts], axis=0)[1:]
            parts = [widened(part, widest) for part in parts]
        missing = size - sum(len(part) for part in parts)
        if missing:
            parts = [*parts, np.repeat(parts[0][:1], missing, axis=0)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def stop(self) -> None:
        with self.change:
            self.stopped = True
            self.change.notify_all()


def rows_of(feeds: dict[str, np.ndarray]) -> int:
    """dim 0 of all inputs. Raises INVALID_ARGUMENT."""
    if not feeds or any(value.ndim == 0 for value in feeds.values()):
        raise invalid("Batching session Run() input tensors must have at least one dimension")
    sizes = {len(value) for value in feeds.values()}
    if len(sizes) != 1 or 0 in sizes:
        raise invalid("Batching session Run() input tensors must have equal 0th-dimension size")
    return sizes.pop()


def widened(part: np.ndarray, shape) -> np.ndarray:
    """short rows filled with the tensor's own first value."""
    made = np.full((len(part), *shape), part.flat[0], part.dtype)
    made[tuple(slice(0, side) for side in part.shape)] = part
    return made
