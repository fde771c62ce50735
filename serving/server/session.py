"""Runs one loaded version: a SavedModel in a session of its own, its signatures as its file states
them, run without a Python layer between.

`Session._call_tf_sessionrun` is the C++ `Session::Run`: it checks no shapes (ops do), words type
errors as TensorFlow Serving does and frees the GIL. It is a private name: where it is gone, the
public `Session.run` takes over.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from models.tasks.arrays import Array
from serving.errors import (
    ServingError,
    from_tensorflow,
    gone,
    internal,
    invalid,
    late,
    precondition,
)
from serving.server.signatures import check_inputs, check_outputs, kind_of, signatures_of
from serving.wire.model_spec import DEFAULT_SIGNATURE

MOST_PLANS = 64  # sets of asked outputs that a session compiles; it keeps each for good, MiB apiece
LONGEST_MILLISECONDS = 2**31 - 1  # that RunOptions can hold
PREDICT_METHODS = (
    "tensorflow/serving/predict",
    "tensorflow/serving/classify",
    "tensorflow/serving/regress",
)
Awaited = Callable[[], bool]
# by names: a session compiles for them, whatever the values are
Plan = tuple[tuple[str, ...], tuple[str, ...]]  # names of fed and of fetched tensors


def always() -> bool:
    """Returns True: somebody awaits the request to its end."""
    return True


def never() -> bool:
    """Returns False: nobody waits for the answer."""
    return False


class Batches(Protocol):
    """What a version needs of `batching.Scheduler`."""

    def run(
        self,
        version: Version,
        feeds: dict[str, Array],
        fetches: list[str],
        deadline: float | None,
        awaited: Awaited,
    ) -> list[Array]: ...


class Version:
    """One SavedModel. number: its version; signatures: name -> SignatureDef, exactly the file's;
    running: requests that hold it.

    scheduler: makes batches, or None to run every request by itself; threads: (intra, inter) op
    threads, 0 for TensorFlow's choice; strict: Predict asks for a signature of a known method.
    Raises what TensorFlow raises for a broken model.
    """

    def __init__(
        self,
        folder: Path,
        number: int,
        *,
        tags: tuple[str, ...] = ("serve",),
        scheduler: Batches | None = None,
        threads: tuple[int, int] = (0, 0),
        strict: bool = False,
    ) -> None:
        self.number = number
        self.folder = folder
        self.scheduler = scheduler
        self.strict = strict
        self.running = 0
        self.signatures = signatures_of(folder, tags)
        self.tensors: dict[str, Any] = {}
        self.plans: set[Plan] = set()
        self.planning = threading.Lock()
        self.session = opened(folder, tags, threads)

    def signature(self, name: str) -> tuple[str, Any]:
        """Returns (resolved name, SignatureDef). Raises FAILED_PRECONDITION."""
        name = name or DEFAULT_SIGNATURE
        if name not in self.signatures:  # asked first: indexing a protobuf map would add the key
            raise precondition(f'Serving signature key "{name}" not found.')
        return name, self.signatures[name]

    def run(
        self,
        signature: str,
        inputs: Mapping[str, Array],
        output_filter: Sequence[str] = (),
        deadline: float | None = None,
        awaited: Awaited = always,
    ) -> dict[str, Array]:
        """Returns outputs by name; an empty filter means all.

        deadline: of time.monotonic(). awaited(): whether the client is still there. What is not
        begun when it has left is not run. Raises ServingError with TensorFlow Serving's codes.
        """
        _, definition = self.signature(signature)
        if self.strict and definition.method_name not in PREDICT_METHODS:
            raise internal(
                "Expected prediction signature method_name to be one of "
                f"{{{', '.join(PREDICT_METHODS)}}}. Was: {definition.method_name}"
            )
        check_inputs(definition, inputs)
        # names before types, and types before the run
        names = check_outputs(definition, output_filter)
        feeds = self._feeds(definition, inputs)
        fetches = [definition.outputs[alias].name for alias in names]
        return dict(zip(names, self.answered(feeds, fetches, deadline, awaited)))

    def _feeds(self, definition: Any, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Returns tensor -> array, those of the signature's defaults included. Raises
        INVALID_ARGUMENT for another type.
        """
        import tensorflow as tf

        feeds = {}
        # by name: the text counts inputs in this order
        for i, (alias, value) in enumerate(sorted(inputs.items())):
            expected = tf.as_dtype(definition.inputs[alias].dtype).base_dtype
            # references of TF1 are of their base type
            dtype = tf.as_dtype(value.dtype).base_dtype
            if dtype != expected:
                raise invalid(
                    f"Expects arg[{i}] to be {kind_of(expected)} but {kind_of(dtype)} is provided"
                )
            feeds[definition.inputs[alias].name] = value
        # defaults are a field of newer TensorFlow
        for alias, default in getattr(definition, "defaults", {}).items():
            # asked first: indexing a protobuf map would add the key
            if alias in definition.inputs and alias not in inputs:
                feeds[definition.inputs[alias].name] = tf.make_ndarray(default)
        return feeds

    def answered(
        self,
        feeds: dict[str, Array],
        fetches: list[str],
        deadline: float | None = None,
        awaited: Awaited = always,
        batched: bool = True,
    ) -> list[Array]:
        """Returns the values of the tensors `fetches`, in a batch with others where the server
        makes batches. Raises CANCELLED, without a run, once nobody awaits them.
        """
        # before it waits in a queue, and again when its batch is made
        if not awaited():
            raise gone()
        if self.scheduler and batched:
            return self.scheduler.run(self, feeds, fetches, deadline, awaited)
        return self.fetch(feeds, fetches, deadline)

    def fetch(
        self, feeds: dict[str, Array], fetches: list[str], deadline: float | None = None
    ) -> list[Array]:
        """Runs the graph once and returns the values of the tensors `fetches`. The time left is the
        session's own limit. If an output that nobody asked for makes it fail, those that were asked
        for are run one by one.
        """
        plan = self.plan(feeds, fetches)
        try:
            values = self._values(feeds, plan, deadline)
        except ServingError:
            if set(plan) == set(fetches):
                raise
        else:
            return [values[name] for name in fetches]
        # what failed may be an output that nobody asked for: those that were, each for itself, of
        # which a model has no more than outputs
        alone = {
            name: self._values(feeds, self._single(feeds, name), deadline)[name]
            for name in sorted(set(fetches))
        }
        return [alone[name] for name in fetches]

    def _values(
        self, feeds: dict[str, Array], plan: tuple[str, ...], deadline: float | None
    ) -> dict[str, Array]:
        """Returns tensor of the plan -> its value, by one run."""
        import tensorflow as tf

        # the time that is left, not a moment: the session has a clock of its own
        seconds = None if deadline is None else deadline - time.monotonic()
        if seconds is not None and seconds <= 0:
            raise late()
        # in one order: the session compiles anew for every sequence of names
        ordered = {name: feeds[name] for name in sorted(feeds)}
        try:
            values = [as_array(value) for value in self._called(ordered, plan, seconds)]
            return dict(zip(plan, values))
        except tf.errors.OpError as error:
            raise from_tensorflow(error) from error
        except (ValueError, TypeError) as error:
            raise invalid(str(error).split("\n")[0]) from error

    def plan(self, feeds: Iterable[str], fetches: Iterable[str]) -> tuple[str, ...]:
        """Returns the tensors to fetch, sorted: those asked for, or a known set that holds them
        once MOST_PLANS are known (then unasked outputs are computed too).

        A session keeps what it compiled for every sequence of fed and fetched names, so strangers'
        filters must not make new ones without end.
        """
        fed = tuple(sorted(feeds))
        asked = tuple(sorted(set(fetches)))
        with self.planning:
            if (fed, asked) not in self.plans and len(self.plans) >= MOST_PLANS:
                asked = self._wider(fed, asked)
            self.plans.add((fed, asked))
        return asked

    def _single(self, feeds: Iterable[str], name: str) -> tuple[str, ...]:
        """Returns a plan of one tensor, which is known from here on."""
        with self.planning:
            self.plans.add((tuple(sorted(feeds)), (name,)))
        return (name,)

    def _wider(self, fed: tuple[str, ...], asked: tuple[str, ...]) -> tuple[str, ...]:
        plans = [plan for names, plan in self.plans if names == fed and set(asked) <= set(plan)]
        everything = tuple(sorted({*asked, *self._every_output(fed)}))
        # the smallest known set that holds what is asked; else all that these inputs give, once
        return min(plans, key=len, default=everything)

    def _every_output(self, fed: tuple[str, ...]) -> set[str]:
        """Returns the output tensors of all signatures that read exactly `fed`."""
        same_inputs = [
            one
            for one in self.signatures.values()
            if {value.name for value in one.inputs.values()} == set(fed)
        ]
        return {value.name for one in same_inputs for value in one.outputs.values()}

    def _called(
        self, feeds: dict[str, Array], fetches: tuple[str, ...], seconds: float | None
    ) -> list[Any]:
        import tensorflow as tf
        from tensorflow.python.client import pywrap_tf_session

        options = None
        if seconds is not None:
            # at least 1: 0 would be no limit
            milliseconds = min(max(int(seconds * 1000), 1), LONGEST_MILLISECONDS)
            options = tf.compat.v1.RunOptions(timeout_in_ms=milliseconds)
        # private in TensorFlow: where it is gone, the public way takes over
        raw = getattr(self.session, "_call_tf_sessionrun", None)
        if raw is None:
            # the public run checks shapes, which the original does not
            values: list[Any] = self.session.run(fetches, feeds, options=options)
            return values
        buffer = None
        if options is not None:
            # options travel as a serialised message in a C buffer, which has to be deleted here
            buffer = pywrap_tf_session.TF_NewBufferFromString(options.SerializeToString())
        try:
            fed = {self._tensor(name): value for name, value in feeds.items()}
            fetched = [self._tensor(name) for name in fetches]
            answers: list[Any] = raw(buffer, fed, fetched, [], None)
            return answers
        finally:
            if buffer is not None:
                pywrap_tf_session.TF_DeleteBuffer(buffer)

    def _tensor(self, name: str) -> Any:
        """Returns the C++ handle of a tensor, looked up once."""
        # two threads may look up the same name: both find the same handle
        if name not in self.tensors:
            self.tensors[name] = self.session.graph.get_tensor_by_name(name)._as_tf_output()
        return self.tensors[name]

    def close(self) -> None:
        """Ends the session after the last running request, however long that takes; the end of the
        process alone does not wait for it.
        """
        # after it was taken out of the table: no new request finds it
        while self.running:
            time.sleep(0.02)
        self.session.close()


def as_array(value: Any) -> Array:
    """Returns a fetched value as an array. TensorFlow hands scalars out as Python's own: a text as
    bytes, which has neither type nor shape.
    """
    # as an object: numpy's own texts lose zeros at their end
    return np.array(value, object) if isinstance(value, bytes | str) else np.asarray(value)


def opened(folder: Path, tags: tuple[str, ...], threads: tuple[int, int]) -> Any:
    """Opens a tf.compat.v1.Session that holds the model."""
    import tensorflow as tf

    # Loading into a session is marked deprecated; it is what lets unasked heads be pruned.
    tf.get_logger().setLevel("ERROR")
    settings = tf.compat.v1.ConfigProto(
        intra_op_parallelism_threads=threads[0], inter_op_parallelism_threads=threads[1]
    )
    # a graph of its own: names of versions are alike
    session = tf.compat.v1.Session(graph=tf.Graph(), config=settings)
    try:
        with session.graph.as_default():
            tf.compat.v1.saved_model.loader.load(session, list(tags), str(folder))
    # a session that failed to load holds memory, too
    except BaseException:
        session.close()
        raise
    return session
