"""The gate: open while the server runs, closed for good, and waited at for those inside."""

import threading

import pytest

from serving.errors import ServingError
from serving.server.admission import Gate


def test_an_open_gate_counts_who_is_inside():
    gate = Gate()
    with gate.passed():
        with gate.passed():
            assert gate.inside == 2
        assert gate.inside == 1
    assert gate.inside == 0


def test_a_request_that_fails_leaves_too():
    gate = Gate()
    with pytest.raises(ZeroDivisionError), gate.passed():
        raise ZeroDivisionError
    assert gate.close(0)


def test_nobody_passes_once_it_is_closed():
    gate = Gate()
    assert gate.close(0)
    with pytest.raises(ServingError, match="shutting down") as error, gate.passed():
        pass
    assert error.value.code.name == "UNAVAILABLE" and gate.inside == 0


def test_closing_waits_for_those_inside_and_not_longer_than_its_grace():
    gate = Gate()
    entered = threading.Event()
    leave = threading.Event()

    def request() -> None:
        with gate.passed():
            entered.set()
            leave.wait(60)

    thread = threading.Thread(target=request)
    thread.start()
    assert entered.wait(60)
    assert not gate.close(0.01)
    leave.set()
    assert gate.close(60)
    thread.join()
