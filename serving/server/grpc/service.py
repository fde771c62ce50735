"""The gRPC door: TensorFlow Serving's PredictionService and ModelService, bytes in and bytes out,
on loopback by default.

For laptops, tests and the gate before a push; in production the real `tensorflow_model_server`
reads the same folder.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent import futures
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import grpc
from google.protobuf.message import DecodeError

from models.tasks.arrays import Array
from serving.errors import ServingError, exhausted, from_tensorflow, internal, invalid, late
from serving.server.admission import Gate
from serving.server.catalog import Catalog
from serving.server.classify import CLASSIFY
from serving.server.config_files import models_of
from serving.server.grpc.health import Health
from serving.server.models import Model
from serving.server.plane import (
    Caller,
    Examples,
    Origin,
    Parse,
    Plane,
    Question,
    check_door,
)
from serving.server.session import Version
from serving.server.signatures import check_inputs
from serving.wire.messages import RAW_NUMBERS
from serving.wire.model_spec import ModelSpec, model_spec_bytes, model_spec_of
from serving.wire.requests import (
    ExamplesRequest,
    PredictRequest,
    examples_of,
    examples_request,
    multi_inference_request,
    predict_request,
)
from serving.wire.responses import predict_response
from serving.wire.tensor_reader import Allowance, array

# gRPC reads a message whole before anybody can refuse it
LARGEST_MESSAGE = 256 << 20
# Limit for messages that protobuf parses as a whole, which may take many times their size.
LARGEST_QUESTION = 4 << 20
THREADS = 16
FOREVER = 1e8  # seconds: how gRPC spells a deadline that is none
# verb -> service, method
METHODS = {
    "predict": ("PredictionService", "Predict"),
    "classify": ("PredictionService", "Classify"),
    "regress": ("PredictionService", "Regress"),
    "multi_inference": ("PredictionService", "MultiInference"),
    "metadata": ("PredictionService", "GetModelMetadata"),
    "status": ("ModelService", "GetModelStatus"),
    "reload": ("ModelService", "HandleReloadConfigRequest"),
}
T = TypeVar("T")
Answer = Callable[[bytes, Caller], bytes]


class GrpcDoor:
    """Turns a serialised request into a serialised response, for every verb of the plane; all
    methods raise ServingError. content: numbers of an answer as raw bytes instead of typed fields.
    """

    def __init__(self, plane: Plane, content: bool = False) -> None:
        self.plane = plane
        self.content = content
        self.answers: dict[str, Answer] = {
            "predict": self.predict,
            "classify": self.classify,
            "regress": self.regress,
            "multi_inference": self.multi_inference,
            "metadata": self.metadata,
            "status": self.status,
            "reload": self.reload,
        }
        check_door("gRPC", METHODS)
        check_door("gRPC", self.answers)

    def predict(self, data: bytes, caller: Caller) -> bytes:
        # bytes are told apart before the model is looked up, tensors decoded after it: their names
        # come from its signatures
        request = read(predict_request, data)
        parse = parsed_already(partial(question_of, request))
        origin, outputs = self.plane.predict(request.spec, parse, caller)
        content = self.content or caller.tensor_content
        return predict_response(origin_bytes(origin), outputs, content)

    def classify(self, data: bytes, caller: Caller) -> bytes:
        from tensorflow_serving.apis import classification_pb2

        request = read(examples_request, data)
        parse = parsed_already(partial(asked_examples, request))
        origin, result = self.plane.classify(request.spec, parse, caller)
        response = classification_pb2.ClassificationResponse(result=result)
        return serialized(response, origin)

    def regress(self, data: bytes, caller: Caller) -> bytes:
        from tensorflow_serving.apis import regression_pb2

        request = read(examples_request, data)
        parse = parsed_already(partial(asked_examples, request))
        origin, result = self.plane.regress(request.spec, parse, caller)
        return serialized(regression_pb2.RegressionResponse(result=result), origin)

    def multi_inference(self, data: bytes, caller: Caller) -> bytes:
        from tensorflow_serving.apis import inference_pb2

        request = read(multi_inference_request, data)
        examples = partial(read_examples, request.input)
        response = inference_pb2.MultiInferenceResponse()
        for origin, answer in self.plane.multi_inference(request.tasks, examples, caller):
            row = response.results.add()
            # a ModelSpec is merged as bytes: our message and TensorFlow's are different classes
            row.model_spec.MergeFromString(origin_bytes(origin))
            if answer.method == CLASSIFY:
                row.classification_result.CopyFrom(answer.result)
            else:
                row.regression_result.CopyFrom(answer.result)
        return serialized(response)

    def metadata(self, data: bytes, caller: Caller) -> bytes:
        from tensorflow_serving.apis import get_model_metadata_pb2

        request = message_of(get_model_metadata_pb2.GetModelMetadataRequest, data)
        spec = spec_of(request)
        # before its fields, as in the original
        if spec is None:
            raise invalid("Missing ModelSpec")
        if not request.metadata_field:
            raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
        # field by field: the first that is unknown is named
        for name in request.metadata_field:
            if name != "signature_def":
                raise invalid(f"Metadata field {name} is not supported")
        origin, signatures = self.plane.metadata(spec, caller)
        table = get_model_metadata_pb2.SignatureDefMap()
        for name, signature in signatures.items():
            table.signature_def[name].CopyFrom(signature)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        # packed with its type: the field is an Any
        response.metadata["signature_def"].Pack(table)
        return serialized(response, origin)

    def status(self, data: bytes, caller: Caller) -> bytes:
        from tensorflow_serving.apis import get_model_status_pb2

        request = message_of(get_model_status_pb2.GetModelStatusRequest, data)
        response = get_model_status_pb2.GetModelStatusResponse()
        for number, state in self.plane.status(spec_of(request), caller):
            row = response.model_version_status.add(version=number, state=state.phase)
            row.status.error_code = state.code.value[0]
            row.status.error_message = state.error
        return serialized(response)

    def reload(self, data: bytes, caller: Caller) -> bytes:
        from tensorflow_serving.apis import model_management_pb2

        request = message_of(model_management_pb2.ReloadConfigRequest, data)
        response = model_management_pb2.ReloadConfigResponse()
        configs = models_of(request.config)
        increases = self.plane.reload(configs, list(request.metric_names), caller.awaited)
        for name, increase in increases.items():
            response.metric.add(name=name, int64_value_increase=increase)
        return serialized(response)


def question_of(request: PredictRequest, version: Version) -> Question:
    """Returns what a predict request asks of a version. Names are checked first, then the tensors
    are read, all within one allowance. Raises INVALID_ARGUMENT.
    """
    signature = request.spec.signature if request.spec else ""
    _, definition = version.signature(signature)
    check_inputs(definition, request.inputs)
    # one allowance for all tensors: each for itself could claim all memory
    allowance = Allowance()
    inputs: dict[str, Array] = {}
    for name, tensor in request.inputs.items():
        try:
            inputs[name] = array(tensor, allowance)
        except ValueError as error:
            # bad bytes are the client's fault
            raise invalid(f"tensor parsing error: {name}: {error}") from error
    return Question(signature, inputs, request.outputs)


def parsed_already(read: Callable[[Version], T]) -> Parse[T]:
    """Returns `read` as the plane expects it: a gRPC request has told its parts apart before it
    names its model.
    """
    return lambda: read


def asked_examples(request: ExamplesRequest, version: Version) -> Examples:
    """Returns what a classify or regress request asks of a version. Raises INVALID_ARGUMENT."""
    signature = request.spec.signature if request.spec else ""
    return Examples(signature, read_examples(request.input))


def read_examples(content: memoryview) -> Array:
    """Returns the serialised tf.Examples of an `Input`, object [N]. Raises INVALID_ARGUMENT for
    what is no `Input`, or too large a one.
    """
    try:
        return examples_of(content)
    except ValueError as error:
        raise invalid(f"input parsing error: {error}") from error


def read(reader: Callable[[bytes], Any], data: bytes) -> Any:
    """Returns what `reader` makes of a message's bytes. Raises INTERNAL for bytes that are no such
    message, in gRPC's own words.
    """
    try:
        return reader(data)
    # as gRPC itself answers bytes that it cannot parse
    except ValueError as error:
        raise internal(f"Exception deserializing request! {error}") from error


def message_of(kind: Any, data: bytes) -> Any:
    """Returns a protobuf message of class `kind`. Raises INTERNAL, RESOURCE_EXHAUSTED."""
    # before parsing: protobuf's objects may take many times the size of their bytes
    if len(data) > LARGEST_QUESTION:
        raise exhausted(f"expected at most {LARGEST_QUESTION} bytes, got {len(data)}")
    try:
        return kind.FromString(data)
    except DecodeError as error:
        raise internal(f"Exception deserializing request! {error}") from error


def spec_of(request: Any) -> ModelSpec | None:
    """Returns the ModelSpec of a parsed request; None where it has none."""
    if not request.HasField("model_spec"):
        return None
    # by way of its bytes: the request is TensorFlow's message, `ModelSpec` here is another class
    return model_spec_of(request.model_spec.SerializeToString())


def origin_bytes(origin: Origin) -> bytes:
    return model_spec_bytes(origin.model, origin.version, origin.signature)


def serialized(response: Any, origin: Origin | None = None) -> bytes:
    """Returns the serialised answer, with the model that it comes from where there is one."""
    if origin:
        response.model_spec.MergeFromString(origin_bytes(origin))
    data: bytes = response.SerializeToString()
    return data


def deadline_of(context: grpc.ServicerContext) -> float | None:
    """Returns the deadline of a call, of time.monotonic(); None if the client set none."""
    # the deadline travels as seconds left: clocks of two machines differ
    seconds_left = context.time_remaining()
    return (
        None if seconds_left is None or seconds_left > FOREVER else time.monotonic() + seconds_left
    )


def caller_of(context: grpc.ServicerContext) -> Caller:
    """Returns the caller of a request: who asks, and how answers may be spelled."""
    return Caller(
        "GRPC",
        deadline_of(context),
        # asked again later: a client may leave while its request waits
        context.is_active,
        tensor_content=RAW_NUMBERS in context.invocation_metadata(),
    )


def translated(answer: Answer) -> Callable[[bytes, grpc.ServicerContext], bytes]:
    """Returns a function for gRPC in which a ServingError becomes a gRPC status, and anything
    unforeseen UNKNOWN, after which the server goes on. What nobody waits for any more is not begun.
    """

    def call(data: bytes, context: grpc.ServicerContext) -> bytes:
        try:
            # it may have waited for a thread beyond its deadline
            if not context.is_active():
                raise late()
            return answer(data, caller_of(context))
        except ServingError as error:
            code = error.code
            words = str(error)
        except Exception as error:  # the edge
            # whatever a model raises: the server goes on
            translation = from_tensorflow(error)
            code = translation.code
            words = str(translation)
        # Outside the handlers: an exception that a local keeps holds this frame, and the frame the
        # request's tensors, until the next collection.
        return bytes(context.abort(code, words))

    return call


@dataclass(frozen=True)
class Doorway:
    """How the gRPC door is made. credentials: from grpc.ssl_server_credentials, for TLS; options:
    further (name, value) of gRPC's core; socket: path of a Unix socket beside the port;
    tensor_content: answers as raw bytes instead of typed fields.
    """

    threads: int = THREADS
    credentials: grpc.ServerCredentials | None = None
    health: bool = False
    options: tuple[tuple[str, Any], ...] = ()
    socket: str = ""
    tensor_content: bool = False


LOOPBACK = Doorway()


def grpc_server(
    model: Model | Catalog,
    address: str,
    doorway: Doorway = LOOPBACK,
    gate: Gate | None = None,
) -> tuple[grpc.Server, int]:
    """Starts a server and returns it with its port. Raises OSError for an address that is taken."""
    plane = Plane(Catalog.of(model), gate)
    door = GrpcDoor(plane, doorway.tensor_content)
    options = {
        "grpc.max_receive_message_length": LARGEST_MESSAGE,
        # -1 is no limit: answers are as large as the model makes them
        "grpc.max_send_message_length": -1,
        # two servers on one port would share its connections without a word
        "grpc.so_reuseport": 0,
        # what a flag says comes last
        **dict(doorway.options),
    }
    handlers = generic_handlers(door.answers)
    if doorway.health:
        handlers.append(Health(plane.gate))
    # requests beyond the threads wait in gRPC's queue
    pool = futures.ThreadPoolExecutor(doorway.threads)
    server = grpc.server(pool, options=list(options.items()), handlers=handlers)
    # before `start`: a port that is taken is an error, not a log line
    port = listen(server, address, doorway.credentials)
    if doorway.socket:
        # beside the port, never instead of it
        listen(server, f"unix:{doorway.socket}", None)
    server.start()
    return server, port


def generic_handlers(answers: dict[str, Answer]) -> list[grpc.GenericRpcHandler]:
    """Returns the handlers of both services: bytes in, bytes out."""
    services: dict[str, dict[str, grpc.RpcMethodHandler]] = {}
    for verb, (service, method) in METHODS.items():
        handler = grpc.unary_unary_rpc_method_handler(translated(answers[verb]))
        services.setdefault(service, {})[method] = handler
    return [
        grpc.method_handlers_generic_handler(f"tensorflow.serving.{service}", handlers)
        for service, handlers in services.items()
    ]


def listen(server: grpc.Server, address: str, credentials: grpc.ServerCredentials | None) -> int:
    """Opens the port and returns its number. Raises OSError."""
    try:
        if credentials:
            return int(server.add_secure_port(address, credentials))
        return int(server.add_insecure_port(address))
    # gRPC has one error for all reasons
    except RuntimeError as error:
        raise OSError(
            f"cannot listen on {address}: it is taken or cannot be made; choose another with "
            "--port (0: any) or --grpc_socket_path"
        ) from error
