"""Batches: whose rows they hold, who leaves the queue, what they let go."""

import gc
import threading
import time
import weakref
from types import SimpleNamespace

import numpy as np
import pytest
from line_model import save_lines
from waiting import wait_for

from serving.errors import ServingError
from serving.server.batch_parameters import Parameters
from serving.server.batching import Scheduler, Task
from serving.server.catalog import Catalog
from serving.server.config_files import ModelConfig
from serving.server.loading import Loading
from serving.server.monitoring import RUNS


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "lines"
    save_lines(folder / "3", 3.0)
    return folder


def test_a_batch_gives_every_request_its_rows_and_a_late_one_leaves_the_queue(base):
    scheduler = Scheduler(
        Parameters(
            max_batch_size=4,
            batch_timeout_micros=50_000,
            num_batch_threads=1,
            allowed_batch_sizes=(2, 4),
        )
    )
    catalog, found = Catalog(loading=Loading(scheduler=scheduler)), {}
    catalog.reload([ModelConfig("a", base)])
    version = catalog.models["a"].current

    def ask(i: int) -> None:
        found[i] = version.run("", {"x": np.full((1, 2), i, "float32")})["y"].tolist()

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {i: [[3.0 * i, 3.0 * i]] for i in range(12)}
    with pytest.raises(ServingError, match="Task size 5 is larger than maximum input batch size 4"):
        version.run("", {"x": np.zeros((5, 2), "float32")})
    scheduler.stop()


def test_a_full_queue_is_unavailable(monkeypatch):
    monkeypatch.setattr(Scheduler, "work", lambda scheduler: None)  # nothing leaves the queue
    scheduler = Scheduler(
        Parameters(max_batch_size=2, max_enqueued_batches=1, batch_timeout_micros=10**7)
    )
    with pytest.raises(ServingError) as error:
        scheduler.run(None, {"x": np.zeros((2, 1))}, ["y"], time.monotonic())
    assert (
        error.value.code.name == "DEADLINE_EXCEEDED" and not scheduler.queues[id(None), ("x",)]
    ), "the late one has left"
    scheduler.queues[id(None), ("x",)].append(Task(None, {}, ["y"], 2, None))
    with pytest.raises(ServingError, match="queue .* is full") as error:
        scheduler.run(None, {"x": np.zeros((1, 1))}, ["y"])
    assert error.value.code.name == "UNAVAILABLE"


def test_what_waits_when_it_stops_or_comes_afterwards_is_told_so():
    running, let_go = threading.Event(), threading.Event()

    def fetch(feeds, fetches, deadline):
        running.set()
        assert let_go.wait(60)
        return [feeds["x"]]

    scheduler, version = Scheduler(Parameters(num_batch_threads=1)), SimpleNamespace(fetch=fetch)
    ends = {}

    def ask(name: str) -> None:
        try:
            ends[name] = scheduler.run(version, {name: np.ones((1, 1))}, ["y"])
        except ServingError as error:
            ends[name] = error.code.name

    names = ("x", "waits", "comes late")
    threads = {name: threading.Thread(target=ask, args=(name,), daemon=True) for name in names}
    threads["x"].start()
    assert running.wait(60)
    threads["waits"].start()
    wait_for(lambda: any(scheduler.queues.values()))
    scheduler.stop()
    threads["comes late"].start()
    for name in names[1:]:
        threads[name].join(20)
        assert ends.get(name) == "UNAVAILABLE"
    assert not scheduler.queues
    let_go.set()
    threads["x"].join(60)
    assert ends["x"][0].tolist() == [[1]], "what ran already is finished"


def test_every_run_of_the_graph_is_counted_and_nothing_else():
    def fetch(feeds, fetches, deadline):
        if (feeds["x"] < 0).any():
            raise ValueError("broken")
        return [feeds["x"]]

    scheduler, version = Scheduler(Parameters()), SimpleNamespace(fetch=fetch)

    def runs(*values: float, deadline: float | None = None) -> int | None:
        before = scheduler.metrics.count(RUNS)
        batch = [Task(version, {"x": np.full((1, 1), x)}, ["y"], 1, deadline) for x in values]
        scheduler.execute(batch)
        return scheduler.metrics.count(RUNS) - before

    assert runs(1, 2) == 1
    assert runs(1, -2) == 3, "together, and each alone"
    assert runs(1, 2, deadline=time.monotonic()) == 0, "nobody was there to run it for"
    scheduler.stop()


def test_a_batch_has_no_place_for_those_whose_clients_left():
    ran, scheduler = [], Scheduler(Parameters())
    version = SimpleNamespace(
        fetch=lambda feeds, fetches, deadline: ran.append(feeds["x"].tolist()) or [feeds["x"]]
    )
    here, away = (
        Task(version, {"x": np.full((1, 1), i)}, ["y"], 1, None, awaited)
        for i, awaited in enumerate((lambda: True, lambda: False))
    )
    scheduler.execute([away, here])
    assert (
        ran == [[[0]]]
        and here.values[0].tolist() == [[0]]
        and here.done.is_set()
        and away.done.is_set()
    )
    assert away.failure.code.name == "CANCELLED" and here.failure is None
    scheduler.stop()


@pytest.fixture
def no_collection():
    gc.disable()
    yield
    gc.enable()


def test_a_batch_that_fails_lets_its_tensors_go_at_once(no_collection):
    def fail(feeds, fetches, deadline):
        raise ValueError("broken")

    scheduler = Scheduler(Parameters(num_batch_threads=1))
    value = np.ones((1, 1000), "float32")
    reference = weakref.ref(value)
    with pytest.raises(ServingError, match="broken"):
        scheduler.run(SimpleNamespace(fetch=fail), {"x": value}, ["y"])
    del value
    scheduler.stop()
    wait_for(lambda: reference() is None)  # its thread lets go of the batch when it looks for more
