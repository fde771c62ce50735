"""Keeps counters and latencies under TensorFlow Serving's names, in Prometheus' text form."""

from __future__ import annotations

import bisect
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from serving.errors import ServingError

PATH = "/monitoring/prometheus/metrics"
BOUNDS = [10 * 1.8**i for i in range(33)]  # microseconds
COUNT = ":tensorflow:serving:request_count"
LATENCY = ":tensorflow:serving:request_latency"
RUNTIME = ":tensorflow:serving:runtime_latency"
QUEUED = ":tensorflow:serving:batching_session:queuing_latency"
RUNS = ":tensorflow:serving:batching_session:wrapped_run_count"
# name -> (kind, what it says); the page has every family before its first observation
FAMILIES = {
    COUNT: ("counter", "Requests by model and status."),
    RUNS: ("counter", "Batches that were run."),
    LATENCY: ("histogram", "Microseconds of a request that succeeded, its waiting included."),
    RUNTIME: ("histogram", "Microseconds that the graph took, batching included."),
    QUEUED: ("histogram", "Microseconds that a request waited for its batch."),
}
COUNTERS = [name for name, (kind, _) in FAMILIES.items() if kind == "counter"]
Labels = tuple[tuple[str, str], ...]
Series = tuple[str, Labels]


class Histogram:
    """Observations by bucket, and their sum."""

    def __init__(self) -> None:
        self.cells = [0] * (len(BOUNDS) + 1)
        self.total = 0.0

    def observe(self, micros: float) -> None:
        self.cells[bisect.bisect_left(BOUNDS, micros)] += 1
        self.total += micros

    def lines(self, name: str, labels: Labels) -> list[str]:
        """Returns the lines of the page for a histogram; buckets are cumulative."""
        lines = []
        count = 0
        # cells are kept apart and added up here: one observation changes one number
        for bound, cell in zip([*(f"{bound:g}" for bound in BOUNDS), "+Inf"], self.cells):
            count += cell
            lines.append(f"{name}_bucket{braces((*labels, ('le', bound)))} {count}")
        lines.append(f"{name}_sum{braces(labels)} {self.total:g}")
        lines.append(f"{name}_count{braces(labels)} {count}")
        return lines


class Metrics:
    """Series by (name, labels); any thread may write. A model that does not exist makes no series;
    otherwise strangers could fill the memory.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.counts: dict[Series, int] = defaultdict(int)
        self.histograms: dict[Series, Histogram] = {}

    def add(self, name: str, number: int = 1, **labels: str) -> None:
        """Adds to the counter."""
        with self.lock:
            # labels in the order they are given: callers spell them alike
            self.counts[name, tuple(labels.items())] += number

    def observe(self, name: str, micros: float, **labels: str) -> None:
        """Puts a duration into its histogram."""
        with self.lock:
            self.histograms.setdefault((name, tuple(labels.items())), Histogram()).observe(micros)

    def count(self, name: str) -> int | None:
        """Returns a counter summed over its labels, 0 before its first request. name: spelled as on
        the page or as TensorFlow Serving spells it inside (/tensorflow/serving/request_count). None
        for what is no counter here.
        """
        # both spellings differ in this letter alone
        name = name.replace("/", ":")
        if name not in COUNTERS:
            return None
        with self.lock:
            return sum(number for (key, _), number in self.counts.items() if key == name)

    @contextmanager
    def request(
        self, serves: Callable[[str], bool], model: str, api: str | None, entrypoint: str
    ) -> Iterator[None]:
        """As a context, counts a request by its status, and times it if it succeeds and is of an
        `api`. serves: whether a model of that name is served, asked at the end.
        """
        since = time.perf_counter()
        status = "OK"
        try:
            yield
        except ServingError as error:
            status = error.code.name
            raise
        # also what ends a thread: the request did not succeed
        except BaseException:
            status = "UNKNOWN"
            raise
        finally:
            # at the end: a reload may have taken the model meanwhile
            if serves(model):
                self.add(COUNT, model_name=model, status=status)
            # only successes are timed, as in the original
            if api and serves(model) and status == "OK":
                micros = (time.perf_counter() - since) * 1e6
                # TensorFlow Serving spells the API of REST in lower case.
                label = api.lower() if entrypoint == "REST" else api
                self.observe(LATENCY, micros, model_name=model, API=label, entrypoint=entrypoint)

    @contextmanager
    def runtime(self, model: str, api: str) -> Iterator[None]:
        """As a context, times what the graph takes."""
        since = time.perf_counter()
        yield
        micros = (time.perf_counter() - since) * 1e6
        # the original's name of the runtime behind a SavedModel
        self.observe(RUNTIME, micros, model_name=model, API=api, runtime="TF1")

    def text(self) -> str:
        """Returns the page that Prometheus reads."""
        # one lock for the page: numbers of one moment
        with self.lock:
            lines = [line for name in FAMILIES for line in self._family(name)]
        return "\n".join(lines) + "\n"

    def _family(self, name: str) -> list[str]:
        kind, words = FAMILIES[name]
        lines = [f"# HELP {name} {words}", f"# TYPE {name} {kind}"]
        for (key, labels), number in sorted(self.counts.items()):
            if key == name:
                lines.append(f"{name}{braces(labels)} {number}")
        for (key, labels), histogram in sorted(self.histograms.items(), key=lambda one: one[0]):
            if key == name:
                lines += histogram.lines(name, labels)
        return lines


def braces(labels: Labels) -> str:
    """Returns the labels as the page spells them, in braces; "" for none."""
    if not labels:
        return ""
    return "{" + ",".join(f'{key}="{escaped(value)}"' for key, value in labels) + "}"


def escaped(text: str) -> str:
    # the back-slash first, else the others' would be doubled
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
