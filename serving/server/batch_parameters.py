"""Reads how requests are batched from a `--batching_parameters_file`."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from serving.server.config_files import message, read


def cores() -> int:
    """Returns the number of cores that this process may run on, as TensorFlow Serving counts: a
    container's, not the machine's (`os.cpu_count`).
    """
    return len(os.sched_getaffinity(0))


@dataclass(frozen=True)
class Parameters:
    """Parameters of batching, with TensorFlow Serving's names and defaults; timeout in
    microseconds.
    """

    max_batch_size: int = 1000
    batch_timeout_micros: int = 0
    max_enqueued_batches: int = 10
    num_batch_threads: int = field(default_factory=cores)
    allowed_batch_sizes: tuple[int, ...] = ()
    pad_variable_length_inputs: bool = False
    enable_large_batch_splitting: bool = False
    max_execution_batch_size: int = 0
    thread_pool_name: str = "batch_threads"

    def __post_init__(self) -> None:
        least = min(self.max_batch_size, self.max_enqueued_batches, self.num_batch_threads)
        if least < 1 or self.batch_timeout_micros < 0:
            raise ValueError(f"batching parameters are positive, got {self}")
        sizes = self.allowed_batch_sizes
        if not sizes:
            return
        rises = list(sizes) == sorted(set(sizes))
        if not rises or sizes[-1] != self.execution:
            raise ValueError(
                f"allowed_batch_sizes must rise and end at the maximum of {self.execution}, "
                f"got {list(sizes)}"
            )

    @property
    def execution(self) -> int:
        """Rows of the largest batch that is run."""
        if self.enable_large_batch_splitting and self.max_execution_batch_size:
            return self.max_execution_batch_size
        return self.max_batch_size

    @property
    def most_waiting(self) -> int:
        """Largest number of rows that may wait in a queue."""
        return self.max_enqueued_batches * self.execution

    @property
    def timeout(self) -> float:
        """Seconds that the oldest request waits for others."""
        return self.batch_timeout_micros / 1e6


def read_parameters(path: str | Path) -> Parameters:
    """Returns the parameters of a `--batching_parameters_file`. Raises ValueError."""
    text = read(path, message("BatchingParameters")())
    values: dict[str, Any] = {}
    for entry, value in text.ListFields():
        is_list = entry.name == "allowed_batch_sizes"
        values[entry.name] = tuple(value) if is_list else getattr(value, "value", value)
    return Parameters(**values)
