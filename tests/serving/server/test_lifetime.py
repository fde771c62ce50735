"""A server's ports: when they are opened, and which of them."""

import socket

import pytest

from serving.server import lifetime as module
from serving.server.catalog import Catalog
from serving.server.lifetime import SAME_PORT, Serving, serve


class Stopped:
    """a signal that comes as soon as the server waits for one."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def wait(self, seconds=None):
        return True


@pytest.fixture(autouse=True)
def stopped(monkeypatch):
    monkeypatch.setattr(module, "StopSignals", Stopped)


def test_a_server_without_models_opens_its_ports(capsys):
    assert serve(Catalog(), [], Serving(port=0, rest_port=0)) == 0
    grpc_line, rest_line = capsys.readouterr().out.splitlines()
    assert grpc_line.startswith("gRPC on 127.0.0.1:") and rest_line.startswith("REST on 127.0.0.1:")


def test_the_same_port_for_both_leaves_rest_out(capsys):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert serve(Catalog(), [], Serving(port=port, rest_port=port)) == 0
    said = capsys.readouterr()
    assert said.out == f"gRPC on 127.0.0.1:{port}\n" and said.err == f"{SAME_PORT}\n"
