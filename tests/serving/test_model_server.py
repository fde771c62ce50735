"""Small SavedModels behind the whole server: policies, labels, reload, classify, regress, REST's
rules, batching, metrics, faults.
"""

import gzip
import json
import socket
import urllib.error
import urllib.request

import grpc
import numpy as np
import pytest
from line_model import line_example, save_lines
from waiting import wait_for

from serving.client.client import Client
from serving.server.catalog import Catalog
from serving.server.config_files import ModelConfig
from serving.server.grpc.service import Doorway, grpc_server
from serving.server.models import Policy
from serving.server.rest.transport import RestServer


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "lines"
    for number in (1, 2, 3):
        save_lines(folder / str(number), float(number))
    return folder


@pytest.fixture(scope="module")
def served(base):
    """(catalog, gRPC address, REST url) of versions 1 to 3, labels old and new."""
    catalog = Catalog(labels_ahead=True)
    catalog.reload([ModelConfig("lines", base, Policy(latest=None), {"old": 1, "new": 3})])
    server, port = grpc_server(catalog, "127.0.0.1:0", Doorway(health=True))
    door = RestServer(
        ("127.0.0.1", 0), catalog, metrics_path="/monitoring/prometheus/metrics", reading=1.0
    )
    door.start()
    yield catalog, f"127.0.0.1:{port}", f"http://127.0.0.1:{door.server_port}"
    server.stop(None)
    door.drain(0)


def fetch(url: str, body=None, headers=None):
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, data, headers or {}), timeout=60
        ) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_all_versions_of_the_policy_answer_at_once(served):
    for number in (1, 2, 3):
        with Client(served[1], "lines", version=number) as client:
            np.testing.assert_array_equal(
                client.predict("", {"x": np.ones((1, 2), "float32")})["y"], [[number, number]]
            )
    with (
        Client(served[1], "lines", version=9) as client,
        pytest.raises(grpc.RpcError, match=r"Specific\(lines, 9\)"),
    ):
        client.predict("", {"x": np.ones((1, 2), "float32")})


def test_classify_regress_and_multi_inference_answer_examples(served):
    from tensorflow_serving.apis import (
        classification_pb2,
        inference_pb2,
        prediction_service_pb2_grpc,
    )

    stub = prediction_service_pb2_grpc.PredictionServiceStub(grpc.insecure_channel(served[1]))
    request = classification_pb2.ClassificationRequest()
    request.model_spec.name, request.model_spec.signature_name = "lines", "classify"
    request.input.example_list.examples.append(line_example(2.0))
    row = stub.Classify(request).result.classifications[0].classes
    assert [(entry.label, entry.score) for entry in row] == [("small", -6.0), ("large", 6.0)]
    many = inference_pb2.MultiInferenceRequest(input=request.input)
    for name in ("classify", "regress"):
        task = many.tasks.add(method_name=f"tensorflow/serving/{name}")
        task.model_spec.name, task.model_spec.signature_name = "lines", name
    assert stub.MultiInference(many).results[1].regression_result.regressions[0].value == 6.0
    request.input.Clear()
    with pytest.raises(grpc.RpcError, match="Input is empty"):
        stub.Classify(request)


RESTS = {
    "rows": (
        "/v1/models/lines:predict",
        {"instances": [[1, 2], [0.1, 4]]},
        200,
        '{"predictions": [[3.0, 6.0], [0.3, 12.0]]}',
    ),
    "a version": (
        "/v1/models/lines/versions/1:predict",
        {"inputs": [[1, 2]]},
        200,
        '{"outputs": [[1.0, 2.0]]}',
    ),
    "a label": (
        "/v1/models/lines/labels/old:predict",
        {"inputs": {"x": [[1, 2]]}},
        200,
        '{"outputs": [[1.0, 2.0]]}',
    ),
    "no numbers": (
        "/v1/models/lines:predict",
        b'{"inputs": [[NaN, -Infinity]]}',
        200,
        '{"outputs": [[NaN, -Infinity]]}',
    ),
    "regress": (
        "/v1/models/lines:regress",
        {"signature_name": "regress", "examples": [{"x": 1.5}]},
        200,
        '{"results": [4.5]}',
    ),
    "classify": (
        "/v1/models/lines:classify",
        {"signature_name": "classify", "examples": [{"x": 1.5}]},
        200,
        '["large", 4.5]',
    ),
    "unknown label": (
        "/v1/models/lines/labels/none:predict",
        {"inputs": [[1, 2]]},
        400,
        "Unrecognized servable version label: none",
    ),
    "unknown signature": (
        "/v1/models/lines:predict",
        {"signature_name": "S", "inputs": 1},
        400,
        'Serving signature name: \\"S\\" not found',
    ),
    "bad JSON before unknown model": ("/v1/models/other:predict", b"{", 400, "JSON Parse error"),
    "unknown model": (
        "/v1/models/other:predict",
        {"inputs": 1},
        404,
        "Servable not found for request: Latest(other)",
    ),
    "no such path": (
        "/v1/models/lines:guess",
        {"inputs": 1},
        400,
        "Malformed request: POST /v1/models/lines:guess",
    ),
    "text for numbers": (
        "/v1/models/lines:predict",
        {"inputs": [["a", "b"]]},
        400,
        "not of expected type: float",
    ),
    "ragged rows": ("/v1/models/lines:predict", {"instances": [[1, 2], [3]]}, 400, "Expecting"),
}


@pytest.mark.parametrize("name", RESTS)
def test_rest_answers_with_the_status_and_text_of_the_spec(served, name):
    path, body, status, text = RESTS[name]
    found = fetch(served[2] + path, body)
    assert found[0] == status and text in found[1]


def test_rest_unpacks_gzip_and_refuses_what_is_damaged(served):
    url = served[2] + "/v1/models/lines:predict"
    body = gzip.compress(b'{"inputs": [[1, 2]]}')
    assert fetch(url, body, {"Content-Encoding": "gzip"}) == (200, '{"outputs": [[3.0, 6.0]]}')
    assert fetch(url, body[:-9], {"Content-Encoding": "gzip"})[0] == 400


def test_a_sender_that_never_ends_is_cut_off_while_others_are_answered(served):
    host, port = served[2].removeprefix("http://").split(":")
    slow = [socket.create_connection((host, int(port))) for _ in range(50)]
    for connection in slow:
        connection.sendall(
            b"POST /v1/models/lines:predict HTTP/1.1\r\nContent-Length: 100\r\n\r\n{"
        )
    assert fetch(served[2] + "/v1/models/lines")[0] == 200
    for connection in slow:
        connection.settimeout(60)
        assert connection.recv(12) == b"HTTP/1.1 408"
        connection.close()


def test_metrics_have_tensorflow_servings_names(served):
    fetch(served[2] + "/v1/models/lines:predict", {"inputs": [[1, 2]]})
    text = fetch(served[2] + "/monitoring/prometheus/metrics")[1]
    assert ':tensorflow:serving:request_count{model_name="lines",status="OK"}' in text
    assert (
        'request_latency_bucket{model_name="lines",API="predict",entrypoint="REST",le="+Inf"}'
        in text
        and "other" not in text
    )


def test_health_names_what_serves(served):
    check = grpc.insecure_channel(served[1]).unary_unary("/grpc.health.v1.Health/Check")
    assert check(b"") == b"\x08\x01"
    with pytest.raises(grpc.RpcError, match="NOT_FOUND"):
        check(b"\x0a\x04none")


def test_bytes_that_are_no_message_are_refused_and_the_server_goes_on(served):
    call = grpc.insecure_channel(served[1]).unary_unary(
        "/tensorflow.serving.PredictionService/Predict"
    )
    with pytest.raises(grpc.RpcError) as error:
        call(b"\xff\xff\xff")
    assert error.value.code().name == "INTERNAL"
    with Client(served[1], "lines") as client:
        assert client.predict("", {"x": np.ones((1, 2), "float32")})


def test_a_process_killed_outright_starts_again_and_one_told_to_stop_ends_well(base, tmp_path):
    import sys

    from serving.release.process import ServerProcess

    models, batching = tmp_path / "models.config", tmp_path / "batching.config"
    models.write_text(
        f'model_config_list {{ config {{ name: "lines" base_path: "{base}" model_platform: '
        '"tensorflow" } }'
    )
    batching.write_text(
        "max_batch_size { value: 8 } num_batch_threads { value: 1 } allowed_batch_sizes: 8"
    )
    flags = [
        f"--model_config_file={models}",
        "--enable_batching",
        f"--batching_parameters_file={batching}",
        "--port=0",
        "--unheard_of=1",
        "--enable_profiler",
    ]
    for last in (False, True):
        with ServerProcess([sys.executable, "-m", "serving", "serve", *flags]) as server:
            with Client(server.address, "lines") as client:
                assert client.predict("", {"x": np.ones((1, 2), "float32")})["y"].tolist() == [
                    [3, 3]
                ]
            wait_for(
                lambda: (
                    {
                        "unknown argument: --unheard_of=1",
                        "--enable_profiler has no effect in the embedded server",
                    }
                    <= {*server.words}
                )
            )
            if last:
                assert server.stop(60) == 0
            else:
                server.process.kill()
