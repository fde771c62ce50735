"""SIGTERM while a request runs: it is answered, new ones are turned away with the right status, the process ends with 0."""

import http.client
import signal
import sys
import threading
import time

import grpc
import numpy as np
import pytest
from working_model import save_working

from serving.client import Client
from serving.errors import ServingError
from serving.gate import Gate
from serving.process import ServerProcess


@pytest.fixture
def server(tmp_path):
    (tmp_path / "working").mkdir()
    save_working(tmp_path / "working" / "1", 2.0)
    flags = [f"--model_base_path={tmp_path}/working", "--model_name=working", "--port=0", "--rest_api_port=0", "--enable_grpc_healthcheck_service"]
    with ServerProcess([sys.executable, "-m", "serving", "serve", *flags]) as made:
        yield made


def ask_work(server, loops: int, said: list) -> None:
    """`said` gets what came back: the loops that were made, or the error."""
    with Client(server.address, "working", attempts=1) as client:
        try:
            said.append(client.predict("work", {"loops": np.array([loops], "int32")})["done"].tolist())
        except grpc.RpcError as error:
            said.append(error)


def loops_of(server, seconds: float) -> int:
    """how much work takes about so long here."""
    ask_work(server, 1, [])
    since = time.monotonic()
    ask_work(server, 200, [])
    return int(200 * seconds / (time.monotonic() - since))


def refused(server) -> str:
    with Client(server.address, "working", attempts=1, deadline=5) as client, pytest.raises(grpc.RpcError) as error:
        client.predict("", {"x": np.ones((1, 2), "float32")})
    return error.value.code().name


def test_a_running_request_is_answered_after_sigterm_and_new_ones_are_unavailable(server):
    check = grpc.insecure_channel(server.address).unary_unary("/grpc.health.v1.Health/Check")
    assert check(b"", timeout=5) == b"\x08\x01"
    loops, said = loops_of(server, 4), []
    asking = threading.Thread(target=ask_work, args=(server, loops, said))
    asking.start()
    time.sleep(0.5)
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert check(b"", timeout=5) == b"\x08\x02", "NOT_SERVING while it drains"
    assert refused(server) == "UNAVAILABLE"
    connection = http.client.HTTPConnection(server.rest(), timeout=5)
    connection.request("POST", "/v1/models/working:predict", b'{"inputs": [[1, 1]]}')
    assert connection.getresponse().status == 503
    assert server.process.poll() is None and not said, "the running request is waited for"
    asking.join(30)
    assert said == [[loops]] and server.process.wait(10) == 0


def test_a_request_that_outlasts_the_grace_does_not_hold_the_process(tmp_path):
    gate, leave = Gate(), threading.Event()

    def stay() -> None:
        with gate.passed():
            leave.wait(10)

    thread = threading.Thread(target=stay)
    thread.start()
    while not gate.inside:
        time.sleep(0.01)
    assert not gate.close(0.2) and gate.is_set()
    with pytest.raises(ServingError, match="shutting down"), gate.passed():
        pass
    leave.set()
    thread.join()
    assert gate.close(0.2) and gate.inside == 0
