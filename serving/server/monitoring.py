"""Counters and latencies under TensorFlow Serving's names, in Prometheus' text form."""

from __future__ import annotations

import bisect
import threading
import time
from collections import defaultdict
from contextlib import contextmanager

from serving.errors import ServingError

PATH = "/monitoring/prometheus/metrics"
BOUNDS = [10 * 1.8**i for i in range(33)]  # microseconds
COUNT, LATENCY, RUNTIME = (
    ":tensorflow:serving:request_count",
    ":tensorflow:serving:request_latency",
    ":tensorflow:serving:runtime_latency",
)
QUEUED, EXAMPLES = (
    ":tensorflow:serving:batching_session:queuing_latency",
    ":tensorflow:serving:request_example_count_total",
)
RUNS = ":tensorflow:serving:batching_session:wrapped_run_count"


class Metrics:
    """Series by (name, labels); any thread may write. A model that does not exist makes no series,
    else strangers could fill the memory.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.counts: dict[tuple, int] = defaultdict(int)
        self.histograms: dict[tuple, list] = {}

    def add(self, name: str, number: int = 1, **labels) -> None:
        with self.lock:
            self.counts[name, tuple(labels.items())] += number

    def observe(self, name: str, micros: float, **labels) -> None:
        with self.lock:
            cells = self.histograms.setdefault(
                (name, tuple(labels.items())), [[0] * (len(BOUNDS) + 1), 0.0]
            )
            cells[0][bisect.bisect_left(BOUNDS, micros)] += 1
            cells[1] += micros

    def count(self, name: str) -> int | None:
        """a counter summed over its labels, 0 before its first request; `name` as the page or as
        TensorFlow Serving spells it inside (/tensorflow/serving/request_count). None for what is no
        counter of ours.
        """
        name = name.replace("/", ":")
        with self.lock:
            found = sum(number for (key, _), number in self.counts.items() if key == name)
        return found if found or name in (COUNT, RUNS) else None

    @contextmanager
    def request(self, known, model: str, api: str, entrypoint: str):
        """counts a request by its status, and times it if it succeeds. known: whether a model of
        that name is served, asked at the end.
        """
        since, status = time.perf_counter(), "OK"
        try:
            yield
        except ServingError as error:
            status = error.code.name
            raise
        except BaseException:
            status = "UNKNOWN"
            raise
        finally:
            if known(model):
                self.add(COUNT, model_name=model, status=status)
                if status == "OK":
                    self.observe(
                        LATENCY,
                        (time.perf_counter() - since) * 1e6,
                        model_name=model,
                        API=api,
                        entrypoint=entrypoint,
                    )

    @contextmanager
    def runtime(self, model: str, api: str):
        since = time.perf_counter()
        yield
        self.observe(
            RUNTIME, (time.perf_counter() - since) * 1e6, model_name=model, API=api, runtime="TF1"
        )

    def text(self) -> str:
        """the page that Prometheus reads; buckets are cumulative."""
        with self.lock:
            counts = sorted(self.counts.items())
            histograms = sorted(
                (key, (list(cells), total)) for key, (cells, total) in self.histograms.items()
            )
        lines, named = [], set()
        for (name, labels), number in counts:
            lines += [f"# TYPE {name} counter"] * (name not in named) + [
                f"{name}{braces(labels)} {number}"
            ]
            named.add(name)
        for (name, labels), (cells, total) in histograms:
            lines += [f"# TYPE {name} histogram"] * (name not in named)
            named.add(name)
            running = 0
            for bound, cell in zip([*(f"{bound:g}" for bound in BOUNDS), "+Inf"], cells):
                running += cell
                lines.append(f"{name}_bucket{braces((*labels, ('le', bound)))} {running}")
            lines += [
                f"{name}_sum{braces(labels)} {total:g}",
                f"{name}_count{braces(labels)} {running}",
            ]
        return "\n".join(lines) + "\n"


def braces(labels) -> str:
    escaped = lambda value: (
        str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    )
    return (
        "{" + ",".join(f'{key}="{escaped(value)}"' for key, value in labels) + "}" if labels else ""
    )
