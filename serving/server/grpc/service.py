"""The gRPC door: TensorFlow Serving's PredictionService and ModelService over a catalog of models,
on loopback by default.

For laptops, tests and the gate before a push; in production the real `tensorflow_model_server`
reads the same folder.
"""

from __future__ import annotations

import sys
import threading
import time
from concurrent import futures
from dataclasses import dataclass

import grpc

from serving.errors import ServingError, from_tensorflow, invalid, late
from serving.server.admission import Gate
from serving.server.catalog import Catalog
from serving.server.classify import check_tasks, classify, multi_inference, regress
from serving.server.config_files import models_of
from serving.server.grpc.health import Health
from serving.server.models import Model, keep_polling
from serving.server.rest.routes import Rest, RestServer
from serving.server.signals import StopSignals
from serving.wire.responses import predict_response
from serving.wire.tensors import from_proto

LARGEST_MESSAGE = 256 << 20
THREADS = 16
METHODS = (
    "Predict",
    "Classify",
    "Regress",
    "MultiInference",
    "GetModelMetadata",
    "GetModelStatus",
    "HandleReloadConfigRequest",
)


class Doors:
    """gRPC services over a catalog; every method raises ServingError. content: floats of an answer
    as raw bytes instead of typed fields.
    """

    def __init__(self, catalog: Catalog, content: bool = False) -> None:
        self.catalog, self.content = catalog, content

    def counted(self, request, api: str):
        return self.catalog.metrics.request(
            self.catalog.model, request.model_spec.name, api, "GRPC"
        )

    def Predict(self, request, context) -> bytes:  # noqa: N802  the protocol's name
        """a serialised PredictResponse."""
        from tensorflow_serving.apis import predict_pb2

        with self.counted(request, "Predict"), self.catalog.held(request.model_spec) as version:
            signature, _ = version.signature(request.model_spec.signature_name)
            inputs = {}
            for name, value in request.inputs.items():
                try:
                    inputs[name] = from_proto(value)
                except (TypeError, ValueError, KeyError) as error:
                    raise invalid(f"tensor parsing error: {name}: {error}") from error
            with self.catalog.metrics.runtime(request.model_spec.name, "Predict"):
                found = version.run(
                    signature,
                    inputs,
                    request.output_filter,
                    deadline_of(context),
                    context.is_active,
                )
        spec = predict_pb2.PredictResponse().model_spec
        self.named(spec, request.model_spec.name, version, signature)
        return predict_response(spec.SerializeToString(), found, self.content)

    def named(self, spec, name: str, version, signature: str = "") -> None:
        spec.name, spec.signature_name, spec.version.value = name, signature, version.number

    def Classify(self, request, context):  # noqa: N802
        from tensorflow_serving.apis import classification_pb2

        return self.inferred(
            request, context, "Classify", classify, classification_pb2.ClassificationResponse()
        )

    def Regress(self, request, context):  # noqa: N802
        from tensorflow_serving.apis import regression_pb2

        return self.inferred(
            request, context, "Regress", regress, regression_pb2.RegressionResponse()
        )

    def inferred(self, request, context, api: str, infer, response):
        with self.counted(request, api), self.catalog.held(request.model_spec) as version:
            with self.catalog.metrics.runtime(request.model_spec.name, api):
                signature, result = infer(
                    version,
                    request.model_spec.signature_name,
                    request.input,
                    deadline_of(context),
                    context.is_active,
                )
            self.named(response.model_spec, request.model_spec.name, version, signature)
        response.result.CopyFrom(result)
        return response

    def MultiInference(self, request, context):  # noqa: N802
        from tensorflow_serving.apis import inference_pb2

        check_tasks(request)
        response = inference_pb2.MultiInferenceResponse()
        with self.catalog.held(request.tasks[0].model_spec) as version:
            for signature, method, result in multi_inference(
                version, request, deadline_of(context), context.is_active
            ):
                row = response.results.add()
                self.named(row.model_spec, request.tasks[0].model_spec.name, version, signature)
                (
                    row.classification_result
                    if method.endswith("classify")
                    else row.regression_result
                ).CopyFrom(result)
        return response

    def GetModelMetadata(self, request, context):  # noqa: N802
        from tensorflow_serving.apis import get_model_metadata_pb2

        if not request.metadata_field:
            raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
        for name in request.metadata_field:
            if name != "signature_def":
                raise invalid(f"Metadata field {name} is not supported")
        with self.catalog.held(request.model_spec) as version:
            signatures = version.signatures
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        self.named(response.model_spec, request.model_spec.name, version)
        table = get_model_metadata_pb2.SignatureDefMap()
        for name, signature in signatures.items():
            table.signature_def[name].CopyFrom(signature)
        response.metadata["signature_def"].Pack(table)
        return response

    def GetModelStatus(self, request, context):  # noqa: N802
        from tensorflow_serving.apis import get_model_status_pb2

        if not request.HasField("model_spec"):
            raise invalid("Missing ModelSpec")
        spec, response = request.model_spec, get_model_status_pb2.GetModelStatusResponse()
        for number, state, error in self.catalog.status(
            spec.name, spec.version.value if spec.HasField("version") else None
        ):
            row = response.model_version_status.add(version=number, state=state)
            row.status.error_code, row.status.error_message = (2 if error else 0), error
        return response

    def HandleReloadConfigRequest(self, request, context):  # noqa: N802
        from tensorflow_serving.apis import model_management_pb2

        before = [self.catalog.metrics.count(name) for name in request.metric_names]
        self.catalog.reload(models_of(request.config))
        response = model_management_pb2.ReloadConfigResponse()
        for name, count in zip(request.metric_names, before):
            if count is not None:
                response.metric.add(
                    name=name, int64_value_increase=self.catalog.metrics.count(name) - count
                )
        return response


def deadline_of(context) -> float | None:
    """of time.monotonic(); None if the client set none."""
    left = context.time_remaining()
    return None if left is None or left > 1e8 else time.monotonic() + left


def translated(method, gate: Gate):
    """ServingError -> gRPC status; anything unforeseen -> UNKNOWN, and the server goes on. What
    nobody waits for any more is not begun.
    """

    def call(request, context):
        try:
            with gate.passed():
                if not context.is_active():
                    raise late()
                return method(request, context)
        except ServingError as error:
            failed = error
        except Exception as error:  # the edge
            failed = from_tensorflow(error)
        return context.abort(failed.code, str(failed))

    return call


def predict_handler(doors: Doors):
    """found before the generated one, which would serialise the answer: this one gets it as bytes."""
    from tensorflow_serving.apis import predict_pb2

    method = grpc.unary_unary_rpc_method_handler(
        doors.Predict, predict_pb2.PredictRequest.FromString
    )
    return grpc.method_handlers_generic_handler(
        "tensorflow.serving.PredictionService", {"Predict": method}
    )


@dataclass(frozen=True)
class Doorway:
    """How the gRPC door is made. credentials: of grpc.ssl_server_credentials, for TLS; options:
    further (name, value) of gRPC's core; socket: path of a Unix socket beside the port;
    tensor_content: answers as raw bytes instead of typed fields.
    """

    threads: int = THREADS
    credentials: object = None
    health: bool = False
    options: tuple = ()
    socket: str = ""
    tensor_content: bool = False


def grpc_server(
    model: Model | Catalog, address: str, *, gate: Gate | None = None, **settings
) -> tuple[grpc.Server, int]:
    """a started server and its port. settings: of `Doorway`. Raises OSError for an address that is
    taken.
    """
    from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

    way, gate = Doorway(**settings), gate or Gate()
    doors = Doors(Catalog.of(model), way.tensor_content)
    for name in METHODS:
        setattr(doors, name, translated(getattr(doors, name), gate))
    options = {
        "grpc.max_receive_message_length": LARGEST_MESSAGE,
        "grpc.max_send_message_length": -1,
        "grpc.so_reuseport": 0,
        **dict(way.options),
    }
    handlers = [predict_handler(doors), *([Health(gate)] if way.health else [])]
    server = grpc.server(
        futures.ThreadPoolExecutor(way.threads), options=list(options.items()), handlers=handlers
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(doors, server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(doors, server)
    port = listening(server, address, way.credentials)
    if way.socket:
        listening(server, f"unix:{way.socket}", None)
    server.start()
    return server, port


def listening(server: grpc.Server, address: str, credentials) -> int:
    """the port. Raises OSError."""
    try:
        return (
            server.add_secure_port(address, credentials)
            if credentials
            else server.add_insecure_port(address)
        )
    except RuntimeError as error:
        raise OSError(
            f"cannot listen on {address}: it is taken or cannot be made; choose another with "
            "--port (0: any) or --grpc_socket_path"
        ) from error


def serve(
    catalog: Catalog,
    configs,
    *,
    port: int,
    rest_port: int | None,
    host: str = "127.0.0.1",
    poll_seconds: float = 1.0,
    reread=None,
    grace: float = 10.0,
    rest: dict | None = None,
    **settings,
) -> int:
    """load, then listen until SIGTERM or SIGINT; running requests are finished first. 0, or 1 if a
    first version cannot be loaded.

    reread: polled beside the models (the config file), or None. settings: of `Doorway`; rest: of
    `RestServer`.
    """
    stop = threading.Event()  # of the threads that poll
    with StopSignals() as signals:
        try:
            catalog.reload(configs)
            while not catalog.ready() and not catalog.failure():
                if signals.wait(max(poll_seconds, 0.1)):
                    return 0
                catalog.poll()
            failed = catalog.failure()
        except ServingError as error:
            failed = str(error)
        if failed:
            print(f"Failed to start server. Error: {failed}", file=sys.stderr)
            return 1
        gate = Gate()
        server, port = grpc_server(catalog, f"{host}:{port}", gate=gate, **settings)
        print(f"gRPC on {host}:{port}", flush=True)
        door = None
        if rest_port is not None:
            door = RestServer((host, rest_port), catalog, gate=gate, **(rest or {}))
            door.start()
            print(f"REST on {host}:{door.server_port}", flush=True)
        if poll_seconds > 0:
            keep_polling(catalog, poll_seconds, stop)
        if reread:
            keep_polling(reread, reread.seconds, stop)
        signals.wait()
        stop.set()
        gate.close(
            grace
        )  # both ports stay open meanwhile, so that probes read NOT_SERVING and clients UNAVAILABLE instead of a broken connection
        ended = server.stop(grace=1.0)
        if door:
            door.drain(1.0)
        ended.wait()
        return 0


__all__ = ["Doors", "Rest", "grpc_server", "serve"]
