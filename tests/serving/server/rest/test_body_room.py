"""What bodies of all connections hold together is bounded, and given back."""

import gzip
import json
import socket
import time

import pytest
from fuzz.targets import MODEL

from serving.server.catalog import Catalog
from serving.server.rest.body_room import OWN, Room, UnreadableBodyError
from serving.server.rest.transport import RestServer

MIB = 1 << 20
HEAD = b"POST /v1/models/m:predict HTTP/1.1\r\nHost: a\r\n"
SMALL = b'{"inputs": [1]}'


def test_a_share_is_what_a_body_needs_beyond_its_own_and_comes_back():
    room = Room(10)
    with room.share() as share:
        for count in (5, OWN, OWN + 3, OWN + 2, OWN + 10):
            share.hold(count)
            assert room.left == 10 - max(share.size, count - OWN, 0)
        with pytest.raises(UnreadableBodyError, match="too many large bodies") as error:
            share.hold(OWN + 11)
        assert error.value.status == 503 and room.left == 0
        with room.share() as other:
            other.hold(OWN)
            with pytest.raises(UnreadableBodyError):
                other.hold(OWN + 1)
    assert room.left == 10


@pytest.fixture
def door():
    server = RestServer(("127.0.0.1", 0), Catalog.of(MODEL))
    server.room = Room(8 * MIB)
    server.start()
    yield server
    server.drain(0)


def sent(door, data: bytes) -> socket.socket:
    connection = socket.create_connection(door.server_address, timeout=60)
    connection.sendall(data)
    return connection


def answer(connection: socket.socket) -> tuple[int, dict]:
    """(status, content) of the reply to a connection that is closed with it."""
    with connection:
        head, _, body = b"".join(iter(lambda: connection.recv(65536), b"")).partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def whole(body: bytes, more: bytes = b"") -> bytes:
    return HEAD + more + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def in_chunks(body: bytes) -> bytes:
    head = HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"


def packed(body: bytes) -> bytes:
    return whole(gzip.compress(body), b"Content-Encoding: gzip\r\n")


def until_left(door, most: int) -> None:
    until = time.monotonic() + 30
    while door.room.left > most and time.monotonic() < until:
        time.sleep(0.01)
    assert door.room.left <= most


@pytest.mark.parametrize("form", [whole, in_chunks, packed])
def test_one_that_finds_no_room_is_asked_to_come_again_and_usual_ones_are_answered(door, form):
    large = SMALL + b" " * (6 * MIB)
    # a sender that has not ended yet holds what has arrived of its body, not what it claims
    slow = sent(door, HEAD + b"Content-Length: %d\r\n\r\n" % (200 * MIB) + b" " * (5 * MIB))
    until_left(door, 4 * MIB)
    status, content = answer(sent(door, form(large)))
    assert status == 503 and content == {"error": "too many large bodies at once; ask again"}
    assert answer(sent(door, whole(SMALL))) == (200, {"outputs": [1.0]})
    slow.close()
    until = time.monotonic() + 30
    while door.room.left < 8 * MIB and time.monotonic() < until:
        time.sleep(0.01)
    assert answer(sent(door, form(large))) == (200, {"outputs": [1.0]})
    assert door.room.left == 8 * MIB
