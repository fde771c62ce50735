"""One plane behind both doors: every verb is there, none is called past the gate, none keeps what
it refused.
"""

import pytest
from fuzz.targets import MODEL

from serving.errors import ServingError
from serving.server import plane as plane_module
from serving.server.catalog import Catalog
from serving.server.grpc.service import METHODS, GrpcDoor
from serving.server.monitoring import COUNT, LATENCY, Metrics
from serving.server.plane import VERBS, WITHOUT_REST, Caller, Plane, check_door
from serving.server.rest.routes import Request, Routes
from serving.wire.messages import message
from serving.wire.model_spec import ModelSpec

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
        question.model_spec.name = "m"
        data = question.SerializeToString() if verb == "metadata" else b""
        with pytest.raises(ServingError) as error:
            if verb == "reload":
                plane.reload([], [])
            answer(data, Caller("GRPC"))
        assert error.value.code.name == "UNAVAILABLE", verb
    for method, ending in PATHS.values():
        request = Request(method, f"/v1/models/m{ending}", b"{}", "", lambda: True)
        assert routes(plane).reply(request).status == 503


def test_what_asks_no_graph_is_counted_over_rest_as_in_the_original(plane):
    def answered(method: str, path: str) -> None:
        routes(plane).reply(Request(method, path, b"", "", lambda: True))

    def counts() -> list[str]:
        return [line for line in plane.metrics.text().splitlines() if line.startswith(COUNT)]

    plane.metrics = Metrics()
    spec = ModelSpec("m")
    plane.status(spec, Caller("GRPC"))
    plane.metadata(spec, Caller("GRPC"))
    assert not counts()
    for path in ("", "/metadata", "/versions/9", "/versions/9/metadata"):
        answered("GET", f"/v1/models/m{path}")
    answered("GET", "/v1/models/other")
    assert counts() == [
        f'{COUNT}{{model_name="m",status="NOT_FOUND"}} 2',
        f'{COUNT}{{model_name="m",status="OK"}} 2',
    ]
    assert f"{LATENCY}_count" not in plane.metrics.text()
