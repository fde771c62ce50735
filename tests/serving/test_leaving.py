"""Clients that leave while their request waits: nothing is run for them, over whichever API; their
neighbours are answered.
"""

import json
import socket
import threading

import grpc
import pytest
from line_model import line_example, save_lines
from tensorflow_serving.apis import classification_pb2, inference_pb2, predict_pb2, regression_pb2
from waiting import wait_for

from serving.errors import ServingError
from serving.server.batch_parameters import Parameters
from serving.server.batching import Scheduler, Task
from serving.server.catalog import Catalog
from serving.server.config_files import ModelConfig
from serving.server.grpc.service import METHODS as DOORS
from serving.server.grpc.service import GrpcDoor, grpc_server
from serving.server.loading import Loading
from serving.server.plane import Caller, Plane
from serving.server.rest.client_presence import present
from serving.server.rest.transport import RestServer

METHODS = ("Predict", "Classify", "Regress")
PATHS = ("predict", "classify", "regress")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "a"
    save_lines(folder / "1", 3.0)
    return folder


class Slow:
    """a served model whose runs wait for `let_go`; ran: the number that each run was asked about.
    batching: by one thread.
    """

    def __init__(self, base, batching: bool) -> None:
        self.ran, self.let_go = [], threading.Event()
        self.scheduler = Scheduler(Parameters(num_batch_threads=1)) if batching else None
        self.catalog = Catalog(loading=Loading(scheduler=self.scheduler))
        self.catalog.reload([ModelConfig("a", base)])
        self.whole = self.catalog.models["a"].current.fetch
        self.catalog.models["a"].current.fetch = self.fetch

    def fetch(self, feeds, *rest):
        self.ran.append(number_in(next(iter(feeds.values())).flat[0]))
        assert self.let_go.wait(60)
        return self.whole(feeds, *rest)

    def waiting(self) -> Task:
        """the one request in the batches' queues, once it is there."""
        wait_for(lambda: any(self.scheduler.queues.values()))
        (task,) = (task for queue in self.scheduler.queues.values() for task in queue)
        return task

    def cancelled(self) -> bool:
        return 'status="CANCELLED"' in self.catalog.metrics.text()


def number_in(value) -> float:
    """what `message` and `post` put into a request, as the graph is fed it."""
    import tensorflow as tf

    return (
        float(value)
        if not isinstance(value, bytes)
        else tf.train.Example.FromString(value).features.feature["x"].float_list.value[0]
    )


def message(api: str, x: float):
    """a request about the number x."""
    made = {
        "Predict": predict_pb2.PredictRequest,
        "Classify": classification_pb2.ClassificationRequest,
        "Regress": regression_pb2.RegressionRequest,
    }[api]()
    made.model_spec.name = "a"
    if api == "Predict":
        made.inputs["x"].dtype = 1
        made.inputs["x"].float_val.extend([x, x])
        for size in (1, 2):
            made.inputs["x"].tensor_shape.dim.add(size=size)
    else:
        made.model_spec.signature_name = api.lower()
        made.input.example_list.examples.append(line_example(x))
    return made


def several(x: float):
    """a MultiInferenceRequest about the number x."""
    made = inference_pb2.MultiInferenceRequest(input=message("Classify", x).input)
    for name in ("classify", "regress"):
        task = made.tasks.add(method_name=f"tensorflow/serving/{name}")
        task.model_spec.name, task.model_spec.signature_name = "a", name
    return made


def post(door: RestServer, path: str, x: float) -> socket.socket:
    """a connection on which a request about the number x was sent."""
    content = (
        {"inputs": [[x, x]]}
        if path == "predict"
        else {"signature_name": path, "examples": [{"x": float(x)}]}
    )
    body = json.dumps(content).encode()
    connection = socket.create_connection(door.server_address, timeout=60)
    connection.sendall(
        b"POST /v1/models/a:%s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s"
        % (path.encode(), len(body), body)
    )
    return connection


def status_of(connection: socket.socket) -> bytes:
    """of the answer; the connection is closed."""
    with connection, connection.makefile("rb") as file:
        return file.readline().split()[1]


def closed_by_reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()


@pytest.mark.parametrize("api", METHODS)
def test_a_grpc_client_that_leaves_a_batchs_queue_costs_no_run(base, api):
    slow = Slow(base, batching=True)
    server, port = grpc_server(slow.catalog, "127.0.0.1:0")
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.unary_unary(f"/tensorflow.serving.PredictionService/{api}")
        first = call.future(message(api, 1).SerializeToString())
        wait_for(lambda: slow.ran == [1.0])
        second = call.future(message(api, 2).SerializeToString())
        waiting = slow.waiting()
        second.cancel()
        wait_for(lambda: not waiting.awaited())
        slow.let_go.set()
        first.result(60)
        call(message(api, 3).SerializeToString(), timeout=60)
    server.stop(None).wait()
    slow.scheduler.stop()
    assert slow.ran == [1.0, 3.0]


@pytest.mark.parametrize(
    "path, leave", [*((path, socket.socket.close) for path in PATHS), ("predict", closed_by_reset)]
)
def test_a_rest_client_that_leaves_a_batchs_queue_costs_no_run(base, path, leave):
    slow = Slow(base, batching=True)
    door = RestServer(("127.0.0.1", 0), slow.catalog)
    door.start()
    first = post(door, path, 1)
    wait_for(lambda: slow.ran == [1.0])
    second = post(door, path, 2)
    waiting = slow.waiting()
    assert waiting.awaited()
    leave(second)
    wait_for(lambda: not waiting.awaited())
    slow.let_go.set()
    assert status_of(first) == b"200" and status_of(post(door, path, 3)) == b"200"
    wait_for(slow.cancelled)
    door.drain(0)
    slow.scheduler.stop()
    assert slow.ran == [1.0, 3.0]


@pytest.mark.parametrize("path", PATHS)
def test_a_rest_client_that_leaves_before_its_turn_costs_no_run(base, path):
    """one computes at a time, the first until the second has left."""
    slow = Slow(base, batching=False)
    door = RestServer(("127.0.0.1", 0), slow.catalog, threads=1)
    door.start()
    first = post(door, path, 1)
    wait_for(lambda: slow.ran == [1.0])
    (served,) = door.running
    second = post(door, path, 2)
    wait_for(lambda: len(door.running) == 2)
    (left,) = door.running - {served}
    assert present(left)
    second.close()
    wait_for(lambda: not present(left))
    slow.let_go.set()
    assert status_of(first) == b"200" and status_of(post(door, path, 3)) == b"200"
    wait_for(slow.cancelled)
    door.drain(0)
    assert slow.ran == [1.0, 3.0]


@pytest.mark.parametrize("api", [*METHODS, "MultiInference"])
def test_every_api_asks_for_its_client_before_it_runs(base, api):
    slow = Slow(base, batching=False)
    here = [False]
    slow.let_go.set()
    verb = next(verb for verb, (_, method) in DOORS.items() if method == api)
    answer = GrpcDoor(Plane(slow.catalog)).answers[verb]
    caller = Caller("GRPC", awaited=lambda: here[0])
    request = several(5) if api == "MultiInference" else message(api, 5)
    with pytest.raises(ServingError) as error:
        answer(request.SerializeToString(), caller)
    assert error.value.code.name == "CANCELLED" and slow.ran == []
    here[0] = True
    assert answer(request.SerializeToString(), caller) and slow.ran == [5.0]
