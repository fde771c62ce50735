"""SIGTERM while a request runs: it is answered, new ones are turned away with the right status, the process ends with 0."""

import http.client
import os
import signal
import sys
import threading
import time

import grpc
import numpy as np
import pytest
from gated_model import save_gated

from serving.client import Client
from serving.errors import ServingError
from serving.gate import Gate
from serving.process import ServerProcess


@pytest.fixture
def server(tmp_path):
    (tmp_path / "gated").mkdir()
    save_gated(tmp_path / "gated" / "1", 2.0)
    flags = [f"--model_base_path={tmp_path}/gated", "--model_name=gated", "--port=0", "--rest_api_port=0", "--enable_grpc_healthcheck_service"]
    with ServerProcess([sys.executable, "-m", "serving", "serve", *flags]) as made:
        yield made


def held(pipe, server, said: list) -> threading.Thread:
    """a request that the server has begun and that waits for somebody to write into `pipe`."""

    def ask() -> None:
        with Client(server.address, "gated", attempts=1) as client:
            said.append(client.predict("gate", {"path": np.array(str(pipe), object)})["text"])

    thread = threading.Thread(target=ask)
    thread.start()
    return thread


def opened(pipe) -> int:
    """the writing end, once the server reads. Raises TimeoutError."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:  # nobody reads yet
            time.sleep(0.02)
    raise TimeoutError("the server never opened the pipe")


def refused(server) -> str:
    with Client(server.address, "gated", attempts=1, deadline=5) as client, pytest.raises(grpc.RpcError) as error:
        client.predict("", {"x": np.ones((1, 2), "float32")})
    return error.value.code().name


def test_a_running_request_is_answered_after_sigterm_and_new_ones_are_unavailable(server, tmp_path):
    pipe, said = tmp_path / "pipe", []
    os.mkfifo(pipe)
    check = grpc.insecure_channel(server.address).unary_unary("/grpc.health.v1.Health/Check")
    assert check(b"", timeout=5) == b"\x08\x01"
    asking = held(pipe, server, said)
    # the server waits in open(2), which nothing outside can see: time enough to get there
    time.sleep(1.5)
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert check(b"", timeout=5) == b"\x08\x02", "NOT_SERVING while it drains"
    assert refused(server) == "UNAVAILABLE"
    connection = http.client.HTTPConnection(server.rest(), timeout=5)
    connection.request("POST", "/v1/models/gated:predict", b'{"inputs": [[1, 1]]}')
    assert connection.getresponse().status == 503
    assert server.process.poll() is None and not said, "the running request is waited for"
    os.close(opened(pipe))  # lets the request go on: open(2) of a pipe waits for the other end
    asking.join(10)
    assert said == [b""] and server.process.wait(10) == 0


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
