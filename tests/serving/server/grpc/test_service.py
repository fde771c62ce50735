"""The gRPC door: what it decodes, what it lets go, how it answers."""

import gc
import json
import time
import weakref
from contextlib import suppress

import grpc
import numpy as np
import pytest
from fuzz.targets import MODEL, StubVersion

from serving.errors import ServingError, invalid
from serving.server.catalog import Catalog
from serving.server.grpc import service
from serving.server.grpc.service import METHODS, GrpcDoor, translated
from serving.server.models import AVAILABLE, END, Model, State
from serving.server.plane import Caller, Plane
from serving.server.rest.json_answers import status_text
from serving.wire.messages import message
from serving.wire.model_spec import ModelSpec
from serving.wire.protobuf import prefix


@pytest.fixture
def plane():
    return Plane(Catalog.of(MODEL))


def question(**inputs) -> bytes:
    request = message("PredictRequest")()
    request.model_spec.name = "m"
    for name, value in inputs.items():
        request.inputs[name].dtype = 1
        request.inputs[name].tensor_content = value.tobytes()
        request.inputs[name].tensor_shape.dim.add(size=len(value))
    return request.SerializeToString()


class Context:
    """of a gRPC call without a deadline."""

    def time_remaining(self):
        return None

    def is_active(self) -> bool:
        return True

    def invocation_metadata(self):
        return ()

    def abort(self, code, words):
        raise RuntimeError(code.name)


@pytest.fixture
def no_collection():
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def decoded(monkeypatch):
    """weak references to every tensor that the gRPC door decodes."""
    references = []
    read = service.array

    def remembered(*arguments):
        value = read(*arguments).copy()
        references.append(weakref.ref(value))
        return value

    monkeypatch.setattr(service, "array", remembered)
    return references


def test_a_refused_request_lets_its_tensors_go_at_once(plane, decoded, monkeypatch, no_collection):
    """without waiting for a collection: no exception may hold the frames that led to it."""

    def refuse(version, name, inputs, *rest):
        raise invalid("no")

    monkeypatch.setattr(StubVersion, "run", refuse)
    call = translated(GrpcDoor(plane).predict)
    with pytest.raises(RuntimeError, match="INVALID_ARGUMENT"):
        call(question(x=np.ones(1000, "float32")), Context())
    assert len(decoded) == 1 and decoded[0]() is None


def test_names_are_checked_before_a_tensor_is_decoded(plane, decoded):
    with pytest.raises(ServingError, match="Sent extra: {a,b}"):
        GrpcDoor(plane).predict(question(a=np.ones(2), b=np.ones(2), x=np.ones(2)), Caller("GRPC"))
    assert not decoded


def test_a_version_that_failed_has_the_code_of_its_error_over_both_apis():
    from tensorflow_serving.apis import get_model_status_pb2

    model = Model("m", "/nowhere")
    model.states = {1: State(END, "no", grpc.StatusCode.DATA_LOSS), 2: State(AVAILABLE)}
    plane, request = Plane(Catalog.of(model)), get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "m"
    data = GrpcDoor(plane).status(request.SerializeToString(), Caller("GRPC"))
    rows = get_model_status_pb2.GetModelStatusResponse.FromString(data).model_version_status
    assert [(row.status.error_code, row.status.error_message) for row in rows] == [
        (0, ""),
        (15, "no"),
    ]
    printed = json.loads(status_text(plane.status(ModelSpec("m"), Caller("REST"))))[
        "model_version_status"
    ]
    assert [row["status"]["error_code"] for row in printed] == ["OK", "DATA_LOSS"]


def test_metadata_asks_for_the_model_before_the_fields(plane):
    for data, words in ((b"", "Missing ModelSpec"), (b"\x0a\x03\x0a\x01m", "one metadata_field")):
        with pytest.raises(ServingError, match=words) as error:
            GrpcDoor(plane).metadata(data, Caller("GRPC"))
        assert error.value.code.name == "INVALID_ARGUMENT"


def test_whole_numbers_are_typed_unless_the_client_reads_them_raw(plane):
    from tensorflow_serving.apis import predict_pb2

    request = message("PredictRequest")()
    request.model_spec.name = "m"
    request.model_spec.signature_name = "of_3"
    request.inputs["x"].dtype = 3
    request.inputs["x"].int_val.append(7)
    data = request.SerializeToString()
    door = GrpcDoor(plane)
    typed, raw = (
        predict_pb2.PredictResponse.FromString(door.predict(data, caller)).outputs["x"]
        for caller in (Caller("GRPC"), Caller("GRPC", tensor_content=True))
    )
    assert list(typed.int_val) == [7] and not typed.tensor_content
    assert raw.tensor_content == b"\7\0\0\0" and not raw.int_val


def test_bytes_that_are_no_message_cost_no_memory():
    """of every method, over real sockets: gRPC's own deserialisers leak 16 KiB each time."""
    server, port = service.grpc_server(Catalog.of(MODEL), "127.0.0.1:0")
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        calls = [
            channel.unary_unary(f"/tensorflow.serving.{owner}/{method}")
            for owner, method in METHODS.values()
        ]

        def ask(times: int) -> int:
            for _ in range(times):
                for call in calls:
                    with pytest.raises(grpc.RpcError) as error:
                        call(b"\xff\xff\xff", timeout=60)
                    assert error.value.code().name == "INTERNAL"
            gc.collect()
            return resident()

        warm = ask(60)
        grown = ask(240) - warm
    server.stop(None)
    assert grown < 10, f"{grown} MiB for {240 * len(calls)} messages"


def field(number: int, data: bytes) -> bytes:
    return prefix(number, len(data)) + data


def entry_of(tensor: bytes) -> bytes:
    return SPEC + field(2, field(1, b"x") + field(2, tensor))


NOISE = 0.05  # seconds, of which nothing is said
SPEC = field(1, field(1, b"m"))
EXAMPLES = field(2, field(1, field(1, b"abcd")))  # an Input of ten bytes
# TensorProto.dtype and .tensor_shape: two values
FLOATS = b"\x08\x01" + field(2, field(2, b"\x08\x02"))
WHOLE = b"\x08\x03" + field(2, field(2, b"\x08\x02"))
MODEL_CONFIG = field(2, b"/nowhere") + field(4, b"tensorflow")
# verb, what is repeated -> (the message around the pieces, a piece)
REPEATED = {
    ("predict", "spec"): (bytes, SPEC),
    ("predict", "inputs"): (bytes, SPEC + field(2, field(1, b"x"))),
    ("predict", "entry"): (lambda many: SPEC + field(2, many), b"\x4a\x00"),
    ("predict", "outputs"): (bytes, SPEC + field(3, b"x")),
    ("predict", "unknown"): (bytes, b"\x4a\x00"),
    ("predict", "shape"): (lambda many: entry_of(FLOATS + many), field(2, field(2, b"\x08\x01"))),
    ("predict", "floats"): (lambda many: entry_of(FLOATS + many), field(5, bytes(4))),
    ("predict", "numbers"): (lambda many: entry_of(WHOLE + many), field(7, b"\x01") + b"\x38\x01"),
    ("predict", "endless"): (lambda many: entry_of(WHOLE + field(7, many + b"\1")), b"\xff"),
    ("classify", "input"): (lambda many: SPEC + many, EXAMPLES),
    ("classify", "examples"): (lambda many: SPEC + field(2, field(1, many)), b"\x0a\x00"),
    ("classify", "context"): (lambda many: SPEC + field(2, field(2, many)), field(2, b"abcd")),
    ("regress", "input"): (lambda many: SPEC + many, EXAMPLES),
    ("multi_inference", "input"): (bytes, EXAMPLES),
    ("multi_inference", "tasks"): (bytes, field(1, SPEC)),
    ("multi_inference", "specs of a task"): (lambda many: field(1, many), SPEC),
    ("metadata", "fields"): (lambda many: SPEC + many, field(2, b"signature_de")),
    ("status", "spec"): (bytes, SPEC),
    ("reload", "names"): (lambda many: field(1, field(1, b"")) + many, field(2, b"name")),
    ("reload", "models"): (lambda many: field(1, field(1, many)), field(1, MODEL_CONFIG)),
}


def test_every_verb_is_among_what_is_repeated():
    assert {verb for verb, _ in REPEATED} == set(METHODS)


@pytest.mark.parametrize("verb, what", REPEATED)
def test_fields_that_come_again_cost_no_more_than_the_first(verb, what):
    """four times the bytes, at most some four times the processor's time: what is copied anew for
    each piece would take sixteen times. Nothing takes seconds.
    """
    around, piece = REPEATED[verb, what]
    model = Model("m", "/nowhere")
    model.versions = {1: StubVersion()}
    model.states = {1: State(AVAILABLE)}
    door = GrpcDoor(Plane(Catalog.of(model)))

    def spent(mebibytes: int) -> float:
        data = around(piece * ((mebibytes << 20) // len(piece) - 99))
        since = time.thread_time()
        with suppress(ServingError):
            door.answers[verb](data, Caller("GRPC"))
        return time.thread_time() - since

    spent(1)  # imports TensorFlow's messages
    # the collector walks through all that other tests left, at times of its own
    gc.disable()
    try:
        ratio = min((spent(4) + NOISE) / (spent(1) + NOISE) for _ in range(3))
    finally:
        gc.enable()
    assert ratio < 8


def resident() -> int:
    """MiB of this process."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 >> 20


def test_a_long_text_of_wide_characters_keeps_its_code():
    server, port = service.grpc_server(Catalog.of(MODEL), "127.0.0.1:0")
    request = message("PredictRequest")()
    request.model_spec.name = "m"
    request.model_spec.signature_name = "😀" * 1100
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
        # often: from 8 KiB of metadata on gRPC refuses by chance, and from 16 KiB on always
        for _ in range(50):
            with pytest.raises(grpc.RpcError) as error:
                call(request.SerializeToString(), timeout=60)
            assert error.value.code().name == "INVALID_ARGUMENT"
            assert error.value.details().endswith("😀...TRUNCATED")
    server.stop(None)
