"""The REST door: TensorFlow Serving's paths, status codes and JSON errors, over keep-alive
connections that cannot be held for ever.
"""

from __future__ import annotations

import json
import re
import socket
import threading
import time
import zlib
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

from serving.errors import ServingError, from_tensorflow, gone, invalid, late, not_found
from serving.server.admission import Gate
from serving.server.catalog import Catalog
from serving.server.rest.client_presence import present
from serving.server.rest.json_tensors import answer_of, examples_of, inputs_of, metadata_of, parsed

LARGEST_BODY = 256 << 20  # bytes, packed or unpacked
THREADS = 16
READING_SECONDS = (
    30.0  # a request must have arrived whole by then; also how long an idle connection is kept
)
CHUNK, MOST_TRAILERS, LONGEST_LINE = re.compile(rb"[0-9A-Fa-f]{1,16}"), 32, 8192
UNPACKED = 4 << 20  # bytes of a packed body at a time
NAMES = {10: "START", 20: "LOADING", 30: "AVAILABLE", 40: "UNLOADING", 50: "END"}
ROUTE = re.compile(
    r"^/(?i:v1/models)/([^/:]+)(?:/(?:(?i:versions)/(\d+)|(?i:labels)/([^/:]+)))?(/(?i:metadata)|:predict|:classify|:regress)?$"
)


class Unreadable(Exception):
    """A body that is not read: (HTTP status, text). The connection ends with it, since where the
    next request begins is not known.
    """


def chunked(file) -> bytes:
    """a body of RFC 9112's chunks, trailers left out. Raises Unreadable."""
    parts, total = [], 0
    while True:
        line = file.readline(66).split(b";")[0].strip()
        if not CHUNK.fullmatch(line):
            raise Unreadable(400, "expected the size of a chunk, in hexadecimal digits")
        size = int(line, 16)
        total += size
        if total > LARGEST_BODY:
            raise Unreadable(413, f"at most {LARGEST_BODY} bytes are read")
        if not size:
            break
        parts.append(file.read(size))
        if len(parts[-1]) < size or file.readline(3) not in (b"\r\n", b"\n"):
            raise Unreadable(400, "a chunk is not of the size that it claims")
    for _ in range(MOST_TRAILERS):
        if file.readline(LONGEST_LINE) in (b"\r\n", b"\n", b""):
            return b"".join(parts)
    raise Unreadable(400, "the trailer does not end")


def unpacked(data: bytes) -> bytes:
    """a gzip body. In pieces: zlib's own buffer would double beyond the limit before it is reached.
    Raises zlib.error.
    """
    unpacking, parts, total = zlib.decompressobj(31), [], 0
    while not unpacking.eof:
        parts.append(unpacking.decompress(data, UNPACKED))
        total, data = total + len(parts[-1]), unpacking.unconsumed_tail
        if total > LARGEST_BODY:
            raise zlib.error(f"it unpacks to more than {LARGEST_BODY} bytes")
        if not parts[-1] and not data:
            raise zlib.error("it is cut short")
    return b"".join(parts)


class RestServer(ThreadingHTTPServer):
    """A thread a connection. seconds: of one computation, its waiting included; threads: how many
    are computed at once; reading: of one request's arrival (slow senders are cut off by a watch
    thread); gate: shared with the gRPC door.
    """

    daemon_threads, request_queue_size, block_on_close = True, 1024, False

    def __init__(
        self,
        address,
        catalog,
        *,
        metrics_path=None,
        cors=False,
        seconds=30.0,
        threads=THREADS,
        reading=READING_SECONDS,
        gate=None,
    ) -> None:
        super().__init__(address, Rest)
        self.catalog, self.metrics_path, self.cors, self.seconds, self.reading = (
            Catalog.of(catalog),
            metrics_path,
            cors,
            seconds,
            reading,
        )
        self.gate, self.turns = gate or Gate(), threading.BoundedSemaphore(threads)
        self.waiting: dict[socket.socket, float] = {}
        self.running, self.stopped = set(), threading.Event()

    def start(self) -> None:
        for target in (self.serve_forever, self.watch):
            threading.Thread(target=target, daemon=True).start()

    def watch(self) -> None:
        """cut connections whose request does not arrive."""
        while not self.stopped.wait(min(self.reading / 4, 1.0)):
            for connection, since in list(self.waiting.items()):
                if time.monotonic() - since > self.reading:
                    self.waiting.pop(connection, None)
                    try:
                        connection.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        continue

    def drain(self, grace: float) -> None:
        """no new connections; wait for the answers that are being made."""
        self.shutdown()
        until = time.monotonic() + grace
        while self.running and time.monotonic() < until:
            time.sleep(0.02)
        self.stopped.set()
        self.server_close()

    def handle_error(self, request, client_address) -> None:
        """a client that went away is no news."""


class Rest(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: RestServer

    def log_message(self, *arguments) -> None:
        """requests are not worth a line each."""

    def handle_one_request(self) -> None:
        self.server.waiting[self.connection] = time.monotonic()
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True
        finally:
            self.server.waiting.pop(self.connection, None)
            self.server.running.discard(self.connection)

    def answer(self, code: int, data: bytes, kind: str = "application/json") -> None:
        self.send_response(code)
        if self.server.cors and self.path.lower().startswith("/v1/"):
            for name, value in (
                ("Origin", "*"),
                ("Methods", "POST, GET"),
                ("Headers", "Content-Type"),
            ):
                self.send_header(f"Access-Control-Allow-{name}", value)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(data)))):
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def fault(self, code: int, text: str) -> None:
        self.answer(code, json.dumps({"error": text}).encode())

    def body(self) -> bytes | None:
        """the request's body, unpacked; None after an answer has been given because it cannot be
        read.
        """
        try:
            data = (
                chunked(self.rfile)
                if self.headers.get("Transfer-Encoding")
                else self.rfile.read(self.length())
            )
        except Unreadable as error:
            self.close_connection = True
            self.fault(error.args[0], error.args[1])
            return None
        if not self.headers.get("Transfer-Encoding") and len(data) < self.length():
            self.close_connection = True
            return None
        if self.headers.get("Content-Encoding", "").lower() == "gzip":
            try:
                data = unpacked(data)
            except zlib.error as error:
                self.fault(400, f"Failed to uncompress the body: {error}")
                return None
        return data

    def length(self) -> int:
        """of the body. Raises Unreadable."""
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdigit()):
            raise Unreadable(400, f"Content-Length is a number of bytes, got {length[:20]}")
        if int(length) > LARGEST_BODY:
            raise Unreadable(413, f"at most {LARGEST_BODY} bytes are read")
        return int(length)

    def respond(self, method: str) -> None:
        body = self.body()
        if body is None:
            return
        self.server.waiting.pop(self.connection, None)
        self.server.running.add(self.connection)
        if method == "GET" and self.server.metrics_path and self.path == self.server.metrics_path:
            self.answer(200, self.server.catalog.metrics.text().encode(), "text/plain")
        elif not self.path.lower().startswith("/v1/"):
            self.answer(
                404,
                b"<HTML><HEAD><TITLE>404 Not Found</TITLE></HEAD><BODY><H1>Not Found</H1></BODY></HTML>",
                "text/html",
            )
        elif method == "OPTIONS":
            self.answer(
                200 if self.headers.get("Origin", "").startswith(("http://", "https://")) else 400,
                b"",
            )
        else:
            try:
                with self.server.gate.passed():
                    text = self.handled(method, body, time.monotonic() + self.server.seconds)
            except ServingError as error:
                self.fault(error.http, str(error))
            except Exception as error:  # the edge
                self.fault(from_tensorflow(error).http, str(error).split("\n")[0])
            else:
                self.answer(200, text.encode())

    def handled(self, method: str, body: bytes, deadline: float) -> str:
        """the answer's JSON. Raises ServingError."""
        route, catalog = ROUTE.match(self.path), self.server.catalog
        if method == "GET" and self.path.lower().rstrip("/") == "/v1/models":
            raise invalid("Missing model name in request.")
        posted = bool(route and route[4] and route[4].startswith(":"))
        if not route or (method == "POST") != posted or method not in ("GET", "POST"):
            raise invalid(f"Malformed request: {method} {self.path}")
        name, number, label = (
            unquote(route[1]),
            int(route[2]) if route[2] else None,
            unquote(route[3]) if route[3] else None,
        )
        if method == "GET" and not route[4]:
            rows = catalog.status(name, number)
            return json.dumps(
                {
                    "model_version_status": [
                        {
                            "version": str(key),
                            "state": NAMES[state],
                            "status": {
                                "error_code": "UNKNOWN" if error else "OK",
                                "error_message": error,
                            },
                        }
                        for key, state, error in rows
                    ]
                }
            )
        if method == "GET":
            with self.held(name, number, label) as version:
                return json.dumps(metadata_of(name, version))
        api = route[4][1:]
        with (
            catalog.metrics.request(catalog.model, name, api.capitalize(), "REST"),
            self.turn(deadline),
        ):
            content = parsed(body)
            with (
                self.held(name, number, label) as version,
                catalog.metrics.runtime(name, api.capitalize()),
            ):
                return self.computed(version, api, content, deadline)

    @contextmanager
    def turn(self, deadline: float):
        """wait until fewer than `threads` compute. Raises DEADLINE_EXCEEDED, CANCELLED for a client
        that left meanwhile.
        """
        if not self.server.turns.acquire(timeout=max(deadline - time.monotonic(), 0)):
            raise late()
        try:
            if not self.awaited():
                raise gone()
            yield
        finally:
            self.server.turns.release()

    def awaited(self) -> bool:
        return present(self.connection)

    def held(self, name: str, number: int | None, label: str | None):
        model = self.server.catalog.model(name)
        if model is None:
            raise not_found(
                "Servable not found for request: "
                f"{f'Latest({name})' if number is None else f'Specific({name}, {number})'}"
            )
        return model.held(number, label)

    def computed(self, version, api: str, content: dict, deadline: float) -> str:
        from serving.server.classify import classify, regress

        if api == "predict":
            name, arrays, rows = inputs_of(version, content)
            return answer_of(version.run(name, arrays, (), deadline, self.awaited), rows)
        given, name = examples_of(content), content.get("signature_name", "")
        if api == "classify":
            result = classify(version, name, given, deadline, self.awaited)[1]
            return json.dumps(
                {
                    "results": [
                        [[entry.label, entry.score] for entry in row.classes]
                        for row in result.classifications
                    ]
                }
            )
        return json.dumps(
            {
                "results": [
                    row.value
                    for row in regress(version, name, given, deadline, self.awaited)[1].regressions
                ]
            }
        )

    def do_GET(self) -> None:  # noqa: N802
        self.respond("GET")

    def do_POST(self) -> None:  # noqa: N802
        self.respond("POST")

    def do_OPTIONS(self) -> None:  # noqa: N802
        self.respond("OPTIONS")

    def do_PUT(self) -> None:  # noqa: N802
        self.respond("PUT")

    def do_DELETE(self) -> None:  # noqa: N802
        self.respond("DELETE")
