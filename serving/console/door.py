"""Serves the page over HTTP, on loopback alone. What is sent is a fixed table: no path of a request
is ever a path of a file.
"""

from __future__ import annotations

import json
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from models.reports.embedded import style
from serving.console.console import Console, Refused

PAGE = Path(__file__).parent / "page"
# an address, not a name: `localhost` may lead elsewhere
LOOPBACK = "127.0.0.1"
LARGEST = 96 << 20  # bytes of a question: three photos of 24 MB each in base64
SLOWEST = 30  # seconds that a browser may be silent
AT_ONCE = 2  # questions that are drawn at a time; others wait
JSON = "application/json"
HEADERS = {
    # the page loads nothing from anywhere else; photos and figures are data and blob addresses
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def files() -> dict[str, tuple[str, bytes]]:
    """Returns address -> (type, content) of all that is sent as it is."""
    return {
        "/": ("text/html; charset=utf-8", (PAGE / "index.html").read_bytes()),
        "/console.js": ("text/javascript; charset=utf-8", (PAGE / "console.js").read_bytes()),
        "/cards.js": ("text/javascript; charset=utf-8", (PAGE / "cards.js").read_bytes()),
        "/console.css": ("text/css; charset=utf-8", (PAGE / "console.css").read_bytes()),
        "/report.css": ("text/css; charset=utf-8", style().encode()),
    }


class Door(ThreadingHTTPServer):
    """Serves `console` at http://127.0.0.1:port/. port: 0 for a free one."""

    # a browser's open connection must not keep the process alive
    daemon_threads = True

    def __init__(self, console: Console, port: int = 0) -> None:
        super().__init__((LOOPBACK, port), Visit)
        self.console = console
        self.files = files()
        self.turns = threading.Semaphore(AT_ONCE)
        number = self.server_address[1]
        self.address = f"http://{LOOPBACK}:{number}/"
        # what a browser that came by this page's own address says
        self.hosts = {f"{name}:{number}" for name in (LOOPBACK, "localhost")}


class Visit(BaseHTTPRequestHandler):
    """One request of a browser."""

    server: Door
    # the socket's: a silent browser would hold its thread for ever
    timeout = SLOWEST
    server_version = "console"
    sys_version = ""

    def do_GET(self) -> None:
        if not self.is_from_here():
            return
        if self.path in self.server.files:
            self.reply(HTTPStatus.OK, *self.server.files[self.path])
        elif self.path == "/model":
            self.reply_in_json(self.server.console.model_facts)
        else:
            self.refuse(HTTPStatus.NOT_FOUND, "There is nothing at this address.")

    def do_POST(self) -> None:
        # what is not read of a question would be taken for the next request
        self.close_connection = True
        if not self.is_from_here():
            return
        if self.path != "/answer":
            self.refuse(HTTPStatus.NOT_FOUND, "There is nothing at this address.")
        elif self.headers.get_content_type() != JSON:
            # other sites may send forms here unasked, JSON they may not
            self.refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"A question is {JSON}.")
        else:
            question = self.question()
            if question is not None:
                # drawing takes a core each; more at once would only be slower together
                with self.server.turns:
                    self.reply_in_json(lambda: self.server.console.answer(question))

    def is_from_here(self) -> bool:
        """Returns whether a request comes from the page itself, by host name and by origin; any
        other is refused, also one from a page elsewhere whose name leads to loopback.
        """
        host = self.headers.get("Host", "")
        origin = self.headers.get("Origin")
        # no Origin: a page that is opened, or a client that is no browser. A browser names it with
        # every POST
        if host in self.server.hosts and origin in (None, f"http://{host}"):
            return True
        self.refuse(HTTPStatus.FORBIDDEN, f"This page is at {self.server.address} alone.")
        return False

    def question(self) -> dict[str, Any] | None:
        """Returns the JSON object of a request; None once it was refused."""
        length = self.headers.get("Content-Length", "")
        # `isdigit` alone takes digits of other scripts, which `int` reads, too
        if not (length.isascii() and length.isdigit()):
            self.refuse(HTTPStatus.LENGTH_REQUIRED, "A question says how long it is.")
            return None
        # Python refuses to read numbers of thousands of digits.
        if len(length) > len(str(LARGEST)) or int(length) > LARGEST:
            words = f"The photos are too large: at most {LARGEST >> 20} MiB in all, as sent."
            self.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, words)
            return None
        try:
            question = json.loads(self.rfile.read(int(length)))
        # a text nested too deep ends in RecursionError
        except (ValueError, RecursionError):
            question = None
        if not isinstance(question, dict):
            self.refuse(HTTPStatus.BAD_REQUEST, "A question is a JSON object.")
            return None
        return question

    def reply_in_json(self, words: Any) -> None:
        try:
            answer = words()
        except Refused as error:
            away = HTTPStatus.SERVICE_UNAVAILABLE if error.away else HTTPStatus.BAD_REQUEST
            self.refuse(away, str(error))
            return
        self.reply(HTTPStatus.OK, JSON, json.dumps(answer).encode())

    def refuse(self, status: HTTPStatus, words: str) -> None:
        self.reply(status, JSON, json.dumps({"error": words}).encode())

    def reply(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        self.send_response(status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        # headers are sent: nothing can be said any more
        try:
            self.wfile.write(content)
        except ConnectionError:
            self.close_connection = True  # the browser has gone

    def log_message(self, format: str, *args: Any) -> None:
        """Logs nothing: what a person drops here is not recorded."""
