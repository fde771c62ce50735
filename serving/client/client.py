"""Ask a model server about pictures. Any TensorFlow Serving will do: what it offers is read from
its own metadata.
"""

from __future__ import annotations

from collections.abc import Sequence

import grpc
import numpy as np

from models.tasks import TASKS, task
from serving.client.retry import retried
from serving.wire.responses import arrays

PREDICT = "/tensorflow.serving.PredictionService/Predict"

CHANNEL = (
    ("grpc.max_receive_message_length", -1),  # the default of 4 MiB is less than six dense answers
    ("grpc.max_send_message_length", -1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
)


class Client:
    """A connection to `server` (host:port). deadline: seconds a question may take, retries
    included; attempts: how often an absent server is asked.

    authority: PEM of whoever signed the server's certificate; the connection is then TLS. identity:
    PEM of (key, certificate), for servers that ask for one.
    """

    def __init__(
        self,
        server: str,
        model: str = "taxonomy",
        deadline: float = 30.0,
        attempts: int = 8,
        version: int | None = None,
        authority: bytes | None = None,
        identity: tuple[bytes, bytes] | None = None,
    ) -> None:
        from tensorflow_serving.apis import prediction_service_pb2_grpc

        if not deadline > 0 or attempts < 1:
            raise ValueError(f"deadline and attempts are positive, got {deadline} s and {attempts}")
        secrets = (
            None
            if authority is None
            else grpc.ssl_channel_credentials(authority, *(identity or ()))
        )
        self.channel = (
            grpc.insecure_channel(server, CHANNEL)
            if secrets is None
            else grpc.secure_channel(server, secrets, CHANNEL)
        )
        self.stub, self.model, self.deadline = (
            prediction_service_pb2_grpc.PredictionServiceStub(self.channel),
            model,
            deadline,
        )
        self.asks = self.channel.unary_unary(
            PREDICT, lambda request: request.SerializeToString(), arrays
        )
        self.attempts, self.version, self._offered = attempts, version, None

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_) -> None:
        self.channel.close()

    def named(self, request, signature: str | None = None):
        """`request` with its ModelSpec filled in."""
        request.model_spec.name = self.model
        if self.version is not None:
            request.model_spec.version.value = self.version
        if signature is not None:
            request.model_spec.signature_name = signature
        return request

    def predict(self, signature: str, inputs: dict, outputs=()) -> dict[str, np.ndarray]:
        """one Predict; outputs: names to return, all if empty. Raises grpc.RpcError with the
        server's code and text.
        """
        import tensorflow as tf
        from tensorflow_serving.apis import predict_pb2

        request = self.named(predict_pb2.PredictRequest(output_filter=outputs), signature)
        for name, value in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
        return retried(
            lambda left: self.asks(request, timeout=left), self.deadline, attempts=self.attempts
        )

    def signatures(self) -> dict:
        """name -> SignatureDef, as the server states them; asked once a client."""
        from tensorflow_serving.apis import get_model_metadata_pb2

        if self._offered is None:
            request = self.named(
                get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
            )
            response = retried(
                lambda left: self.stub.GetModelMetadata(request, timeout=left),
                self.deadline,
                attempts=self.attempts,
            )
            table = get_model_metadata_pb2.SignatureDefMap()
            response.metadata["signature_def"].Unpack(table)
            self._offered = dict(table.signature_def)
        return self._offered

    def tasks(self) -> dict[str, int]:
        """what the served policy answers: task -> images that a question about it takes."""
        offered = self.signatures()
        return {name: entry.images for name, entry in TASKS.items() if name in offered}

    def chosen(self, names: Sequence[str], images: int) -> list[str]:
        """the tasks to ask about `images` pictures: `names` if they are offered and have pictures
        enough, all such tasks if empty.

        Raises KeyError for a task that does not exist or is not served, ValueError for one that
        takes more pictures.
        """
        offered = self.tasks()
        for name in names:
            task(name)
            if name not in offered:
                raise KeyError(
                    f"the served policy does not answer {name}; it answers "
                    f"{', '.join(sorted(offered))}"
                )
            if offered[name] > images:
                raise ValueError(
                    f"{name} takes {offered[name]} images, got {images}: give --image once "
                    "for each view"
                )
        return list(names) or [name for name, count in offered.items() if count <= images]

    def ask(self, images: Sequence[bytes], names: Sequence[str] = ()) -> dict[str, np.ndarray]:
        """answers about encoded images (one, or the two or three views of a question): task ->
        array; `<task>_metric` beside a vector if served.

        names default to all that the images allow; tasks about one view are asked about the first
        image.
        """
        made = {}
        for count, group in self.by_views(self.chosen(names, len(images))).items():
            made.update(
                self.asked(count, [images[0] if count == 1 else list(images[:count])], group)
            )
        return {name: value[0] for name, value in made.items()}

    def ask_batch(
        self, images: Sequence[bytes], names: Sequence[str] = ()
    ) -> list[dict[str, np.ndarray]]:
        """answers about every image apart, in one request: one dictionary an image, of tasks about
        one view. One broken image fails the request.
        """
        names = [name for name in self.chosen(names, 1) if TASKS[name].images == 1]
        made = self.asked(1, list(images), names)
        return [{name: value[i] for name, value in made.items()} for i in range(len(images))]

    def by_views(self, names: Sequence[str]) -> dict[int, list[str]]:
        return {
            count: [name for name in names if TASKS[name].images == count]
            for count in sorted({TASKS[name].images for name in names})
        }

    def asked(self, count: int, texts: list, names: list[str]) -> dict[str, np.ndarray]:
        signature = "image_bytes" if count == 1 else f"image_bytes_{count}"
        if signature not in self.signatures():
            raise ValueError(
                f"the model {self.model} has no signature {signature}: it is no bundle of "
                f"`serving.bundle`; it has {', '.join(self.signatures())}"
            )
        offered = self.signatures()[signature].outputs
        metric = [f"{name}_metric" for name in names if f"{name}_metric" in offered]
        return self.predict(signature, {"image_bytes": texts}, names + metric)
