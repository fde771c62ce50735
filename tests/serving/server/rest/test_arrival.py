"""How long a request may take to arrive: the time of a byte, the time of all."""

import pytest

from serving.server.rest.arrival import LEAST_RATE, Arrival, LateError


class Socket:
    """gives a byte at a time, at once."""

    def __init__(self) -> None:
        self.limits = []

    def settimeout(self, seconds) -> None:
        self.limits.append(seconds)

    def recv_into(self, buffer) -> int:
        buffer[:1] = b"a"
        return 1


def test_a_steady_sender_earns_time_and_a_slow_one_none():
    now = [0.0]
    arrival = Arrival(Socket(), 30.0, lambda: now[0])
    now[0] = 20.0
    assert arrival.left() == 10
    arrival.received = 15 * LEAST_RATE
    assert arrival.left() == 25, "what came earns time"
    arrival.received = 100 * LEAST_RATE
    assert arrival.left() == 30, "but no pause longer than the patience"
    arrival.begin()
    assert arrival.left() == 30 and arrival.received == 0, "each request for itself"


def test_a_byte_is_waited_for_as_long_as_is_left_and_answers_without_a_limit():
    now, connection = [0.0], Socket()
    arrival = Arrival(connection, 30.0, lambda: now[0])
    now[0] = 20.0
    assert arrival.readinto(bytearray(8)) == 1 and arrival.received == 1
    assert connection.limits == [10.0, None]
    now[0] = 31.0
    with pytest.raises(LateError, match="pause of 30 s.* 16384 bytes a second, got 1 bytes in 31"):
        arrival.readinto(bytearray(8))
