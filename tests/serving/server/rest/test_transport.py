"""HTTP as clients send it, well or oddly: an answer in JSON, at once, and never a 500."""

import json
import socket
import threading
import time

import pytest
from fuzz.targets import MODEL, FakeSocket, replies_of

from serving.server.catalog import Catalog
from serving.server.rest import transport
from serving.server.rest.arrival import Arrival
from serving.server.rest.transport import RestServer

HOST = b" HTTP/1.1\r\nHost: a\r\n"
PREDICT = b"POST /v1/models/m:predict" + HOST
STATUS = b"GET /v1/models/m" + HOST + b"\r\n"  # which must not be answered as a request
ODD = {
    "HEAD": (b"HEAD /v1/models/m" + HOST + b"\r\n", 400, "Malformed request: HEAD /v1/models/m"),
    "PATCH": (b"PATCH /v1/models/m" + HOST + b"\r\n", 400, "Malformed request: PATCH"),
    "a method nobody knows": (
        b"BREW /v1/models/m" + HOST + b"\r\n",
        400,
        "Malformed request: BREW",
    ),
    "another encoding": (
        PREDICT + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
        400,
        "Transfer-Encoding is",
    ),
    "no encoding": (PREDICT + b"Transfer-Encoding: identity\r\n\r\n", 400, "Transfer-Encoding is"),
    "two encodings": (
        PREDICT + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n",
        400,
        "Transfer-Encoding is",
    ),
    "chunks and a length": (
        PREDICT + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}",
        400,
        "exclude each other",
    ),
    "a length of thousands of digits": (
        PREDICT + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
        413,
        "at most",
    ),
    "a length with a sign": (PREDICT + b"Content-Length: +2\r\n\r\n{}", 400, "a number of bytes"),
    "lengths that differ": (
        PREDICT + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        400,
        "a number of bytes",
    ),
    "white space before a colon": (
        PREDICT + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + STATUS,
        400,
        "lines of a name, a colon and a value",
    ),
    "a length with white space before its colon": (
        PREDICT + b"Content-Length : 30\r\n\r\n" + STATUS,
        400,
        "lines of a name, a colon and a value",
    ),
    "a tab before a colon": (
        PREDICT + b"Content-Length\t: 30\r\n\r\n" + STATUS,
        400,
        "lines of a name, a colon and a value",
    ),
    "a header over two lines": (
        PREDICT + b"A: b\r\n Content-Length: 30\r\n\r\n" + STATUS,
        400,
        "is one line",
    ),
    "a bare carriage return, a header for some behind it": (
        PREDICT + b"A: b\rContent-Length: 30\r\n\r\n" + STATUS,
        400,
        "a carriage return in the middle",
    ),
    "a bare carriage return in a value": (
        PREDICT + b"A: b\rc\r\n\r\n" + STATUS,
        400,
        "a carriage return in the middle",
    ),
    "a bare carriage return in the request line": (
        b"GET /v1/models/m\r" + HOST + b"\r\n",
        400,
        "a carriage return in the middle",
    ),
    "a line that is no header": (
        PREDICT + b"junk\r\n\r\n" + STATUS,
        400,
        "lines of a name, a colon and a value",
    ),
    "no words": (b"GET\r\n\r\n", 400, "Bad request syntax"),
    "a version nobody knows": (b"GET / HTTP/x\r\n\r\n", 400, "Bad request version"),
    "a later version": (b"GET / HTTP/2.0\r\n\r\n", 400, "Invalid HTTP version"),
    "too long a line": (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", 414, "Too Long"),
    "too many headers": (
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n",
        431,
        "Too many headers",
    ),
    "a version number beyond 64 bits": (
        b"GET /v1/models/m/versions/" + b"9" * 30 + HOST + b"\r\n",
        400,
        "Failed to convert version",
    ),
    "a request that is cut short": (
        PREDICT + b"Content-Length: 20\r\n\r\n{}",
        400,
        "expected 20 bytes, got 2",
    ),
}
# what gave a 500 once
BODIES = {
    "a context that is a list": ("classify", b'{"context": [1], "examples": [{}]}'),
    "a context that is a text": ("regress", b'{"context": "a", "examples": [{}]}'),
    "a context that is null": ("classify", b'{"context": null, "examples": [{}]}'),
    "half a surrogate pair": ("predict", b'{"signature_name": "of_7", "inputs": ["\\ud800"]}'),
    "half of one as a name": ("predict", b'{"signature_name": "\\ud800", "inputs": [1]}'),
    "half of one as a feature": ("classify", b'{"examples": [{"\\udfff": 1}]}'),
    "ragged texts": ("predict", b'{"signature_name": "of_7", "inputs": [["a", "b"], ["c"]]}'),
    "40 deep texts": (
        "predict",
        b'{"signature_name": "of_7", "inputs": ' + b"[" * 40 + b'"a"' + b"]" * 40 + b"}",
    ),
    "a number of 5,000 digits": ("predict", b'{"inputs": [' + b"1" * 5000 + b"]}"),
    "a null": ("predict", b"null"),
}


def answers(sent: bytes) -> tuple[int, bytes]:
    """(status, body) of the first reply."""
    head, _, body = sent.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


@pytest.mark.parametrize("name", ODD)
def test_odd_http_is_refused_in_json(name):
    data, status, words = ODD[name]
    sent = replies_of(data)
    found, body = answers(sent)
    assert found == status and b"Content-Type: application/json" in sent
    if name == "HEAD":
        assert body == b"", "a client does not read a body after HEAD"
    else:
        assert words in json.loads(body)["error"]


@pytest.mark.parametrize("name", BODIES)
def test_no_body_gives_a_500(name):
    verb, body = BODIES[name]
    head = PREDICT.replace(b"predict", verb.encode()) + b"Content-Length: %d\r\n\r\n" % len(body)
    status, answer = answers(replies_of(head + body))
    assert status == 400 and json.loads(answer)["error"]


def test_a_connection_goes_on_after_a_refusal_whose_end_is_known():
    sound = PREDICT + b'Content-Length: 15\r\n\r\n{"inputs": [1]}'
    assert (
        replies_of(sound + b"PATCH /v1/models/m" + HOST + b"\r\n" + sound).count(b"HTTP/1.1") == 3
    )
    chunked = PREDICT + b'Transfer-Encoding: chunked\r\n\r\nf\r\n{"inputs": [1]}\r\n0\r\n\r\n'
    assert replies_of(chunked * 2).count(b'{"outputs": [1.0]}') == 2


SOUND = PREDICT + b'Content-Length: 15\r\n\r\n{"inputs": [1]}'
CHUNKED = PREDICT + b'Transfer-Encoding: chunked\r\n\r\nf\r\n{"inputs": [1]}\r\n0\r\n\r\n'


@pytest.mark.parametrize("name", ["sound", "chunked", *ODD])
def test_an_answer_leaves_in_one_piece_and_is_not_held_back(name, monkeypatch):
    """else the end of every answer waits for the acknowledgement of its beginning."""
    sent, options = [], []
    monkeypatch.setattr(FakeSocket, "sendall", lambda one, data: sent.append(bytes(data)))
    monkeypatch.setattr(FakeSocket, "setsockopt", lambda one, *option: options.append(option))
    replies_of({"sound": SOUND, "chunked": CHUNKED}.get(name) or ODD[name][0])
    assert len(sent) == 1 and sent[0].startswith(b"HTTP/1.1 ")
    assert (socket.IPPROTO_TCP, socket.TCP_NODELAY, True) in options


@pytest.mark.parametrize("empty", [b"\r\n", b"\n", b"\r\n" * 3])
def test_empty_lines_before_a_request_are_skipped(empty):
    assert replies_of(empty + SOUND + empty + SOUND).count(b'{"outputs": [1.0]}') == 2
    assert replies_of(b"\r\n" * 100) == b""


def test_a_client_of_http_1_0_that_asks_for_it_is_told_that_the_connection_stays():
    old = SOUND.replace(b"1.1", b"1.0")
    asked = old.replace(b"Host: a", b"Connection: keep-alive")
    assert replies_of(asked * 2).count(b"\r\nConnection: keep-alive\r\n") == 2
    assert replies_of(old * 2).count(b"\r\nConnection: close\r\n") == 1
    assert b"\r\nConnection:" not in replies_of(SOUND)


class Paced(FakeSocket):
    """whose bytes come after pauses of its clock: (seconds, bytes)."""

    def __init__(self, *pieces: tuple[float, bytes]) -> None:
        super().__init__(b"")
        self.pieces = list(pieces)
        self.now = 0.0
        self.patience = None

    def settimeout(self, seconds):
        self.patience = seconds

    def recv_into(self, buffer):
        if not self.data and self.pieces:
            pause, data = self.pieces.pop(0)
            if self.patience is not None and pause > self.patience:
                raise TimeoutError
            self.now += pause
            self.data = data
        return super().recv_into(buffer)


def replies_to(monkeypatch, *pieces: tuple[float, bytes]) -> bytes:
    paced = Paced(*pieces)
    monkeypatch.setattr(
        transport, "Arrival", lambda one, patience: Arrival(one, patience, lambda: paced.now)
    )
    return replies_of(b"", paced)


LONG = b'{"inputs": [1]}' + b" " * (4 << 20)
LONG_HEAD = PREDICT + b"Content-Length: %d\r\n\r\n" % len(LONG)
STEADY = [(1.0, LONG[start : start + 40_000]) for start in range(0, len(LONG), 40_000)]


@pytest.mark.parametrize(
    "pieces, answered",
    [
        ([(28, SOUND[:-15]), (4, SOUND[-15:])], True),
        ([(0, SOUND), (28, SOUND[:-15]), (4, SOUND[-15:])], True),
        ([(0, LONG_HEAD), *STEADY], True),
        ([(0, LONG_HEAD), (0, LONG[: 1 << 20]), (31, LONG[1 << 20 :])], False),
        ([(0, SOUND[:-15]), *((1, SOUND[i - 15 :][:1]) for i in range(14))] + [(29, b"}")], False),
        ([(0, SOUND[:9]), (31, SOUND[9:])], False),
    ],
    ids=["idle", "idle again", "long and steady", "a pause", "a byte a second", "half a line"],
)
def test_a_sender_is_judged_by_what_still_comes(monkeypatch, pieces, answered):
    sent = replies_to(monkeypatch, *pieces)
    if answered:
        assert sent.endswith(b'{"outputs": [1.0]}') and b" 408 " not in sent
    else:
        assert sent.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert b"expected a request without a pause of 30 s" in sent
        assert b"\r\nConnection: close\r\n" in sent


def test_a_connection_without_a_request_is_closed_without_a_word(monkeypatch):
    assert replies_to(monkeypatch, (31, SOUND)) == b""
    assert replies_to(monkeypatch, (0, b"\r\n"), (31, SOUND)) == b""


@pytest.mark.parametrize("address", [b"http://m", b"HTTP://127.0.0.1:8501", b"https://m"])
def test_a_whole_address_in_the_request_line_is_its_path(address):
    line = b"GET " + address + b"%s" + HOST + b"\r\n"
    plain = answers(replies_of(b"GET /v1/models/m" + HOST + b"\r\n"))
    assert answers(replies_of(line % b"/v1/models/m")) == plain and plain[0] == 200
    assert answers(replies_of(line % b""))[0] == 404


@pytest.fixture
def door():
    server = RestServer(("127.0.0.1", 0), Catalog.of(MODEL))
    server.start()
    yield server
    server.drain(0)


def test_bodies_in_one_byte_chunks_hold_nobody_up(door):
    """eight at once, of 1 MiB of text each; meanwhile others are answered."""
    body = b'{"inputs": [0' + b" " * (1 << 20) + b"]}"
    data = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    request = PREDICT + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + data
    replies = []

    def send() -> None:
        with socket.create_connection(door.server_address, timeout=120) as one:
            one.sendall(request)
            replies.append(b"".join(iter(lambda: one.recv(65536), b"")))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    slowest = 0.0
    while any(thread.is_alive() for thread in threads):
        since = time.monotonic()
        with socket.create_connection(door.server_address, timeout=120) as one:
            one.sendall(b"GET /v1/models/m" + HOST + b"Connection: close\r\n\r\n")
            assert b"AVAILABLE" in b"".join(iter(lambda: one.recv(65536), b""))
        slowest = max(slowest, time.monotonic() - since)
        time.sleep(0.02)
    assert len(replies) == 8 and all(b'{"outputs": [0.0]}' in reply for reply in replies)
    assert slowest < 5


def test_a_client_that_still_sends_reads_why_it_is_refused(door):
    """closed with bytes unread, a connection is reset, and the answer is lost with it."""
    with socket.create_connection(door.server_address, timeout=60) as one:
        one.sendall(PREDICT + b"Content-Length: " + b"9" * 18 + b"\r\n\r\n" + b" " * (8 << 20))
        one.shutdown(socket.SHUT_WR)
        assert b"".join(iter(lambda: one.recv(65536), b"")).startswith(b"HTTP/1.1 413 ")
