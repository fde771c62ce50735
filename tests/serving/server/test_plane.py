"""One plane behind both doors: every verb is there, none is called past the gate, none keeps what
it refused.
"""

import gc
import weakref
from types import SimpleNamespace

import grpc
import numpy as np
import pytest
from fuzz.targets import MODEL, StubVersion
from waiting import wait_for

from serving.errors import ServingError, invalid
from serving.server import plane as plane_module
from serving.server.batch_parameters import Parameters
from serving.server.batching import Scheduler
from serving.server.catalog import Catalog
from serving.server.grpc import service
from serving.server.grpc.service import METHODS, GrpcDoor, translated
from serving.server.plane import VERBS, WITHOUT_REST, Caller, Plane, check_door
from serving.server.rest.routes import Request, Routes
from serving.wire.messages import message

PATHS = {
    "status": ("GET", ""),
    "metadata": ("GET", "/metadata"),
    "predict": ("POST", ":predict"),
    "classify": ("POST", ":classify"),
    "regress": ("POST", ":regress"),
}


def routes(plane: Plane) -> Routes:
    return Routes(plane, metrics_path=None, seconds=5.0, threads=1)


@pytest.fixture
def plane():
    return Plane(Catalog.of(MODEL))


def test_both_doors_offer_every_verb(plane):
    assert set(METHODS) == VERBS and set(GrpcDoor(plane).answers) == VERBS
    assert set(routes(plane).answers) == VERBS - WITHOUT_REST == set(PATHS)


def test_a_door_that_lacks_a_verb_is_not_made(plane, monkeypatch):
    monkeypatch.setattr(plane_module, "VERBS", VERBS | {"guess"})
    for make in (GrpcDoor, routes):
        with pytest.raises(TypeError, match="door must offer .*guess"):
            make(plane)
    with pytest.raises(TypeError, match="got .*'guess'"):
        check_door("gRPC", {"guess"})


def test_nobody_passes_a_closed_gate(plane):
    plane.gate.close(0)
    for verb, answer in GrpcDoor(plane).answers.items():
        question = message("GetModelMetadataRequest")(metadata_field=["signature_def"])
        data = question.SerializeToString() if verb == "metadata" else b""
        with pytest.raises(ServingError) as error:
            if verb == "reload":
                plane.reload([], [])
            answer(data, Caller("GRPC"))
        assert error.value.code.name == "UNAVAILABLE", verb
    for method, ending in PATHS.values():
        request = Request(method, f"/v1/models/m{ending}", b"{}", "", lambda: True)
        assert routes(plane).reply(request).status == 503


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


def test_a_batch_that_fails_lets_its_tensors_go_at_once(no_collection):
    def fail(feeds, fetches, deadline):
        raise ValueError("broken")

    scheduler = Scheduler(Parameters(num_batch_threads=1))
    value = np.ones((1, 1000), "float32")
    reference = weakref.ref(value)
    with pytest.raises(ServingError, match="broken"):
        scheduler.run(SimpleNamespace(fetch=fail), {"x": value}, ["y"])
    del value
    scheduler.stop()
    wait_for(lambda: reference() is None)  # its thread lets go of the batch when it looks for more


def test_names_are_checked_before_a_tensor_is_decoded(plane, decoded):
    with pytest.raises(ServingError, match="Sent extra: {a,b}"):
        GrpcDoor(plane).predict(question(a=np.ones(2), b=np.ones(2), x=np.ones(2)), Caller("GRPC"))
    assert not decoded


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


def resident() -> int:
    """MiB of this process."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 >> 20
