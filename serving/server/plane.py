"""Answers requests, whichever door asks: one predict, classify, regress, multi_inference, metadata,
status, reload.

A door turns words into these calls and their results into words. The model look-up, the gate and
the metrics stand here, once. A door is made with a table of its verbs, and one that lacks a verb is
not made (`check_door`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar

from models.tasks.arrays import Array
from serving.errors import invalid
from serving.server.admission import Gate
from serving.server.catalog import Catalog
from serving.server.classify import CLASSIFY, REGRESS, Inferred, check_tasks, infer, multi_inference
from serving.server.config_files import ModelConfig
from serving.server.models import State
from serving.server.session import Awaited, Version, always
from serving.wire.model_spec import ModelSpec
from serving.wire.requests import Task

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
VERBS: set[str] = set()
# verbs that TensorFlow Serving answers over gRPC alone
WITHOUT_REST = frozenset({"multi_inference", "reload"})


def verb(
    method: Callable[Concatenate[Plane, P], R],
) -> Callable[Concatenate[Plane, P], R]:
    """Marks a method of `Plane` that doors offer, and puts it behind the gate: nobody calls it past
    that.
    """
    # by name: `check_door` holds every door's table against it
    VERBS.add(method.__name__)

    @functools.wraps(method)
    def behind_the_gate(plane: Plane, /, *arguments: P.args, **words: P.kwargs) -> R:
        # the gate is around the whole verb: draining waits for all that is inside
        with plane.gate.passed():
            return method(plane, *arguments, **words)

    return behind_the_gate


def check_door(name: str, offered: Collection[str], without: Collection[str] = ()) -> None:
    """Raises TypeError for a door that lacks a verb, or has one that the plane does not know."""
    expected = VERBS - set(without)
    if set(offered) != expected:
        raise TypeError(f"the {name} door must offer {sorted(expected)}, got {sorted(offered)}")


@dataclass(frozen=True)
class Caller:
    """Who asks. entrypoint: GRPC or REST; deadline: of time.monotonic(), None for none; awaited():
    whether the client is still there. turn(): held while the request is worked on. tensor_content:
    whether it reads numbers as raw content, which is cheaper than typed fields for both sides.
    """

    entrypoint: str
    deadline: float | None = None
    awaited: Awaited = always
    turn: Callable[[], AbstractContextManager[object]] = nullcontext
    tensor_content: bool = False


@dataclass(frozen=True)
class Origin:
    """Where an answer comes from."""

    model: str
    version: int
    signature: str = ""


@dataclass(frozen=True)
class Question:
    """What a predict request asks of the version that answers it. outputs: the filter."""

    signature: str
    inputs: dict[str, Array]
    outputs: Sequence[str] = ()


@dataclass(frozen=True)
class Examples:
    """What a classify or regress request asks. examples: object [N] of serialized tf.Examples."""

    signature: str
    examples: Array


# A door parses the words, which needs no model; then the model is looked up; then the words are
# read by the signatures of the version that answers. The original's errors come in that order.
Parse = Callable[[], Callable[[Version], T]]


class Plane:
    """A catalog of models, and the gate that all doors share."""

    def __init__(self, catalog: Catalog, gate: Gate | None = None) -> None:
        self.catalog = catalog
        self.gate = gate or Gate()
        self.metrics = catalog.metrics

    @verb
    def predict(
        self, spec: ModelSpec | None, parse: Parse[Question], caller: Caller
    ) -> tuple[Origin, dict[str, Array]]:
        """Returns the answer to a predict request: where it comes from, and outputs by name."""
        name = spec.name if spec else ""
        # counted from here: what is refused counts, too. Waiting for a turn is part of its time
        with self._counted(name, "Predict", caller), caller.turn():
            read = parse()
            # held until the answer is there: a swap waits for it
            with self.catalog.acquire(spec) as version:
                question = read(version)
                # the graph alone, its waiting for a batch included
                with self.metrics.runtime(name, "Predict"):
                    outputs = version.run(
                        question.signature,
                        question.inputs,
                        question.outputs,
                        caller.deadline,
                        caller.awaited,
                    )
                # its resolved name: "" is the default's
                signature, _ = version.signature(question.signature)
                return Origin(name, version.number, signature), outputs

    @verb
    def classify(
        self, spec: ModelSpec | None, parse: Parse[Examples], caller: Caller
    ) -> tuple[Origin, Any]:
        """Returns the answer to a classify request: where it comes from, and a
        ClassificationResult.
        """
        return self._inferred(spec, parse, caller, "Classify", CLASSIFY)

    @verb
    def regress(
        self, spec: ModelSpec | None, parse: Parse[Examples], caller: Caller
    ) -> tuple[Origin, Any]:
        """Returns the answer to a regress request: where it comes from, and a RegressionResult."""
        return self._inferred(spec, parse, caller, "Regress", REGRESS)

    def _inferred(
        self,
        spec: ModelSpec | None,
        parse: Parse[Examples],
        caller: Caller,
        api: str,
        method: str,
    ) -> tuple[Origin, Any]:
        name = spec.name if spec else ""
        with self._counted(name, api, caller), caller.turn():
            read = parse()
            with self.catalog.acquire(spec) as version:
                request = read(version)
                with self.metrics.runtime(name, api):
                    answer = infer(
                        version,
                        request.signature,
                        request.examples,
                        method,
                        caller.deadline,
                        caller.awaited,
                    )
                return Origin(name, version.number, answer.signature), answer.result

    @verb
    def multi_inference(
        self, tasks: Sequence[Task], read: Callable[[], Array], caller: Caller
    ) -> list[tuple[Origin, Inferred]]:
        """Returns the answers to a multi-inference request in the order of its tasks, by one
        run.
        """
        # before the model is looked up, as in the original
        check_tasks(tasks)
        spec = tasks[0].spec
        with self.catalog.acquire(spec) as version:
            answers = multi_inference(version, tasks, read(), caller.deadline, caller.awaited)
            return [(Origin(spec.name, version.number, one.signature), one) for one in answers]

    @verb
    def metadata(self, spec: ModelSpec | None, caller: Caller) -> tuple[Origin, dict[str, Any]]:
        """Returns where the answer comes from, and SignatureDefs by name, exactly those of the
        model's file.
        """
        name = spec.name if spec else ""
        with self._counted(name, None, caller), self.catalog.acquire(spec) as version:
            return Origin(name, version.number), version.signatures

    @verb
    def status(self, spec: ModelSpec | None, caller: Caller) -> list[tuple[int, State]]:
        """Returns (version, its state) of a model's versions, newest first. A label is not looked
        at.
        """
        if spec is None:
            raise invalid("Missing ModelSpec")
        with self._counted(spec.name, None, caller):
            # a label in the spec is ignored: all versions come back
            return self.catalog.status(spec.name, spec.version)

    @verb
    def reload(
        self, configs: list[ModelConfig], metric_names: Sequence[str], awaited: Awaited = always
    ) -> dict[str, int]:
        """Replaces the set of models and returns by how much each counter that is asked about
        rose.
        """
        # a counter may be unknown: it has no increase
        before = {name: self.metrics.count(name) for name in metric_names}
        self.catalog.reload(configs, awaited)
        after = {name: self.metrics.count(name) for name in metric_names}
        return {
            name: count - (before[name] or 0) for name, count in after.items() if count is not None
        }

    def _counted(self, name: str, api: str | None, caller: Caller) -> AbstractContextManager[None]:
        # as the original: what asks no graph, and so has no latency of an API, counts over REST
        if api is None and caller.entrypoint != "REST":
            return nullcontext()
        return self.metrics.request(self.catalog.serves, name, api, caller.entrypoint)
