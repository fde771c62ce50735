"""The embedded model server: TensorFlow Serving's gRPC protocol (Predict, GetModelMetadata, GetModelStatus) and its REST form, on loopback by default.

For laptops, tests and the gate before a push; in production the real `tensorflow_model_server` reads the same folder.
"""

from __future__ import annotations

import base64
import json
import re
import signal
import sys
import threading
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import grpc
import numpy as np

from serving.errors import ServingError, invalid, not_found
from serving.tensors import from_proto, to_proto
from serving.versions import Model, keep_polling

LARGEST_MESSAGE = 256 << 20


class Doors:
    """gRPC services over one model."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def held(self, spec):
        """a context that keeps the version a ModelSpec names loaded."""
        if not spec.name:
            raise invalid("Missing ModelSpec" if not spec.ByteSize() else "ModelSpec has no name specified.")
        if spec.name != self.model.name:
            raise not_found(f"Servable not found for request: Latest({spec.name})")
        return self.model.held(spec.version.value if spec.HasField("version") else None)

    def Predict(self, request, context):  # noqa: N802  the protocol's name
        from tensorflow_serving.apis import predict_pb2

        inputs = {}
        with self.held(request.model_spec) as version:
            for name, value in request.inputs.items():
                try:
                    inputs[name] = from_proto(value)
                except (TypeError, ValueError, KeyError) as error:
                    raise invalid(f"tensor parsing error: {name}: {error}") from error
            signature, _ = version.signature(request.model_spec.signature_name)
            found = version.run(signature, inputs, request.output_filter)
        response = predict_pb2.PredictResponse()
        response.model_spec.name, response.model_spec.signature_name = self.model.name, signature
        response.model_spec.version.value = version.number
        for name, value in found.items():
            response.outputs[name].CopyFrom(to_proto(value))
        return response

    def GetModelMetadata(self, request, context):  # noqa: N802
        from tensorflow_serving.apis import get_model_metadata_pb2

        with self.held(request.model_spec) as version:
            signatures = version.signatures
        if list(request.metadata_field) != ["signature_def"]:
            raise invalid(
                "GetModelMetadataRequest must specify at least one metadata_field"
                if not request.metadata_field
                else f"Metadata field {request.metadata_field[0]} is not supported"
            )
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.model_spec.name, response.model_spec.version.value = self.model.name, version.number
        table = get_model_metadata_pb2.SignatureDefMap()
        for name, signature in signatures.items():
            table.signature_def[name].CopyFrom(signature)
        response.metadata["signature_def"].Pack(table)
        return response

    def GetModelStatus(self, request, context):  # noqa: N802
        from tensorflow_serving.apis import get_model_status_pb2

        if request.model_spec.name != self.model.name or not self.model.states:
            raise not_found(f"Could not find any versions of model {request.model_spec.name}")
        response = get_model_status_pb2.GetModelStatusResponse()
        for number, (state, error) in sorted(self.model.states.items(), reverse=True):
            row = response.model_version_status.add(version=number, state=state)
            row.status.error_code, row.status.error_message = (2 if error else 0), error
        return response


def translated(method):
    """ServingError -> gRPC status."""

    def call(request, context):
        try:
            return method(request, context)
        except ServingError as error:
            context.abort(error.code, str(error))

    return call


def grpc_server(model: Model, address: str) -> tuple[grpc.Server, int]:
    """a started server and its port."""
    from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

    doors = Doors(model)
    for name in ("Predict", "GetModelMetadata", "GetModelStatus"):
        setattr(doors, name, translated(getattr(doors, name)))
    server = grpc.server(
        futures.ThreadPoolExecutor(8),
        options=[("grpc.max_receive_message_length", LARGEST_MESSAGE), ("grpc.max_send_message_length", -1), ("grpc.so_reuseport", 0)],
    )
    for method in ("Classify", "Regress", "MultiInference", "HandleReloadConfigRequest"):
        setattr(doors, method, unimplemented(method))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(doors, server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(doors, server)
    try:
        port = server.add_insecure_port(address)
    except RuntimeError as error:
        raise OSError(f"cannot listen on {address}: the port is taken; choose another with --port, or 0 for any") from error
    server.start()
    return server, port


def unimplemented(name: str):
    def call(request, context):
        context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{name} is not offered by the embedded server; these models have predict signatures only")

    return call


class Rest(BaseHTTPRequestHandler):
    """/v1/models/M[/versions/N] status, /metadata, :predict in row and column form."""

    model: Model
    protocol_version = "HTTP/1.1"
    ROUTE = re.compile(r"^/v1/models/([^/:]+)(?:/versions/(\d+))?(/metadata|:predict)?$")

    def log_message(self, *arguments) -> None:
        """requests are not worth a line each."""

    def answer(self, code: int, content: dict) -> None:
        data = json.dumps(content).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def handled(self, method: str, body: bytes) -> dict:
        route = self.ROUTE.match(self.path)
        if not route or (method == "POST") != (route[3] == ":predict"):
            raise invalid(f"Malformed request: {method} {self.path}")
        content = parsed(body) if method == "POST" else None
        if route[1] != self.model.name:
            raise not_found(f"Servable not found for request: Latest({route[1]})")
        if method == "GET" and not route[3]:
            names = {10: "START", 20: "LOADING", 30: "AVAILABLE", 40: "UNLOADING", 50: "END"}
            return {
                "model_version_status": [
                    {"version": str(number), "state": names[state], "status": {"error_code": "UNKNOWN" if error else "OK", "error_message": error}}
                    for number, (state, error) in sorted(self.model.states.items(), reverse=True)
                ]
            }
        with self.model.held(int(route[2]) if route[2] else None) as version:
            return metadata(self.model, version) if method == "GET" else predict(version, content)

    def respond(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            self.answer(200, self.handled(method, body))
        except ServingError as error:
            self.answer(error.http, {"error": str(error)})

    def do_GET(self) -> None:  # noqa: N802
        self.respond("GET")

    def do_POST(self) -> None:  # noqa: N802
        self.respond("POST")


def parsed(body: bytes) -> dict:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise invalid(f"JSON Parse error: {error}") from error
    if not isinstance(content, dict) or ("instances" in content) == ("inputs" in content):
        raise invalid('Request must hold exactly one of "instances" and "inputs"')
    return content


def metadata(model: Model, version) -> dict:
    from google.protobuf import json_format

    table = {name: json_format.MessageToDict(signature, preserving_proto_field_name=True) for name, signature in version.signatures.items()}
    return {"model_spec": {"name": model.name, "signature_name": "", "version": str(version.number)}, "metadata": {"signature_def": {"signature_def": table}}}


def predict(version, content: dict) -> dict:
    """row form: instances -> predictions; column form: inputs -> outputs."""
    import tensorflow as tf

    signature, found = version.signature(content.get("signature_name", ""))
    names, rows = sorted(found.inputs), content.get("instances")
    if rows is not None:
        if not isinstance(rows, list) or not rows:
            raise invalid('"instances" is a list of at least one row')
        named = isinstance(rows[0], dict) and "b64" not in rows[0]
        columns = {name: [row[name] for row in rows] for name in names} if named else {names[0]: rows}
    else:
        inputs = content["inputs"]
        columns = inputs if isinstance(inputs, dict) and "b64" not in inputs else {names[0]: inputs}
    try:
        arrays = {
            name: np.array(
                unpacked(value), object if found.inputs[name].dtype == tf.string.as_datatype_enum else tf.as_dtype(found.inputs[name].dtype).as_numpy_dtype
            )
            for name, value in columns.items()
            if name in found.inputs
        }
    except (ValueError, TypeError, KeyError) as error:
        raise invalid(f"Failed to process inputs: {error}") from error
    outputs = {name: plain(value) for name, value in version.run(signature, arrays, ()).items()}
    if rows is None:
        return {"outputs": outputs if len(outputs) > 1 else next(iter(outputs.values()))}
    count = len(next(iter(outputs.values())))
    return {"predictions": [{name: value[i] for name, value in outputs.items()} if len(outputs) > 1 else next(iter(outputs.values()))[i] for i in range(count)]}


def unpacked(value):
    """{"b64": text} -> bytes, lists through and through."""
    if isinstance(value, dict):
        return base64.b64decode(value["b64"])
    return [unpacked(item) for item in value] if isinstance(value, list) else value


def plain(value: np.ndarray):
    """numpy to JSON; bytes as {"b64": text}."""
    if value.dtype == object:
        return [plain(item) if isinstance(item, np.ndarray) else {"b64": base64.b64encode(item).decode()} for item in value]
    return value.tolist()


def serve(*, name: str, base: Path, port: int, rest_port: int | None, host: str = "127.0.0.1", poll_seconds: float = 1.0, patience: float = 60.0) -> int:
    """load, then listen until SIGTERM or SIGINT; running requests are finished first. 0, or 1 if the first version cannot be loaded."""
    if not base.is_absolute():
        raise ValueError(f"model_base_path must be absolute, got {base}")
    model, stop = Model(name, base), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    model.poll()
    while model.current is None:
        if model.states and model.newest() in model.states:
            print(f"Failed to start server. Error: {model.states[model.newest()][1]}", file=sys.stderr)
            return 1
        if stop.wait(poll_seconds):
            return 0
        model.poll()
    server, port = grpc_server(model, f"{host}:{port}")
    print(f"gRPC on {host}:{port}", flush=True)
    if rest_port is not None:
        door = ThreadingHTTPServer((host, rest_port), type("Door", (Rest,), {"model": model}))
        threading.Thread(target=door.serve_forever, daemon=True).start()
        print(f"REST on {host}:{door.server_port}", flush=True)
    keep_polling(model, poll_seconds, stop)
    stop.wait()
    server.stop(grace=10).wait()
    return 0
