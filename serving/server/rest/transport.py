"""HTTP for the REST door: keep-alive connections that cannot be held for ever, a thread each."""

from __future__ import annotations

import socket
import threading
import time
import zlib
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedReader
from typing import Any

from serving.server.admission import Gate
from serving.server.catalog import Catalog
from serving.server.models import Model
from serving.server.plane import Plane
from serving.server.rest.chunks import LARGEST_BODY, UnreadableBodyError, chunked, unpacked
from serving.server.rest.client_presence import present
from serving.server.rest.routes import Reply, Request, Routes, fault

THREADS = 16
# A request must have arrived whole by then, or a slow sender would hold a thread and memory for as
# long as it likes; also how long an idle connection is kept.
READING_SECONDS = 30.0
LONGEST_REQUEST_LINE = 65536
# enough for any length: more digits are refused before they are read as a number
MOST_DIGITS = 18  # of a Content-Length
BUFFER = 64 << 10  # bytes that are read from a connection at a time
CORS = {"Origin": "*", "Methods": "POST, GET", "Headers": "Content-Type"}


class RestServer(ThreadingHTTPServer):
    """A thread a connection. seconds: of one computation, its waiting included; threads: how many
    are computed at once; reading: of one request's arrival (slow senders are cut off by a watch
    thread); gate: shared with the gRPC door. Raises OSError for an address that is taken.
    """

    # an idle connection must not keep the process alive
    daemon_threads = True
    # as many connections as may come in the moment between two looks
    request_queue_size = 1024
    # `server_close` would wait for every connection's thread
    block_on_close = False

    def __init__(
        self,
        address: tuple[str, int],
        model: Model | Catalog,
        *,
        metrics_path: str | None = None,
        cors: bool = False,
        seconds: float = 30.0,
        threads: int = THREADS,
        reading: float = READING_SECONDS,
        gate: Gate | None = None,
    ) -> None:
        # bound before anything else: a port that is taken ends the start
        super().__init__(address, Connection)
        plane = Plane(Catalog.of(model), gate)
        self.routes = Routes(plane, metrics_path=metrics_path, seconds=seconds, threads=threads)
        self.cors = cors
        self.reading = reading
        self.waiting: dict[socket.socket, float] = {}  # connection -> since when it is read from
        self.running: set[socket.socket] = set()
        self.stopped = threading.Event()

    def start(self) -> None:
        """accept connections, in threads of its own."""
        for target in (self.serve_forever, self.watch):
            threading.Thread(target=target, daemon=True).start()

    def watch(self) -> None:
        """cut connections whose request does not arrive."""
        while not self.stopped.wait(min(self.reading / 4, 1.0)):
            # a copy: connections come and go meanwhile
            for connection, since in list(self.waiting.items()):
                if time.monotonic() - since > self.reading:
                    self.waiting.pop(connection, None)
                    # shutdown wakes the thread that reads; close would not
                    cut(connection)

    def drain(self, grace: float) -> None:
        """no new connections; wait for the answers that are being made."""
        # no new connections are taken; those that are open are answered UNAVAILABLE by the gate
        self.shutdown()
        until = time.monotonic() + grace
        while self.running and time.monotonic() < until:
            time.sleep(0.02)
        self.stopped.set()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """a client that went away is no news."""


def cut(connection: socket.socket) -> None:
    """end a connection whose thread reads from it."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it has gone by itself


class Connection(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.0"  # of a line without one, and of what cannot be read
    server: RestServer
    # chunks are told apart in this buffer: a larger one holds more of them
    rbufsize = BUFFER
    rfile: BufferedReader  # of that size

    def log_message(self, *arguments: object) -> None:
        """requests are not worth a line each."""

    def handle_one_request(self) -> None:
        """read one, answer it; every method is the routes' to judge."""
        # the head counts, too: a sender may be slow from the first byte on
        self.server.waiting[self.connection] = time.monotonic()
        try:
            if self._read_head():
                self._respond()
            self.wfile.flush()
        except OSError:
            self.close_connection = True
        finally:
            self.server.waiting.pop(self.connection, None)
            self.server.running.discard(self.connection)

    def _read_head(self) -> bool:
        """request line and headers; False where there is nothing to answer any more."""
        # for `_send`, which an error before the first line also calls
        self.command = ""
        self.path = ""
        self.requestline = ""
        self.request_version = self.protocol_version
        # one byte more than allowed shows that there is more
        self.raw_requestline = self.rfile.readline(LONGEST_REQUEST_LINE + 1)
        if not self.raw_requestline:
            self.close_connection = True
            return False
        if len(self.raw_requestline) > LONGEST_REQUEST_LINE:
            self.send_error(HTTPStatus.REQUEST_URI_TOO_LONG)
            return False
        # the standard library judges versions and headers, and answers by `send_error`
        if not self.parse_request():
            return False
        self.path = path_of(self.path)
        return True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """what the standard library refuses, as JSON; the connection ends with it."""
        self.close_connection = True
        words = message or HTTPStatus(code).phrase
        # HTTP/2 and later by that name: 505 is the client's fault here.
        self._send(fault(code if code < 500 else 400, words))

    def _respond(self) -> None:
        try:
            body = self._body()
        except UnreadableBodyError as error:
            # where the next request begins is not known
            self.close_connection = True
            self._send(fault(error.status, str(error)))
            return
        except zlib.error as error:
            # the body was read whole: the connection goes on
            self._send(fault(400, f"Failed to uncompress the body: {error}"))
            return
        # it has arrived: from here on it runs, and is not cut
        self.server.waiting.pop(self.connection, None)
        self.server.running.add(self.connection)
        origin = self.headers.get("Origin", "")
        request = Request(self.command, self.path, body, origin, self._awaited)
        self._send(self.server.routes.reply(request))

    def _awaited(self) -> bool:
        return present(self.connection)

    def _body(self) -> bytes:
        """the request's body, unpacked. Raises UnreadableBodyError, zlib.error."""
        encodings = self.headers.get_all("Transfer-Encoding", [])
        lengths = self.headers.get_all("Content-Length", [])
        if encodings:
            check_encoding(encodings, lengths)
            data = chunked(self.rfile)
        else:
            length = length_of(lengths)
            data = self.rfile.read(length)
            if len(data) < length:
                raise UnreadableBodyError(400, f"expected {length} bytes, got {len(data)}")
        # unpacked after it was read whole: its packed size was limited by then
        if self.headers.get("Content-Encoding", "").lower() == "gzip":
            data = unpacked(data)
        return data

    def _send(self, reply: Reply) -> None:
        if self.request_version == "HTTP/0.9":  # the standard library would leave the head out
            self.request_version = self.default_request_version
        self.send_response(reply.status)
        if self.server.cors and self.path.lower().startswith("/v1/"):
            for name, value in CORS.items():
                self.send_header(f"Access-Control-Allow-{name}", value)
        self.send_header("Content-Type", reply.kind)
        self.send_header("Content-Length", str(len(reply.data)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        # HEAD has the head of the answer alone
        if self.command != "HEAD":
            self.wfile.write(reply.data)


def path_of(target: str) -> str:
    """of a request line's target, which may be a whole address (RFC 9112, 3.2.2)."""
    if not target.lower().startswith(("http://", "https://")):
        return target
    return f"/{target.partition('://')[2].partition('/')[2]}"


def check_encoding(encodings: list[str], lengths: list[str]) -> None:
    """Raises UnreadableBodyError for anything but chunks, and for a length beside them: two servers
    that differ about where a request ends let others in.
    """
    # as one value: "gzip, chunked" is another encoding
    if [one.strip().lower() for one in encodings] != ["chunked"]:
        words = ", ".join(encodings)[:50]
        raise UnreadableBodyError(400, f"Transfer-Encoding is chunked or absent, got {words!r}")
    if lengths:
        raise UnreadableBodyError(400, "Content-Length and Transfer-Encoding exclude each other")


def length_of(lengths: list[str]) -> int:
    """bytes of a body. Raises UnreadableBodyError."""
    if not lengths:
        return 0
    digits = lengths[0].strip()
    # several equal lengths are one (RFC 9112, 6.3)
    if len(set(lengths)) > 1 or not (digits.isascii() and digits.isdigit()):
        words = ", ".join(lengths)[:50]
        raise UnreadableBodyError(400, f"Content-Length is a number of bytes, got {words!r}")
    if len(digits) > MOST_DIGITS or int(digits) > LARGEST_BODY:
        raise UnreadableBodyError(413, f"at most {LARGEST_BODY} bytes are read")
    return int(digits)
