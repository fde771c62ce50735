"""REST's paths, status codes and errors, without a socket."""

import json

import pytest
from fuzz.targets import MODEL

from serving.errors import ServingError
from serving.server.catalog import Catalog
from serving.server.plane import Plane
from serving.server.rest.routes import PATH, Request, Routes, spec_of
from serving.wire.model_spec import ModelSpec

PREDICT = b'{"inputs": [1.5]}'


def reply(method: str, path: str, body: bytes = b"", origin: str = "", here: bool = True):
    routes = Routes(Plane(Catalog.of(MODEL)), metrics_path="/metrics", seconds=5.0, threads=1)
    return routes.reply(Request(method, path, body, origin, lambda: here))


@pytest.mark.parametrize(
    "path, spec",
    [
        ("/v1/models/m", ModelSpec("m")),
        ("/V1/Models/m/Versions/7", ModelSpec("m", 7)),
        ("/v1/models/m/versions/007:predict", ModelSpec("m", 7)),
        ("/v1/models/m/labels/new%20one:predict", ModelSpec("m", label="new one")),
        ("/v1/models/a%2Fb/metadata", ModelSpec("a/b")),
        (f"/v1/models/m/versions/{2**63 - 1}", ModelSpec("m", 2**63 - 1)),
    ],
)
def test_a_path_names_a_model(path, spec):
    assert spec_of(PATH.fullmatch(path)) == spec


@pytest.mark.parametrize("number", [str(2**63), "9" * 5000])
def test_a_version_beyond_64_bits_is_refused(number):
    with pytest.raises(ServingError, match="Failed to convert version"):
        spec_of(PATH.fullmatch(f"/v1/models/m/versions/{number}"))


@pytest.mark.parametrize(
    "method, path, body, status, words",
    [
        ("GET", "/", b"", 404, "<H1>Not Found</H1>"),
        ("GET", "/metrics", b"", 200, "# TYPE"),
        ("POST", "/metrics", b"", 404, "Not Found"),
        ("GET", "/v1/models", b"", 400, "Missing model name in request."),
        ("GET", "/v1/models/m", b"", 200, "AVAILABLE"),
        ("GET", "/v1/models/other", b"", 404, "Could not find any versions of model other"),
        ("GET", "/v1/models/m/METADATA", b"", 200, "signature_def"),
        ("POST", "/v1/models/m", b"", 400, "Malformed request: POST /v1/models/m"),
        ("PUT", "/v1/models/m:predict", PREDICT, 400, "Malformed request: PUT"),
        ("POST", "/v1/models/m:PREDICT", PREDICT, 400, "Malformed request"),
        ("POST", "/v1/models/m:predict?a=b", PREDICT, 400, "Malformed request"),
        ("POST", "/v1/models/m:predict", PREDICT, 200, '{"outputs": [1.5]}'),
        ("POST", "/v1/models/m:predict", b'{"instances": [1.5]}', 200, '{"predictions": [1.5]}'),
        ("POST", "/v1/models/m:predict", b"{}", 400, "instances"),
    ],
)
def test_a_request_has_the_originals_status(method, path, body, status, words):
    answer = reply(method, path, body)
    assert answer.status == status and words in answer.data.decode()
    if status == 400:
        assert set(json.loads(answer.data)) == {"error"}


@pytest.mark.parametrize(
    "origin, status", [("http://a", 200), ("https://a", 200), ("", 400), ("ftp://a", 400)]
)
def test_options_are_for_pages(origin, status):
    answer = reply("OPTIONS", "/v1/models/m:predict", origin=origin)
    assert (answer.status, answer.data) == (status, b"")


def test_a_client_that_left_is_not_computed_for():
    assert reply("POST", "/v1/models/m:predict", PREDICT, here=False).status == 499
