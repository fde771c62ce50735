"""A server's ports: when they are opened, and which of them."""

import socket
import threading

import pytest

from serving.server import lifetime as module
from serving.server.catalog import Catalog
from serving.server.config_files import ModelConfig
from serving.server.lifetime import SAME_PORT, Serving, serve
from serving.server.loading import Loading


class Stopped:
    """a signal that comes as soon as the server waits for nothing else."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def wait(self, seconds=None):
        return seconds is None


class StoppedAtOnce(Stopped):
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
    output = capsys.readouterr()
    assert output.out == f"gRPC on 127.0.0.1:{port}\n" and output.err == f"{SAME_PORT}\n"


def test_a_signal_ends_the_start_while_a_model_is_loaded_or_waits_for_its_next_try(
    monkeypatch, tmp_path, capsys
):
    monkeypatch.setattr(module, "StopSignals", StoppedAtOnce)
    never_ends, catalog = threading.Event(), Catalog()
    monkeypatch.setattr(catalog, "reload", lambda *_: never_ends.wait(60))
    assert serve(catalog, [], Serving(port=0)) == 0
    never_ends.set()
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").write_bytes(b"no model")
    retrying = Catalog(loading=Loading(retries=5, retry_seconds=60))
    assert serve(retrying, [ModelConfig("a", tmp_path)], Serving(port=0)) == 0
    out, err = capsys.readouterr()
    assert out == "", "no port was opened"
    # the first try may not have ended yet
    assert all(
        line.startswith("version 1 of a could not be loaded (5") for line in err.splitlines()
    )


def test_a_first_load_that_failed_for_good_is_told(tmp_path, capsys):
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").write_bytes(b"no model")
    for retries in (0, 1):
        catalog = Catalog(loading=Loading(retries=retries, retry_seconds=0.01))
        serving = Serving(port=0, poll_seconds=0)
        assert serve(catalog, [ModelConfig("a", tmp_path)], serving) == 1
        lines = capsys.readouterr().err.splitlines()
        assert any(line.startswith("Failed to start server. Error: ") for line in lines)


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_an_ipv6_address_is_taken_in_brackets_and_without(host, capsys):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    assert serve(Catalog(), [], Serving(port=0, rest_port=0, host=host)) == 0
    grpc_line, rest_line = capsys.readouterr().out.splitlines()
    assert grpc_line.startswith("gRPC on [::1]:") and rest_line.startswith("REST on [::1]:")


def test_a_taken_rest_port_is_refused_by_its_number_and_flag():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        words = f"cannot listen on 127.0.0.1:{port} for REST.*in use.*--rest_api_port"
        with pytest.raises(OSError, match=words):
            serve(Catalog(), [], Serving(port=0, rest_port=port))
