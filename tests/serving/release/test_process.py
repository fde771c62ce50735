"""A server process that floods its pipes, dies, or never opens, played by small scripts."""

import sys
import time

import pytest

from serving.release.process import ServerError, ServerProcess, link_tree, memory

OPEN = "print('gRPC on 127.0.0.1:1', flush=True);"


def script(code: str) -> list[str]:
    return [sys.executable, "-c", f"import sys, time; {code}"]


def test_a_talkative_server_does_not_fill_its_pipe():
    flood = (
        "[print('x' * 1000, file=sys.stderr) for _ in range(2000)]; [print('y' * 1000) for _ in "
        "range(2000)];"
    )
    with ServerProcess(
        script(f"{flood} {OPEN} {flood} print('done', file=sys.stderr, flush=True); time.sleep(60)")
    ) as server:
        until = time.monotonic() + 60
        while "done" not in server.words and time.monotonic() < until:
            time.sleep(0.01)
        assert (
            server.address == "127.0.0.1:1" and "done" in server.words and len(server.words) <= 200
        )


def test_a_server_that_dies_is_quoted():
    with pytest.raises(
        ServerError, match="ended with code 3: no such model"
    ):  # whichever of its two pipes is read last
        ServerProcess(
            script(
                "print('no such model', file=sys.stderr, flush=True); time.sleep(0.2); "
                "print('starting', flush=True); sys.exit(3)"
            )
        )


def test_a_server_that_never_opens_is_stopped_in_time():
    since = time.monotonic()
    with pytest.raises(ServerError, match="no open door in time: loading"):
        ServerProcess(
            ["sh", "-c", "echo loading; exec sleep 600"], start_within=1.0
        )  # a shell: Python may take a second to begin
    assert time.monotonic() - since < 60


def test_a_server_that_does_not_listen_to_sigterm_is_killed():
    server = ServerProcess(
        script(f"import signal; signal.signal(15, signal.SIG_IGN); {OPEN} time.sleep(60)")
    )
    assert memory(server.pid)[0] > 0
    assert server.stop(patience=0.5) == -9 and memory(server.pid) == (0, 0)


def test_a_linked_bundle_is_the_bundle_without_what_is_left_out(tmp_path):
    (tmp_path / "a" / "extra").mkdir(parents=True)
    (tmp_path / "a" / "model").write_text("m")
    (tmp_path / "a" / "extra" / "warm").write_text("w")
    made = link_tree(tmp_path / "a", tmp_path / "b", without=("warm",))
    assert (
        (made / "model").read_text() == "m"
        and not (made / "extra" / "warm").exists()
        and (made / "model").stat().st_nlink == 2
    )
