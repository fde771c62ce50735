"""A server that drops connections, ignores ranges, corrupts bytes and answers with errors."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Handler(BaseHTTPRequestHandler):
    """serves `server.files`, in the way that `server.moods[path]` says; every request takes the
    next mood of its path.
    """

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        moods = self.server.moods.get(self.path, [])
        mood = moods.pop(0) if moods else "well"
        byte_range = self.headers.get("Range")
        self.server.asked.append((self.path, byte_range))
        data = self.server.files.get(self.path)
        if data is None or isinstance(mood, int):
            code = mood if isinstance(mood, int) else 404
            self.send_response(code)
            self.send_header("Content-Length", "0")
            if code == 503:
                self.send_header("Retry-After", "0")
            self.end_headers()
            return
        start = (
            int(byte_range.removeprefix("bytes=").split("-")[0])
            if byte_range and mood != "no ranges"
            else 0
        )
        if start and start >= len(data):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(data)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = data[start:]
        if mood == "corrupt":
            body = body[:-1] + bytes([body[-1] ^ 1])
        self.send_response(206 if byte_range and mood != "no ranges" else 200)
        if byte_range and mood != "no ranges":
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 3 if mood == "drop" else len(body)])
        if mood == "drop":
            self.wfile.flush()
            self.close_connection = True

    def log_message(self, *row):
        pass


@pytest.fixture
def server():
    serving = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving.files, serving.moods, serving.asked = {}, {}, []
    serving.address = f"http://127.0.0.1:{serving.server_port}"
    thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield serving
    serving.shutdown()
    thread.join()
    serving.server_close()
