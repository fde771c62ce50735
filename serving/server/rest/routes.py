"""Serves TensorFlow Serving's REST paths with its status codes and JSON errors: a request's words
in, a reply's words out. `serving/server/rest/transport.py` carries them.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from urllib.parse import unquote

from serving.errors import ServingError, from_tensorflow, gone, invalid, late
from serving.server.plane import WITHOUT_REST, Caller, Examples, Plane, Question, check_door
from serving.server.rest.json_answers import (
    classes_text,
    columns_text,
    metadata_text,
    numbers_text,
    rows_text,
    status_text,
)
from serving.server.rest.json_examples import examples_of
from serving.server.rest.json_tensors import columns_of, inputs_of
from serving.server.rest.json_text import Json, parsed, shown
from serving.server.session import Awaited, Version
from serving.wire.model_spec import DEFAULT_SIGNATURE, ModelSpec

JSON = "application/json"
# as libevent, the original's HTTP library, answers
NOT_FOUND = b"<HTML><HEAD><TITLE>404 Not Found</TITLE></HEAD><BODY><H1>Not Found</H1></BODY></HTML>"
LARGEST_VERSION = 2**63 - 1
# fixed words in any case, verbs in lower case alone, names percent-decoded later (the original's
# routes)
PATH = re.compile(
    r"/(?i:v1/models)/(?P<name>[^/:]+)"
    r"(?:/(?:(?i:versions)/(?P<version>\d+)|(?i:labels)/(?P<label>[^/:]+)))?"
    r"(?P<ending>/(?i:metadata)|:predict|:classify|:regress)?",
    # digits of other scripts are no version
    re.ASCII,
)


@dataclass(frozen=True)
class Request:
    """An HTTP request. method and path as they came; origin: the header of that name; awaited():
    whether the client is there.
    """

    method: str
    path: str
    body: bytes
    origin: str
    awaited: Awaited


@dataclass(frozen=True)
class Reply:
    """An HTTP answer. status: of HTTP."""

    status: int
    data: bytes
    kind: str = JSON


def fault(status: int, words: str) -> Reply:
    """Returns a reply that says an error, as clients read it."""
    return Reply(status, json.dumps({"error": words}).encode())


class Routes:
    """The REST door. metrics_path: path of the page for Prometheus, or None; seconds: that one
    computation may take, its waiting included; threads: how many are computed at once.
    """

    def __init__(
        self, plane: Plane, *, metrics_path: str | None, seconds: float, threads: int
    ) -> None:
        self.plane = plane
        self.metrics_path = metrics_path
        self.seconds = seconds
        self.turns = threading.BoundedSemaphore(threads)
        # (method, ending of the path) -> verb
        self.verbs: dict[tuple[str, str], str] = {
            ("GET", ""): "status",
            ("GET", "/metadata"): "metadata",
            ("POST", ":predict"): "predict",
            ("POST", ":classify"): "classify",
            ("POST", ":regress"): "regress",
        }
        self.answers: dict[str, Callable[[ModelSpec, Request], str]] = {
            "status": self.status,
            "metadata": self.metadata,
            "predict": self.predict,
            "classify": self.classify,
            "regress": self.regress,
        }
        check_door("REST", set(self.verbs.values()), WITHOUT_REST)
        check_door("REST", self.answers, WITHOUT_REST)

    def reply(self, request: Request) -> Reply:
        """Returns the reply to a request; a ServingError becomes its status and text."""
        path = request.path.lower()
        # before /v1/: its path is whatever the configuration says
        if request.method == "GET" and self.metrics_path and request.path == self.metrics_path:
            return Reply(200, self.plane.metrics.text().encode(), "text/plain")
        if not path.startswith("/v1/"):
            return Reply(404, NOT_FOUND, "text/html")
        if request.method == "OPTIONS":
            # as the original answers a browser's question before a request from another site
            from_a_page = request.origin.startswith(("http://", "https://"))
            return Reply(200 if from_a_page else 400, b"")
        try:
            return Reply(200, self.answer(request).encode())
        except ServingError as error:
            return fault(error.http, str(error))
        except Exception as error:  # the edge
            # one line: TensorFlow's errors are pages
            return fault(from_tensorflow(error).http, str(error).split("\n")[0])

    def answer(self, request: Request) -> str:
        """Returns the answer's JSON. Raises ServingError."""
        # before the routes: a path without a name matches none
        if request.method == "GET" and request.path.lower().rstrip("/") == "/v1/models":
            raise invalid("Missing model name in request.")
        match = PATH.fullmatch(request.path)
        ending = (match["ending"] or "").lower() if match else ""
        verb = self.verbs.get((request.method, ending))
        if not match or not verb:
            raise invalid(f"Malformed request: {request.method} {request.path}")
        return self.answers[verb](spec_of(match), request)

    def status(self, spec: ModelSpec, request: Request) -> str:
        return status_text(self.plane.status(spec, self.caller(request)))

    def metadata(self, spec: ModelSpec, request: Request) -> str:
        origin, signatures = self.plane.metadata(spec, self.caller(request))
        return metadata_text(origin.model, origin.version, signatures)

    def predict(self, spec: ModelSpec, request: Request) -> str:
        # in a list, since what was asked is only known inside the turn
        in_rows = []

        def parse() -> Callable[[Version], Question]:
            content = parsed(request.body)
            in_rows.append("instances" in content)
            return partial(question_of, content)

        _, outputs = self.plane.predict(spec, parse, self.caller(request))
        return rows_text(outputs) if in_rows[0] else columns_text(outputs)

    def classify(self, spec: ModelSpec, request: Request) -> str:
        parse = partial(parse_examples, request.body, "classify")
        return classes_text(self.plane.classify(spec, parse, self.caller(request))[1])

    def regress(self, spec: ModelSpec, request: Request) -> str:
        parse = partial(parse_examples, request.body, "regress")
        return numbers_text(self.plane.regress(spec, parse, self.caller(request))[1])

    def caller(self, request: Request) -> Caller:
        """Returns the caller of a request, whose time begins now."""
        # from here on: waiting for a turn is part of a computation's time
        deadline = time.monotonic() + self.seconds
        turn = partial(self.turn, deadline, request.awaited)
        return Caller("REST", deadline, request.awaited, turn)

    @contextmanager
    def turn(self, deadline: float, awaited: Awaited) -> Iterator[None]:
        """As a context, waits until fewer than `threads` compute. Raises DEADLINE_EXCEEDED,
        CANCELLED for a client that left meanwhile.
        """
        # never less than 0, which would wait for ever
        if not self.turns.acquire(timeout=max(deadline - time.monotonic(), 0)):
            raise late()
        try:
            # it may have waited for long
            if not awaited():
                raise gone()
            yield
        finally:
            self.turns.release()


def parse_examples(body: bytes, method: str) -> Callable[[Version], Examples]:
    """Returns what a classify or regress body asks, whichever version answers. Raises
    INVALID_ARGUMENT.
    """
    content = parsed(body)
    examples = Examples(content.get("signature_name", ""), examples_of(content, method))
    # examples are read without the version: their features name no signature
    return lambda version: examples


def spec_of(match: re.Match[str]) -> ModelSpec:
    """Returns the spec of the model that a path names. Raises INVALID_ARGUMENT, without words as
    the original, for a version beyond 64 bits.
    """
    version = None
    if match["version"] is not None:
        # leading zeros say nothing, however many they are
        digits = match["version"].lstrip("0") or "0"
        # Python refuses to read numbers of thousands of digits
        if len(digits) > len(str(LARGEST_VERSION)) or int(digits) > LARGEST_VERSION:
            raise invalid(f"Failed to convert version: {shown(match['version'])} to numeric.")
        version = int(digits)
    # decoded after the match: a "/" in a name does not part it
    label = unquote(match["label"]) if match["label"] is not None else None
    return ModelSpec(unquote(match["name"]), version, label)


def question_of(content: dict[str, Json], version: Version) -> Question:
    """Returns what a predict body asks. Raises INVALID_ARGUMENT."""
    # the original takes "" for the default, too
    name = content.get("signature_name") or DEFAULT_SIGNATURE
    if name not in version.signatures:
        raise invalid(f'Serving signature name: "{name}" not found in signature def')
    infos = version.signatures[name].inputs
    if not infos:
        raise invalid(f"Failed to get input map for signature: {name}")
    if "instances" in content and "inputs" in content:
        raise invalid(
            f"JSON Value: {shown(content)} Not formatted correctly expecting only one of 'inputs' "
            "or 'instances' keys to exist "
        )
    if "instances" in content:
        return Question(name, columns_of(content["instances"], infos))
    if "inputs" in content:
        return Question(name, inputs_of(content["inputs"], infos))
    raise invalid("Missing 'inputs' or 'instances' key")
