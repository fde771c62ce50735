"""A new version every second under load, over both doors: no request fails, and every version was
seen to answer.
"""

import http.client
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import grpc
import numpy as np
import pytest
from working_model import save_working

from serving.client.client import Client
from serving.release.process import ServerProcess
from serving.release.push import push, versions

SWAPS = 8
# Between two requests of one client, seconds: four that never rest only take both cores from the
# server, whose answers are the test.
PAUSE = 0.004


@pytest.fixture(scope="module")
def candidates(tmp_path_factory):
    """factor -> a model to push."""
    folder = tmp_path_factory.mktemp("candidates")
    return {factor: save_working(folder / str(factor), float(factor)) for factor in (2, 3)}


@pytest.fixture
def server(candidates, tmp_path):
    base = tmp_path / "working"
    push(candidates[2], base)
    flags = [
        f"--model_base_path={base}",
        "--model_name=working",
        "--port=0",
        "--rest_api_port=0",
        "--file_system_poll_wait_seconds=0.1",
    ]
    with ServerProcess([sys.executable, "-m", "serving", "serve", *flags]) as made:
        yield made, base


def ask_grpc(address: str, stop: threading.Event, said: list) -> None:
    with Client(address, "working", deadline=60, attempts=1) as client:
        while not stop.wait(PAUSE):
            try:
                said.append(
                    float(client.predict("", {"x": np.ones((1, 2), "float32")}, ["y0"])["y0"][0, 0])
                )
            except grpc.RpcError as error:
                said.append(f"{error.code().name}: {error.details()}")


def ask_rest(address: str, stop: threading.Event, said: list) -> None:
    connection = http.client.HTTPConnection(*address.split(":"), timeout=60)
    while not stop.wait(PAUSE):
        try:
            connection.request("POST", "/v1/models/working:predict", b'{"inputs": [[1, 1]]}')
            text = connection.getresponse().read().decode()
            said.append(json.loads(text)["outputs"]["y0"][0][0])
        except (OSError, http.client.HTTPException, KeyError) as error:
            said.append(repr(error))
    connection.close()


def test_a_swap_every_second_fails_no_request(server, candidates):
    made, base = server
    stop, answers = threading.Event(), [[] for _ in range(4)]
    ways = [
        (ask_grpc, made.address),
        (ask_grpc, made.address),
        (ask_rest, made.rest()),
        (ask_rest, made.rest()),
    ]
    threads = [
        threading.Thread(target=way, args=(address, stop, said))
        for (way, address), said in zip(ways, answers)
    ]
    for thread in threads:
        thread.start()
    while not all(answers) and all(thread.is_alive() for thread in threads):
        time.sleep(0.01)
    for i in range(SWAPS):
        time.sleep(1)
        push(candidates[3 if i % 2 == 0 else 2], base)
        until = time.monotonic() + 60
        while (
            any(said[-1:] != [3.0 if i % 2 == 0 else 2.0] for said in answers)
            and time.monotonic() < until
        ):
            time.sleep(0.01)  # a loaded machine may take longer than a second to load a version
    stop.set()
    for thread in threads:
        thread.join()
    for said in answers:
        assert not [one for one in said if one not in (2.0, 3.0)]
        swaps = sum(before != after for before, after in zip(said, said[1:]))
        assert swaps == SWAPS, "each version answered everybody, and none came back after its end"
    with Client(made.address, "working") as client:
        client.signatures()
    assert len(versions(base)) == SWAPS + 1


def test_a_folder_that_grows_in_place_is_not_served_before_its_graph_is_there(server, candidates):
    """copied file by file instead of renamed, and broken ones in between: the old version goes on,
    the whole one takes over.
    """
    made, base = server
    next_one = base / str(versions(base)[-1] + 1)
    (next_one / "variables").mkdir(parents=True)
    with Client(made.address, "working", attempts=1) as client:

        def ask():
            return client.predict("", {"x": np.ones((1, 2), "float32")}, ["y0"])["y0"][0, 0]

        time.sleep(0.5)
        assert ask() == 2
        (base / str(versions(base)[-1] + 1)).mkdir()
        (base / str(versions(base)[-1]) / "saved_model.pb").write_bytes(
            (candidates[3] / "saved_model.pb").read_bytes()[:500]
        )
        time.sleep(0.5)
        assert ask() == 2
        push(candidates[3], base)
        until = time.monotonic() + 60
        while ask() != 3 and time.monotonic() < until:
            time.sleep(0.1)
        assert ask() == 3


def test_a_version_that_was_swapped_out_is_freed(candidates, tmp_path):
    """its graph is full of cycles: a collection must find it, although what a server keeps is
    hidden from collections. In a process that is a server and nothing else: what other tests keep,
    or hid when they began, is not of its graphs.
    """
    places = [
        str(Path(__file__).parents[1] / "fixtures" / "sessions"),
        str(tmp_path / "base"),
        *(str(candidates[factor]) for factor in (2, 3, 2)),
    ]
    process = subprocess.run(
        [sys.executable, "-c", FREED, *places],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr[-2000:]


FREED = """
import sys, weakref
from pathlib import Path
sys.path[:0] = [".", sys.argv[1]]
from serving.release.push import push
from serving.server.models import Model
from waiting import wait_for

base, graphs = Path(sys.argv[2]), []
model = Model("working", base)
for candidate in sys.argv[3:]:
    push(Path(candidate), base)
    model.poll()
    graphs.append(weakref.ref(model.current.session.graph))
wait_for(lambda: graphs[0]() is None and graphs[1]() is None)
assert graphs[2]() is model.current.session.graph
model.remove()
wait_for(lambda: graphs[2]() is None)
"""
