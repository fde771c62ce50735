"""Carries HTTP for the REST door: keep-alive connections that cannot be held for ever, a thread
each.
"""

from __future__ import annotations

import re
import socket
import threading
import time
import zlib
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedReader
from typing import Any

from serving.server.admission import Gate
from serving.server.catalog import Catalog
from serving.server.models import Model
from serving.server.plane import Plane
from serving.server.rest.arrival import PATIENCE, Arrival, LateError
from serving.server.rest.body_room import LARGEST_BODY, Room, Share, UnreadableBodyError
from serving.server.rest.chunks import chunked, pieces, unpacked
from serving.server.rest.client_presence import present
from serving.server.rest.routes import Reply, Request, Routes, fault

THREADS = 16
LONGEST_REQUEST_LINE = 65536
MOST_EMPTY_LINES = 8  # before a request: old clients end a body with one (RFC 9112, 2.2)
# Seconds in which a client that still sends may read why it is refused.
PARTING_SECONDS = 1.0
# enough for any length: more digits are refused before they are read as a number
MOST_DIGITS = 18  # that a Content-Length may have
BUFFER = 64 << 10  # bytes that are read from a connection at a time
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a token (RFC 9110, 5.6.2)
CODES = frozenset(HTTPStatus)  # that have a phrase
CORS = {"Origin": "*", "Methods": "POST, GET", "Headers": "Content-Type"}


class RestServer(ThreadingHTTPServer):
    """Serves REST with a thread for each connection. seconds: that one computation may take, its
    waiting included; threads: how many are computed at once; reading: seconds that a connection may
    be silent (`arrival.py`); gate: shared with the gRPC door. Raises OSError for an address that is
    taken.
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
        reading: float = PATIENCE,
        gate: Gate | None = None,
    ) -> None:
        host, port = address
        if ":" in host:
            self.address_family = socket.AF_INET6
        # bound before anything else: a port that is taken ends the start
        try:
            super().__init__(address, Connection)
        except OSError as error:
            raise OSError(
                f"cannot listen on {host_in_address(host)}:{port} for REST: {error}; choose "
                "another with --rest_api_port (0: any)"
            ) from error
        plane = Plane(Catalog.of(model), gate)
        self.routes = Routes(plane, metrics_path=metrics_path, seconds=seconds, threads=threads)
        self.cors = cors
        self.reading = reading
        self.room = Room()
        self.running: set[socket.socket] = set()

    def start(self) -> None:
        """Accepts connections, in a thread of its own."""
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def drain(self, grace: float) -> None:
        """Takes no new connections and waits for the answers that are being made."""
        # no new connections are taken; those that are open are answered UNAVAILABLE by the gate
        self.shutdown()
        until = time.monotonic() + grace
        while self.running and time.monotonic() < until:
            time.sleep(0.02)
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Logs nothing: a client that went away is no news."""


class Lines(BufferedReader):
    """A buffered stream that tells of broken lines. broken: whether a line that was read since this
    was set to False holds a carriage return anywhere but at its end.
    """

    broken = False

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        self.broken |= b"\r" in line.removesuffix(b"\n").removesuffix(b"\r")
        return line


class Connection(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.0"  # for a line without one, and for what cannot be read
    server: RestServer
    # TCP would hold back the end of an answer until the client has acknowledged its beginning,
    # which the client's side delays in turn, by 40 ms
    disable_nagle_algorithm = True
    rfile: Lines  # of BUFFER bytes

    def setup(self) -> None:
        super().setup()
        self.arrival = Arrival(self.connection, self.server.reading)
        # chunks are told apart in this buffer: a larger one holds more of them
        self.rfile = Lines(self.arrival, BUFFER)

    def log_message(self, *arguments: object) -> None:
        """Logs nothing: requests are not worth a line each."""

    def handle_one_request(self) -> None:
        """Reads one request and answers it; every method is the routes' to judge."""
        # for `_send`, which an error before the first line also calls
        self.command = ""
        self.path = ""
        self.requestline = ""
        self.request_version = self.protocol_version
        try:
            self._read_and_answer()
        except OSError:
            self.close_connection = True
        finally:
            self.server.running.discard(self.connection)

    def _read_and_answer(self) -> None:
        if not self._begun():
            self.close_connection = True
            return
        try:
            # the head counts, too: a sender may be slow from the first byte on
            if self._read_head():
                self._respond()
        except LateError as error:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, str(error))

    def _begun(self) -> bool:
        """Waits for a request's first byte; returns False where none comes."""
        self.arrival.begin()
        try:
            for _ in range(MOST_EMPTY_LINES):
                # bytes that came with the last request are looked at, too
                start = self.rfile.peek(1)[:2]
                if not start:
                    return False
                if start[:1] != b"\n" and start not in (b"\r", b"\r\n"):
                    break
                self.rfile.readline(2)
        except LateError:
            return False
        # the connection's idle time does not count as the request's
        self.arrival.begin()
        return True

    def _read_head(self) -> bool:
        """Reads the request line and headers; returns False where there is nothing to answer any
        more.
        """
        self.rfile.broken = False
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
        # a header that we pass over may be one that a proxy before us obeys: where it ends a body
        # otherwise, what follows would be answered as a second request (RFC 9112, 5.1 and 5.2)
        if words := flaw_of(self.headers, self.rfile.broken):
            self._refuse(HTTPStatus.BAD_REQUEST, words)
            return False
        self.path = path_of(self.path)
        return True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answers in JSON what the standard library refuses; the connection ends with it."""
        words = message or HTTPStatus(code).phrase
        # HTTP/2 and later by that name: 505 is the client's fault here.
        self._refuse(code if code < 500 else 400, words)

    def _refuse(self, status: int, words: str) -> None:
        """Refuses a request. Where the next one begins is not known, so the connection ends with
        this answer.
        """
        self.close_connection = True
        self._send(fault(status, words))
        # Closed while bytes are still unread, a connection is reset, and the answer with it.
        self.connection.shutdown(socket.SHUT_WR)
        until = time.monotonic() + PARTING_SECONDS
        while (left := until - time.monotonic()) > 0:
            self.connection.settimeout(left)
            if not self.connection.recv(BUFFER):
                return

    def _respond(self) -> None:
        with self.server.room.share() as share:
            self._respond_within(share)

    def _respond_within(self, share: Share) -> None:
        try:
            body = self._body(share)
        except UnreadableBodyError as error:
            self._refuse(error.status, str(error))
            return
        except zlib.error as error:
            # the body was read whole: the connection goes on
            self._send(fault(400, f"Failed to uncompress the body: {error}"))
            return
        # it has arrived: from here on it runs, and the end of the server waits for it
        self.server.running.add(self.connection)
        origin = self.headers.get("Origin", "")
        request = Request(self.command, self.path, body, origin, self._awaited)
        self._send(self.server.routes.reply(request))

    def _awaited(self) -> bool:
        return present(self.connection)

    def _body(self, share: Share) -> bytes:
        """Returns the request's body, unpacked. Raises UnreadableBodyError, zlib.error."""
        encodings = self.headers.get_all("Transfer-Encoding", [])
        lengths = self.headers.get_all("Content-Length", [])
        if encodings:
            check_encoding(encodings, lengths)
            data = chunked(self.rfile, share)
        else:
            length = length_of(lengths)
            data = b"".join(pieces(self.rfile, length, share))
            if len(data) < length:
                raise UnreadableBodyError(400, f"expected {length} bytes, got {len(data)}")
        # unpacked after it was read whole: its packed size was limited by then
        if self.headers.get("Content-Encoding", "").lower() == "gzip":
            data = unpacked(data, share)
        return data

    def _send(self, reply: Reply) -> None:
        phrase = HTTPStatus(reply.status).phrase if reply.status in CODES else ""
        lines = [
            f"{self.protocol_version} {reply.status} {phrase}",
            f"Server: {self.version_string()}",
            f"Date: {self.date_time_string()}",
        ]
        if self.server.cors and self.path.lower().startswith("/v1/"):
            lines += [f"Access-Control-Allow-{name}: {value}" for name, value in CORS.items()]
        lines += [f"Content-Type: {reply.kind}", f"Content-Length: {len(reply.data)}"]
        if self.close_connection:
            lines.append("Connection: close")
        # which HTTP/1.0 ends where nobody says otherwise
        elif self.request_version == "HTTP/1.0":
            lines.append("Connection: keep-alive")
        head = "\r\n".join([*lines, "", ""]).encode()
        # HEAD has the head of the answer alone; head and body leave in one piece, as one packet
        # where they fit
        self.wfile.write(head if self.command == "HEAD" else head + reply.data)


def host_in_address(host: str) -> str:
    """Returns a host as it stands before a port: an IPv6 address, whose parts colons divide, in
    brackets.
    """
    return f"[{host}]" if ":" in host else host


def path_of(target: str) -> str:
    """Returns the path of a request line's target, which may be a whole address (RFC 9112,
    3.2.2).
    """
    if not target.lower().startswith(("http://", "https://")):
        return target
    return f"/{target.partition('://')[2].partition('/')[2]}"


def flaw_of(headers: Message, broken: bool) -> str:
    """Returns what is wrong with headers, in words; "" for nothing: lines that are no header, white
    space beside a name, a value over several lines. broken: whether a line holds a bare CR.
    """
    # the standard library takes it for the end of a line, others for a part of it
    if broken:
        return "A header is one line, got a carriage return in the middle of one"
    if headers.defects or headers.get_payload():
        return "Headers are lines of a name, a colon and a value"
    for name, value in headers.items():
        if not HEADER_NAME.fullmatch(name):
            return f"A header's name has letters, digits and -, got {name[:50]!r}"
        # a value that goes on in the next line
        if "\n" in value or "\r" in value:
            return f"A header's value is one line, got more of {name[:50]!r}"
    return ""


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
    """Returns the number of bytes of a body. Raises UnreadableBodyError."""
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
