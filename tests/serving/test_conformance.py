"""Rows of the specification's tables, one a case: gRPC codes and texts, flags, what a start-up
refuses, answers' encodings.
"""

import socket
import subprocess
import sys
from pathlib import Path

import grpc
import numpy as np
import pytest
from google.protobuf import text_format
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)
from working_model import save_working

from serving.__main__ import main
from serving.client.client import Client
from serving.release.process import ServerProcess

ONE = {"x": np.ones((1, 2), "float32")}
EXAMPLE = "input { example_list { examples { features { } } } }"
SPEC = 'model_spec { name: "working" }'
TENSOR = (
    'inputs { key: "x" value { dtype: DT_FLOAT tensor_shape { dim { size: 1 } dim { size: 2 } } '
    "float_val: 1 } }"
)
KINDS = {
    "Predict": predict_pb2.PredictRequest,
    "Classify": classification_pb2.ClassificationRequest,
    "Regress": regression_pb2.RegressionRequest,
    "MultiInference": inference_pb2.MultiInferenceRequest,
    "GetModelMetadata": get_model_metadata_pb2.GetModelMetadataRequest,
    "GetModelStatus": get_model_status_pb2.GetModelStatusRequest,
    "HandleReloadConfigRequest": model_management_pb2.ReloadConfigRequest,
}


def model(name: str, path: str = "/m", more: str = 'model_platform: "tensorflow"') -> str:
    return f'config {{ name: "{name}" base_path: "{path}" {more} }}'


def reload(*models: str) -> str:
    return f"config {{ model_config_list {{ {' '.join(models)} }} }}"


def task(method: str, signature: str = "", name: str = "working") -> str:
    return (
        f'tasks {{ model_spec {{ name: "{name}" signature_name: "{signature}" }} method_name: '
        f'"tensorflow/serving/{method}" }}'
    )


INVALID = "INVALID_ARGUMENT"
ASKED = SPEC + TENSOR
PARSING = "tensor parsing error: x"
VERSION_7 = 'model_spec { name: "working" version { value: 7 } }'
BOTH = 'model_platform: "tensorflow" model_type: TENSORFLOW'
ROWS = [
    ("Predict", "", INVALID, "Missing ModelSpec"),
    ("Classify", "", INVALID, "Missing ModelSpec"),
    ("Regress", "", INVALID, "Missing ModelSpec"),
    ("GetModelStatus", "", INVALID, "Missing ModelSpec"),
    ("GetModelMetadata", "", INVALID, "Missing ModelSpec"),
    ("Predict", 'model_spec { signature_name: "a" }', INVALID, "ModelSpec has no name specified."),
    ("GetModelStatus", "model_spec { }", "NOT_FOUND", "Could not find any versions of model"),
    (
        "GetModelStatus",
        'model_spec { name: "none" }',
        "NOT_FOUND",
        "Could not find any versions of model none",
    ),
    ("GetModelStatus", VERSION_7, "NOT_FOUND", "Could not find version 7 of model working"),
    (
        "Predict",
        'model_spec { name: "none" }',
        "NOT_FOUND",
        "Servable not found for request: Latest(none)",
    ),
    ("Predict", VERSION_7, "NOT_FOUND", "Servable not found for request: Specific(working, 7)"),
    (
        "Predict",
        'model_spec { name: "working" version_label: "L" }',
        INVALID,
        "Unrecognized servable version label: L",
    ),
    (
        "Predict",
        'model_spec { name: "working" signature_name: "S" }',
        "FAILED_PRECONDITION",
        'Serving signature key "S" not found.',
    ),
    (
        "Classify",
        f'model_spec {{ name: "working" signature_name: "S" }} {EXAMPLE}',
        INVALID,
        "No signature was found with the name: S",
    ),
    (
        "Regress",
        f'model_spec {{ name: "working" signature_name: "S" }} {EXAMPLE}',
        INVALID,
        "No signature was found with the name: S",
    ),
    (
        "MultiInference",
        f"{task('classify', 'S')} {EXAMPLE}",
        INVALID,
        "Requested signature not found in model graph: S",
    ),
    (
        "MultiInference",
        f"{task('classify')} {task('regress', 'b', 'other')} {EXAMPLE}",
        INVALID,
        "must access the same model name",
    ),
    (
        "MultiInference",
        f"{task('classify')} {task('classify')} {EXAMPLE}",
        INVALID,
        "Duplicate evaluation of signature",
    ),
    (
        "MultiInference",
        f"{task('predict')} {EXAMPLE}",
        "UNIMPLEMENTED",
        "Unsupported signature method_name",
    ),
    ("Predict", SPEC, INVALID, "input size does not match signature: 0!=1"),
    ("Predict", ASKED.replace("x", "z", 1), INVALID, "Sent extra: {z}. Missing but required: {x}."),
    (
        "Predict",
        ASKED.replace("FLOAT", "BOOL"),
        INVALID,
        "Expects arg[0] to be float but bool is provided",
    ),
    ("Predict", ASKED.replace("DT_FLOAT", "DT_INVALID"), INVALID, PARSING),
    ("Predict", ASKED.replace("size: 2", "size: -2"), INVALID, PARSING),
    ("Predict", ASKED.replace("float_val: 1", 'tensor_content: "123"'), INVALID, PARSING),
    (
        "Predict",
        ASKED + 'output_filter: "a"',
        INVALID,
        "output tensor alias not found in signature: a",
    ),
    (
        "Predict",
        ASKED + 'output_filter: "y0" output_filter: "y0"',
        INVALID,
        "duplicate output tensor alias: y0",
    ),
    ("Classify", SPEC, INVALID, ""),
    ("Classify", SPEC + EXAMPLE, INVALID, "No classification inputs found in SignatureDef"),
    ("Regress", SPEC + EXAMPLE, INVALID, "No regression inputs found"),
    ("GetModelMetadata", SPEC, INVALID, "at least one metadata_field"),
    (
        "GetModelMetadata",
        SPEC + 'metadata_field: "f"',
        INVALID,
        "Metadata field f is not supported",
    ),
    ("HandleReloadConfigRequest", "", INVALID, "Only ModelConfigList is currently supported"),
    ("HandleReloadConfigRequest", reload(model("a"), model("a")), INVALID, "multiple times"),
    ("HandleReloadConfigRequest", reload(model("a", "m")), INVALID, "absolute path or URI"),
    (
        "HandleReloadConfigRequest",
        reload(model("a", more='model_platform: "other"')),
        INVALID,
        "unsupported platform",
    ),
    ("HandleReloadConfigRequest", reload(model("a", more="")), INVALID, "Illegal setting neither"),
    ("HandleReloadConfigRequest", reload(model("a", more=BOTH)), INVALID, "Illegal setting both"),
]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "working"
    folder.mkdir()
    save_working(folder / "1", 2.0)
    return folder


@pytest.fixture(scope="module")
def server(base):
    """with the flags whose effect is tested here; TensorFlow Serving's own names."""
    flags = [
        f"--model_base_path={base}",
        "--model_name=working",
        "--port=0",
        "--rest_api_port=0",
        f"--grpc_socket_path={base.parent}/door",
    ]
    flags += [
        "--enable_serialization_as_tensor_content=true",
        "--grpc_max_threads=4",
        "--rest_api_num_threads=2",
        "--tensorflow_session_parallelism=1",
    ]
    with ServerProcess([sys.executable, "-m", "serving", "serve", *flags]) as made:
        yield made


def call(address: str, method: str, request):
    with grpc.insecure_channel(address) as channel:
        models = model_service_pb2_grpc.ModelServiceStub(channel)
        stub = (
            models
            if hasattr(models, method)
            else prediction_service_pb2_grpc.PredictionServiceStub(channel)
        )
        return getattr(stub, method)(request, timeout=60)


@pytest.mark.parametrize(
    "method, text, code, words",
    ROWS,
    ids=[f"{row[0]} {row[3][:40] or row[1][:20]}" for row in ROWS],
)
def test_a_bad_request_gets_the_code_and_the_words_of_the_original(
    server, method, text, code, words
):
    with pytest.raises(grpc.RpcError) as error:
        call(server.address, method, text_format.Parse(text, KINDS[method]()))
    assert error.value.code().name == code and words in error.value.details()


def test_an_unknown_method_is_unimplemented(server):
    with grpc.insecure_channel(server.address) as channel, pytest.raises(grpc.RpcError) as error:
        channel.unary_unary("/tensorflow.serving.PredictionService/Guess")(b"")
    assert error.value.code().name == "UNIMPLEMENTED"


def test_the_server_listens_on_loopback_alone(server):
    for address in (server.address, server.rest()):
        host, port = address.split(":")
        rows = [
            line.split()
            for table in ("tcp", "tcp6")
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        ]
        listening = {
            row[1].split(":")[0][-8:]
            for row in rows
            if row[1].endswith(f":{int(port):04X}") and row[3] == "0A"
        }
        assert host == "127.0.0.1" and listening == {"0100007F"}, (
            "127.0.0.1, also as an IPv6 socket shows it, in the kernel's table of listening sockets"
        )


def test_answers_come_as_tensor_content_where_the_flag_says_so_and_the_client_reads_both(server):
    request = text_format.Parse(SPEC + TENSOR, predict_pb2.PredictRequest())
    found = call(server.address, "Predict", request).outputs["y0"]
    assert found.tensor_content and not found.float_val
    with Client(server.address, "working") as client:
        assert client.predict("", ONE, ["y0"])["y0"].tolist() == [[2, 2]]


def test_the_unix_socket_answers_too(server, base):
    with Client(f"unix:{base.parent}/door", "working") as client:
        assert client.predict("", ONE, ["y0"])["y0"].tolist() == [[2, 2]]


def test_a_reload_counts_what_it_was_asked_to_count(server, base):
    known, unknown = "/tensorflow/serving/request_count", "/nothing"
    request = text_format.Parse(
        reload(model("working", str(base))), KINDS["HandleReloadConfigRequest"]()
    )
    request.metric_names.extend([known, unknown])
    found = call(server.address, "HandleReloadConfigRequest", request).metric
    assert [(one.name, one.int64_value_increase) for one in found] == [(known, 0)]


def chunks(server, *parts: bytes) -> bytes:
    host, port = server.rest().split(":")
    with socket.create_connection((host, int(port)), timeout=60) as one:
        one.sendall(
            b"POST /v1/models/working:predict HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(parts)
        )
        made = b""
        while data := one.recv(65536):
            made += data
    return made


def test_rest_reads_a_body_in_chunks_and_refuses_broken_ones(server):
    assert b'"y0": [[2.0, 4.0]]' in chunks(
        server, b'a;x=1\r\n{"inputs":\r\n', b"A\r\n [[1, 2]]}\r\n", b"0\r\nTrailer: a\r\n\r\n"
    )
    for broken in (b"zz\r\n{}\r\n0\r\n\r\n", b'3\r\n{"inputs"', b"-1\r\n\r\n"):
        assert chunks(server, broken, b"\r\n\r\n").startswith(b"HTTP/1.1 400")
    assert chunks(server, b"ffffffffff\r\n").startswith(b"HTTP/1.1 413")


def serve(*flags: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "serving", "serve", *flags],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_version_names_the_server_and_the_library(capsys):
    assert main(["serve", "--version"]) == 0
    output = capsys.readouterr().out
    assert output.startswith("TensorFlow ModelServer:") and "TensorFlow Library: 2." in output


THREADS = ("session", "intra_op", "inter_op")


@pytest.mark.parametrize(
    "flags, words",
    [
        (["--model_base_path=relative"], "must be absolute"),
        (
            ["--model_base_path=/m", "--batching_parameters_file=/f"],
            "--batching_parameters_file needs --enable_batching",
        ),
        (
            ["--model_base_path=/m", *(f"--tensorflow_{kind}_parallelism=1" for kind in THREADS)],
            "one kind",
        ),
        (["--model_config_file=/no/such/file"], "No such file"),
        (["--grpc_max_threads=0"], "expected a number of threads"),
    ],
)
def test_what_cannot_be_served_is_refused_in_words(flags, words):
    done = serve(*flags)
    assert done.returncode != 0 and words in done.stderr and "Traceback" not in done.stderr
    if "--grpc_max_threads=0" not in flags:  # a value that does not parse is argparse's to refuse
        assert "Failed to start server. Error: " in done.stderr


def test_a_taken_port_is_refused_in_words(server, base):
    done = serve(f"--model_base_path={base}", f"--port={server.address.split(':')[1]}")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "Failed to start server. Error: cannot listen" in done.stderr
    assert "is taken" in done.stderr
