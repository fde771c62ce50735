"""A signal is never missed, whenever it comes; afterwards signals do what they did before."""

import os
import signal
import threading
import time

import pytest

from serving.server.signals import StopSignals


@pytest.fixture
def busy():
    """threads that take the interpreter from the one that waits, in the middle of its work."""
    over = threading.Event()

    def burn() -> None:
        while not over.is_set():
            sum(range(200))

    threads = [threading.Thread(target=burn) for _ in range(2)]
    for thread in threads:
        thread.start()
    yield
    over.set()
    for thread in threads:
        thread.join()


def test_a_signal_that_comes_as_the_waiting_begins_ends_it(busy):
    until = time.monotonic() + 2
    while time.monotonic() < until:
        with StopSignals() as signals:
            killer = threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGTERM))
            killer.start()
            assert signals.wait(60) and signals.wait(0)
            killer.join()


def test_without_a_signal_the_time_passes_and_what_signals_did_is_theirs_again():
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with StopSignals() as signals:
        assert not signals.wait(0.01) and signal.getsignal(signal.SIGTERM) != before[0]
    assert (
        signal.getsignal(signal.SIGTERM),
        signal.getsignal(signal.SIGINT),
    ) == before and signal.set_wakeup_fd(-1) == -1
