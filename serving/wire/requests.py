"""Reads requests as they come from the wire: named parts, nothing of them decoded yet.

gRPC's own deserialisers are not used: one that raises leaks 16 KiB a message in gRPC's core, and
protobuf makes all of a message before anybody can count it. Examples stay as their own bytes, which
is what the graph reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from models.tasks.arrays import Array
from serving.wire.model_spec import ModelSpec, model_spec_of
from serving.wire.protobuf import bytes_of, fields, short, text_of
from serving.wire.tensor_reader import STRING_COST, Allowance

# PredictRequest, ClassificationRequest, RegressionRequest, InferenceTask: model_spec is field 1
MODEL_SPEC = 1
INPUTS = 2
OUTPUT_FILTER = 3
INPUT = 2
TASKS = 1
METHOD_NAME = 2
# a map's entry
KEY = 1
VALUE = 2
# Input's two kinds; ExampleList and ExampleListWithContext
EXAMPLE_LIST = 1
WITH_CONTEXT = 2
EXAMPLES = 1
CONTEXT = 2
# names are strings and cost more than their bytes
MOST_NAMES = 10_000  # outputs, inputs or tasks of one request, or pieces of its input
# Bytes of all names of one request, and of what its fields cost while they are read: 65,536 fields.
LARGEST_NAMES = 16 << 20
LARGEST_CHARACTER = 4  # bytes that Python may hold for one byte of UTF-8
EMPTY = memoryview(b"")


@dataclass
class PredictRequest:
    """The parts of a PredictRequest. spec: None where there is none; inputs: serialised
    TensorProtos by alias; outputs: the filter.
    """

    spec: ModelSpec | None = None
    inputs: dict[str, memoryview] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)


@dataclass
class ExamplesRequest:
    """The parts of a ClassificationRequest or RegressionRequest. input: a serialised `Input`."""

    spec: ModelSpec | None = None
    input: memoryview = EMPTY


@dataclass(frozen=True)
class Task:
    """One of a MultiInferenceRequest's questions."""

    spec: ModelSpec
    method: str


@dataclass
class MultiInferenceRequest:
    """The parts of a MultiInferenceRequest. input: a serialised `Input`, of all tasks."""

    tasks: list[Task] = field(default_factory=list)
    input: memoryview = EMPTY


def predict_request(data: bytes) -> PredictRequest:
    """Reads a PredictRequest. Raises ValueError for what is none."""
    request = PredictRequest()
    allowance = _names()
    # in pieces: a message that comes twice is merged
    spec: list[memoryview] = []
    for number, value in _counted(memoryview(data), allowance):
        if number == MODEL_SPEC:
            spec.append(bytes_of(value))
        elif number == INPUTS:
            name, tensor = _entry(value, allowance)
            request.inputs[name] = tensor
        elif number == OUTPUT_FILTER:
            request.outputs.append(_name(value, allowance))
        # after every field: the message ends before it can cost much
        check_count(len(spec) + len(request.inputs) + len(request.outputs))
    request.spec = _merged_spec(spec, allowance)
    return request


def _entry(data: int | memoryview, allowance: Allowance) -> tuple[str, memoryview]:
    """Returns the name and the value of a map's entry. Of other fields nothing is kept: a view
    takes a hundred times the two bytes of an empty one.
    """
    name: int | memoryview = EMPTY
    entry: int | memoryview = EMPTY
    for number, value in _counted(data, allowance):
        # the last one counts
        if number == KEY:
            name = value
        elif number == VALUE:
            entry = value
    return _name(name, allowance), bytes_of(entry)


def examples_request(data: bytes) -> ExamplesRequest:
    """Reads a ClassificationRequest or RegressionRequest. Raises ValueError for what is none."""
    request = ExamplesRequest()
    allowance = _names()
    spec: list[memoryview] = []
    pieces: list[memoryview] = []
    for number, value in _counted(memoryview(data), allowance):
        if number == MODEL_SPEC:
            spec.append(bytes_of(value))
        elif number == INPUT:
            pieces.append(bytes_of(value))
        check_count(len(spec) + len(pieces))
    request.spec = _merged_spec(spec, allowance)
    request.input = _merged(pieces)
    return request


def multi_inference_request(data: bytes) -> MultiInferenceRequest:
    """Reads a MultiInferenceRequest. Raises ValueError for what is none."""
    request = MultiInferenceRequest()
    allowance = _names()
    pieces: list[memoryview] = []
    for number, value in _counted(memoryview(data), allowance):
        if number == TASKS:
            request.tasks.append(_task(bytes_of(value), allowance))
        elif number == INPUT:
            pieces.append(bytes_of(value))
        check_count(len(request.tasks) + len(pieces))
    request.input = _merged(pieces)
    return request


def _task(data: memoryview, allowance: Allowance) -> Task:
    spec: list[memoryview] = []
    method = ""
    for number, value in _counted(data, allowance):
        if number == MODEL_SPEC:
            spec.append(bytes_of(value))
            check_count(len(spec))
        elif number == METHOD_NAME:
            method = _name(value, allowance)
    return Task(_merged_spec(spec, allowance) or ModelSpec(), method)


def _names() -> Allowance:
    """Returns what the names and fields of one request may cost."""
    return Allowance(LARGEST_NAMES, "names")


def _counted(
    data: int | memoryview, allowance: Allowance
) -> Iterator[tuple[int, int | memoryview]]:
    """Yields a message's fields, each paid for, also those that nobody keeps: a message of two
    bytes a field keeps Python busy for seconds.
    """
    for one in fields(data):
        allowance.take(STRING_COST)
        yield one


def _name(value: int | memoryview, allowance: Allowance) -> str:
    """Returns a name, paid for by its characters. Raises ValueError."""
    allowance.take(LARGEST_CHARACTER * len(bytes_of(value)))
    return text_of(value)


def check_count(count: int) -> None:
    """Raises ValueError for more names than a request to this server can need."""
    if count > MOST_NAMES:
        raise ValueError(f"expected at most {MOST_NAMES} names in a request")


def _merged(pieces: list[memoryview]) -> memoryview:
    """Returns the bytes of all pieces, one after the other: protobuf merges a message that comes
    more than once. One piece, as nearly always, is not copied; more are, once.
    """
    return pieces[0] if len(pieces) == 1 else memoryview(b"".join(pieces))


def _merged_spec(pieces: list[memoryview], allowance: Allowance) -> ModelSpec | None:
    # names for the most part
    allowance.take(LARGEST_CHARACTER * sum(map(len, pieces)))
    return model_spec_of(b"".join(pieces)) if pieces else None


def examples_of(content: memoryview, allowance: Allowance | None = None) -> Array:
    """Returns object [N] of serialised tf.Examples, from a serialised `Input`; a context is merged
    into each, whose own features win. Raises ValueError for what is no `Input`, or too large a one.
    """
    allowance = allowance or Allowance()
    contexts: list[memoryview] = []
    examples: list[bytes | memoryview] = []
    # every field is paid for before it is kept
    for kind, listed in _counted(content, allowance):
        # other fields are of a newer protocol: skipped, as protobuf does
        if kind not in (EXAMPLE_LIST, WITH_CONTEXT):
            continue
        for number, value in _counted(listed, allowance):
            if number == EXAMPLES:
                examples.append(short(bytes_of(value)))
            elif number == CONTEXT and kind == WITH_CONTEXT:
                contexts.append(bytes_of(value))
                check_count(len(contexts))
    # once: a context in many pieces would be copied as often as there are pieces
    context = b"".join(contexts)
    # the context is copied into every example
    allowance.take(sum(map(len, examples)) + len(context) * len(examples))
    array: Array = np.empty(len(examples), object)
    # protobuf merges bytes that follow one another, and the later counts
    array[:] = [context + bytes(example) for example in examples]
    return array
