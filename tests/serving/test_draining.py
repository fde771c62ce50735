"""SIGTERM while a request runs: it is answered, new ones are turned away with the right status, the
process ends with 0.
"""

import http.client
import signal
import sys
import threading
from pathlib import Path

import grpc
import numpy as np
import pytest
from waiting import wait_for
from working_model import save_working

from serving.client.client import Client
from serving.errors import ServingError
from serving.release.process import ServerProcess
from serving.server.admission import Gate


@pytest.fixture
def server(tmp_path):
    (tmp_path / "working").mkdir()
    save_working(tmp_path / "working" / "1", 2.0)
    flags = [
        f"--model_base_path={tmp_path}/working",
        "--model_name=working",
        "--port=0",
        "--rest_api_port=0",
        "--enable_grpc_healthcheck_service",
    ]
    with ServerProcess([sys.executable, "-m", "serving", "serve", *flags]) as made:
        yield made


def ask_to_hold(server, folder: Path, said: list) -> None:
    """`said` gets what came back once FOLDER/go was there: how often it was looked for, or the
    error.
    """
    with Client(server.address, "working", attempts=1, deadline=120) as client:
        try:
            said.append(
                client.predict("hold", {"folder": np.array([str(folder)], object)})[
                    "looks"
                ].tolist()
            )
        except grpc.RpcError as error:
            said.append(error)


def refused(server) -> str:
    with (
        Client(server.address, "working", attempts=1, deadline=30) as client,
        pytest.raises(grpc.RpcError) as error,
    ):
        client.predict("", {"x": np.ones((1, 2), "float32")})
    return error.value.code().name


def test_a_running_request_is_answered_after_sigterm_and_new_ones_are_unavailable(server, tmp_path):
    """the running request is held by a file, so that no clock decides what is seen; the server
    itself waits for 10 s.
    """
    check = grpc.insecure_channel(server.address).unary_unary("/grpc.health.v1.Health/Check")
    assert check(b"", timeout=30) == b"\x08\x01"
    rest, said = server.rest(), []
    asking = threading.Thread(target=ask_to_hold, args=(server, tmp_path, said))
    asking.start()
    wait_for((tmp_path / "begun").exists)
    server.process.send_signal(signal.SIGTERM)
    wait_for(lambda: check(b"", timeout=30) == b"\x08\x02")  # NOT_SERVING while it drains
    assert refused(server) == "UNAVAILABLE"
    connection = http.client.HTTPConnection(rest, timeout=30)
    connection.request("POST", "/v1/models/working:predict", b'{"inputs": [[1, 1]]}')
    assert connection.getresponse().status == 503
    assert server.process.poll() is None and not said, "the running request is waited for"
    (tmp_path / "go").touch()
    asking.join(60)
    assert isinstance(said[0], list) and said[0][0] > 0 and server.process.wait(60) == 0


def test_a_request_that_outlasts_the_grace_does_not_hold_the_process(tmp_path):
    gate, leave = Gate(), threading.Event()

    def stay() -> None:
        with gate.passed():
            leave.wait(60)

    thread = threading.Thread(target=stay)
    thread.start()
    wait_for(lambda: gate.inside)
    assert not gate.close(0.2) and gate.closed
    with pytest.raises(ServingError, match="shutting down"), gate.passed():
        pass
    leave.set()
    thread.join()
    assert gate.close(0.2) and gate.inside == 0
