"""What strangers' bytes reach first, each as a function of the bytes: sound bytes return, others
raise what the door translates, and nothing else comes out.

Without TensorFlow, so that thousands of inputs a second are tried; the model is a stub that answers
with its own input.
"""

from __future__ import annotations

import io
from contextlib import suppress
from types import SimpleNamespace

import grpc
import numpy as np

from serving.errors import ServingError
from serving.server.admission import Gate
from serving.server.catalog import Catalog
from serving.server.config_files import message, models_of, parse
from serving.server.grpc.service import GrpcDoor
from serving.server.models import Model, State
from serving.server.plane import Caller, Plane
from serving.server.rest.body_room import Room, UnreadableBodyError
from serving.server.rest.chunks import chunked
from serving.server.rest.json_examples import examples_of as json_examples_of
from serving.server.rest.json_text import parsed
from serving.server.rest.routes import Routes, question_of
from serving.server.rest.transport import BUFFER, Connection
from serving.wire import messages
from serving.wire.requests import (
    examples_of,
    examples_request,
    multi_inference_request,
    predict_request,
)
from serving.wire.tensor_reader import Allowance, array
from serving.wire.tensor_types import TYPES

REPEATED = 32 << 10  # bytes: instrumented, the cheapest fields of so many take a fifth of a second
ALLOWANCE = 1 << 20  # bytes: a fuzzer's input is small, and so should be what it claims
TEXT = 7


def signature(**inputs: int):
    """of inputs by name -> TensorFlow's number of their type."""
    made = messages.message("SignatureDef")(method_name="tensorflow/serving/predict")
    for name, kind in inputs.items():
        made.inputs[name].dtype = kind
    return made


class StubVersion:
    """A version that answers with its inputs."""

    number = 1
    running = 0
    strict = False
    signatures = {
        "serving_default": signature(x=1),
        "two": signature(x=1, text=TEXT),
        **{f"of_{kind}": signature(x=kind) for kind in (*TYPES, TEXT)},
    }

    def signature(self, name: str):
        name = name or "serving_default"
        if name not in self.signatures:
            raise ServingError(INVALID, name)
        return name, self.signatures[name]

    def run(self, name, inputs, outputs, deadline, awaited):
        return dict(inputs)

    def close(self):
        pass


INVALID = grpc.StatusCode.INVALID_ARGUMENT
MODEL = Model("m", "/nowhere")
MODEL.versions = {1: StubVersion()}
MODEL.states = {1: State(30)}
PLANE = Plane(Catalog.of(MODEL), Gate())
ROOM = Room()
ROUTES = Routes(PLANE, metrics_path="/metrics", seconds=5.0, threads=4)
DOOR = GrpcDoor(PLANE)
SIGNATURES = sorted(StubVersion.signatures)


def fuzz_json(data: bytes) -> None:
    """the first byte chooses the signature; then a predict or a classify body."""
    if not data:
        return
    name = SIGNATURES[data[0] % len(SIGNATURES)]
    try:
        content = parsed(data[1:])
    except ServingError as error:
        assert error.http == 400
        return
    for read in (
        lambda: question_of({**content, "signature_name": name}, StubVersion()),
        lambda: json_examples_of(content, "classify"),
    ):
        try:
            read()
        except ServingError as error:
            assert error.http == 400, error


def naive_chunks(data: bytes) -> bytes | None:
    """the body, chunk by chunk; None where it is broken."""
    file = io.BytesIO(data)
    body = b""
    while True:
        line = file.readline(66)
        digits = line.split(b";")[0].strip(b" \t\r\n")
        hexadecimal = digits and all(byte in b"0123456789abcdefABCDEF" for byte in digits)
        if not line.endswith(b"\n") or not hexadecimal or len(digits) > 16:
            return None
        size = int(digits, 16)
        if not size:
            break
        piece = file.read(min(size, len(data)))
        if len(piece) < size or file.readline(3) not in (b"\r\n", b"\n"):
            return None
        body += piece
    for _ in range(32):
        if file.readline(8192) in (b"\r\n", b"\n", b""):
            return body
    return None


def fuzz_chunks(data: bytes) -> None:
    """against the naive reader; in small buffers too, so that chunks are cut."""
    expected = naive_chunks(data)
    for buffer in (16, BUFFER):
        try:
            with ROOM.share() as share:
                body = chunked(io.BufferedReader(io.BytesIO(data), buffer), share)
        except UnreadableBodyError as error:
            assert error.status in (400, 413)
            # The naive reader trims what the grammar does not allow before a size.
            continue
        assert expected is None or body == expected, (body, expected)


class FakeSocket:
    """A connection whose client has sent all there is and waits."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.sent = b""

    def makefile(self, mode: str, size: int = -1):
        return io.BytesIO()

    def setsockopt(self, *option: int) -> None:
        pass

    def settimeout(self, seconds: float | None) -> None:
        pass

    def shutdown(self, how: int) -> None:
        pass

    def recv_into(self, buffer) -> int:
        count = min(len(buffer), len(self.data))
        buffer[:count] = self.data[:count]
        self.data = self.data[count:]
        return count

    def sendall(self, data: bytes) -> None:
        self.sent += bytes(data)

    def recv(self, size: int, flags: int = 0) -> bytes:
        raise BlockingIOError

    def __hash__(self) -> int:
        return id(self)


def replies_of(data: bytes, connection: FakeSocket | None = None) -> bytes:
    """what the REST door sends for a connection's bytes."""
    server = SimpleNamespace(reading=30.0, running=set(), routes=ROUTES, cors=True, room=ROOM)
    connection = connection or FakeSocket(data)
    Connection(connection, ("127.0.0.1", 1), server)
    return connection.sent


def fuzz_request_line(data: bytes) -> None:
    """a whole connection: request lines, headers, bodies. Never a status of 500 or above."""
    sent = replies_of(data)
    for line in sent.split(b"\r\n"):
        if line.startswith(b"HTTP/1.1 "):
            assert line[9:10] != b"5", sent
    assert not sent or sent.startswith(b"HTTP/1.1 "), sent


def fuzz_tensor(data: bytes) -> None:
    with suppress(ValueError):
        value = array(memoryview(data), Allowance(ALLOWANCE))
        assert value.dtype == object or value.nbytes <= ALLOWANCE


def fuzz_grpc(data: bytes) -> None:
    """a PredictRequest through the door; the same bytes as the other requests."""
    try:
        DOOR.predict(data, Caller("GRPC"))
    except ServingError as error:
        assert error.code.name in ("INTERNAL", "INVALID_ARGUMENT", "NOT_FOUND"), error
    for read in (examples_request, multi_inference_request):
        with suppress(ValueError):
            examples_of(read(data).input, Allowance(ALLOWANCE))


def fuzz_repeated(data: bytes) -> None:
    """the bytes again and again, which are fields that come again and again: as a request, an
    `Input` and a tensor. What a field costs must not grow with those before it.
    """
    many = data * (REPEATED // max(len(data), 1))
    for read in (predict_request, examples_request, multi_inference_request):
        with suppress(ValueError):
            read(many)
    for read in (examples_of, array):
        with suppress(ValueError):
            read(memoryview(many), Allowance(ALLOWANCE))


def fuzz_config(data: bytes) -> None:
    """the text of a model config, and of a batching file."""
    from tensorflow_serving.config import model_server_config_pb2

    with suppress(ValueError, ServingError):
        models_of(parse(data, model_server_config_pb2.ModelServerConfig()))
    with suppress(ValueError):
        parse(data, message("BatchingParameters")())


TARGETS = {
    "json": fuzz_json,
    "chunks": fuzz_chunks,
    "request_line": fuzz_request_line,
    "tensor": fuzz_tensor,
    "grpc": fuzz_grpc,
    "repeated": fuzz_repeated,
    "config": fuzz_config,
}
np.seterr(all="raise", under="ignore")
