"""Asks a model server about pictures. Any TensorFlow Serving will do: what it offers is read from
its own metadata.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import grpc

from models.tasks import TASKS, task
from models.tasks.arrays import Array
from serving.client.retry import retried
from serving.client.tensors import tensor_of
from serving.wire.messages import RAW_NUMBERS, message
from serving.wire.response_reader import arrays

PREDICT = "/tensorflow.serving.PredictionService/Predict"
METADATA = "/tensorflow.serving.PredictionService/GetModelMetadata"

# task, or `<task>_metric` -> its answer
Answers = dict[str, Array]
# name -> SignatureDef (`serving.wire.messages`)
Signatures = dict[str, Any]

CHANNEL = (
    ("grpc.max_receive_message_length", -1),  # the default of 4 MiB is less than six dense answers
    ("grpc.max_send_message_length", -1),
    # a server that is just starting is looked for ten times a second at first, and every two
    # seconds at most
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
        # also refuses NaN, which is neither above 0 nor below
        if not deadline > 0 or attempts < 1:
            raise ValueError(f"deadline and attempts are positive, got {deadline} s and {attempts}")
        self.model = model
        self.deadline = deadline
        self.attempts = attempts
        self.version = version
        self.channel = channel_to(server, authority, identity)
        # answers are read from their bytes: protobuf's own objects would take milliseconds an image
        self._predict = self.channel.unary_unary(PREDICT, serialized, arrays)
        self._metadata = self.channel.unary_unary(
            METADATA, serialized, message("GetModelMetadataResponse").FromString
        )
        self._offered: Signatures | None = None
        self._served: int | None = None

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.channel.close()

    def named(self, request: Any, signature: str | None = None) -> Any:
        """Returns `request` with its ModelSpec filled in."""
        request.model_spec.name = self.model
        if self.version is not None:
            request.model_spec.version.value = self.version
        if signature is not None:
            request.model_spec.signature_name = signature
        return request

    def predict(
        self, signature: str, inputs: Mapping[str, object], outputs: Sequence[str] = ()
    ) -> Answers:
        """Sends one Predict request and returns its outputs by name. inputs: arrays or lists;
        outputs: names to return, all if empty. Raises grpc.RpcError with the server's code and
        text.
        """
        # names of messages are looked up at run time: the installed TensorFlow Serving API is not
        # imported
        request = self.named(message("PredictRequest")(output_filter=outputs), signature)
        for name, value in inputs.items():
            # `CopyFrom` for a message in a map: assignment is not allowed
            request.inputs[name].CopyFrom(tensor_of(value))
        return self._retried(self._predict, request)

    def signatures(self) -> Signatures:
        """Returns name -> SignatureDef, as the server states them; asked once a client."""
        if self._offered is None:
            request = message("GetModelMetadataRequest")(metadata_field=["signature_def"])
            response = self._retried(self._metadata, self.named(request))
            # with the signatures: what was read belongs to this version, even if another is pushed
            # since
            self._served = int(response.model_spec.version.value)
            packed = response.metadata["signature_def"].value
            table = message("SignatureDefMap").FromString(packed)
            self._offered = dict(table.signature_def)
        return self._offered

    def served_version(self) -> int:
        """Returns the number of the version that `signatures` came from."""
        self.signatures()
        assert self._served is not None
        return self._served

    def _retried(self, call: Any, request: Any) -> Any:
        return retried(
            # raw numbers are asked for in metadata, which other servers ignore
            lambda seconds_left: call(request, timeout=seconds_left, metadata=(RAW_NUMBERS,)),
            self.deadline,
            attempts=self.attempts,
        )

    def tasks(self) -> dict[str, int]:
        """Returns task -> number of images that a question about it takes, for the served
        policy.
        """
        offered = self.signatures()
        return {name: entry.images for name, entry in TASKS.items() if name in offered}

    def chosen(self, names: Sequence[str], images: int) -> list[str]:
        """Returns the tasks to ask about `images` pictures: `names` if they are offered and have
        pictures enough, all such tasks if empty.

        Raises KeyError for a task that does not exist or is not served, ValueError for one that
        takes more pictures.
        """
        offered = self.tasks()
        for name in names:
            task(name)
            if name not in offered:
                raise KeyError(
                    f"the served policy does not answer {name}; it answers "
                    f"{', '.join(sorted(offered)) or 'no task: is it a bundle?'}"
                )
            # more pictures than a task takes are fine: it gets the first ones
            if offered[name] > images:
                raise ValueError(
                    f"{name} takes {offered[name]} images, got {images}: give --image once "
                    "for each view"
                )
        # one that comes twice is asked once: a server refuses it
        return list(dict.fromkeys(names)) or [
            name for name, count in offered.items() if count <= images
        ]

    def ask(self, images: Sequence[bytes], names: Sequence[str] = ()) -> Answers:
        """Returns answers about encoded images (one, or the two or three views of a question): task
        -> array; `<task>_metric` beside a vector if served.

        names default to all that the images allow; tasks about one view are asked about the first
        image.
        """
        answers: Answers = {}
        for count, group in by_views(self.chosen(names, len(images))).items():
            # one view is a text, several a list: their signatures have one axis more
            views = [images[0]] if count == 1 else [list(images[:count])]
            answers.update(self._asked(count, views, group))
        return {name: value[0] for name, value in answers.items()}

    def ask_batch(self, images: Sequence[bytes], names: Sequence[str] = ()) -> list[Answers]:
        """Returns answers about every image by itself, in one request: one dictionary an image, of
        tasks about one view. One broken image fails the request.
        """
        names = [name for name in self.chosen(names, 1) if TASKS[name].images == 1]
        answers = self._asked(1, images, names)
        return [{name: value[i] for name, value in answers.items()} for i in range(len(images))]

    def _asked(self, count: int, views: Sequence[object], names: Sequence[str]) -> Answers:
        """Returns the answers to `names`, tasks about `count` views, with a batch axis in front."""
        signature = "image_bytes" if count == 1 else f"image_bytes_{count}"
        if signature not in self.signatures():
            raise ValueError(
                f"the model {self.model} has no signature {signature}: it is no bundle of "
                f"`serving.bundle`; it has {', '.join(self.signatures())}"
            )
        # only where this server offers it: bundles without whitening have no metric form
        offered = self.signatures()[signature].outputs
        metric = [f"{name}_metric" for name in names if f"{name}_metric" in offered]
        return self.predict(signature, {"image_bytes": list(views)}, [*names, *metric])


def channel_to(
    server: str, authority: bytes | None, identity: tuple[bytes, bytes] | None
) -> grpc.Channel:
    """Returns a channel to a server, over TLS where `authority` is given."""
    if authority is None:
        return grpc.insecure_channel(server, CHANNEL)
    # with an identity both sides show a certificate, else the server alone
    secrets = grpc.ssl_channel_credentials(authority, *(identity or ()))
    return grpc.secure_channel(server, secrets, CHANNEL)


def serialized(request: Any) -> bytes:
    return request.SerializeToString()


def by_views(names: Sequence[str]) -> dict[int, list[str]]:
    """Returns number of views -> the tasks about that many, fewest first."""
    counts = sorted({TASKS[name].images for name in names})
    return {count: [name for name in names if TASKS[name].images == count] for count in counts}
