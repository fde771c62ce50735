"""Reads requests as they come from the wire: named parts, nothing of them decoded yet.

gRPC's own deserialisers are not used: one that raises leaks 16 KiB a message in gRPC's core, and
protobuf makes all of a message before anybody can count it. Examples stay as their own bytes, which
is what the graph reads.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from models.tasks.arrays import Array
from serving.wire.model_spec import ModelSpec, model_spec_of
from serving.wire.protobuf import bytes_of, fields, text_of
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
MOST_NAMES = 10_000  # outputs, inputs or tasks of one request
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
    # in pieces: a message that comes twice is merged
    spec: list[memoryview] = []
    for number, value in fields(memoryview(data)):
        if number == MODEL_SPEC:
            spec.append(bytes_of(value))
        elif number == INPUTS:
            entry = dict(fields(value))
            request.inputs[text_of(entry.get(KEY, EMPTY))] = bytes_of(entry.get(VALUE, EMPTY))
        elif number == OUTPUT_FILTER:
            request.outputs.append(text_of(value))
        # after every field: the message ends before it can cost much
        check_count(len(spec) + len(request.inputs) + len(request.outputs))
    request.spec = _merged_spec(spec)
    return request


def examples_request(data: bytes) -> ExamplesRequest:
    """Reads a ClassificationRequest or RegressionRequest. Raises ValueError for what is none."""
    request = ExamplesRequest()
    spec: list[memoryview] = []
    for number, value in fields(memoryview(data)):
        if number == MODEL_SPEC:
            spec.append(bytes_of(value))
        elif number == INPUT:
            request.input = _merged(request.input, bytes_of(value))
        check_count(len(spec))
    request.spec = _merged_spec(spec)
    return request


def multi_inference_request(data: bytes) -> MultiInferenceRequest:
    """Reads a MultiInferenceRequest. Raises ValueError for what is none."""
    request = MultiInferenceRequest()
    for number, value in fields(memoryview(data)):
        if number == TASKS:
            request.tasks.append(_task(bytes_of(value)))
        elif number == INPUT:
            request.input = _merged(request.input, bytes_of(value))
        check_count(len(request.tasks))
    return request


def _task(data: memoryview) -> Task:
    spec: list[memoryview] = []
    method = ""
    for number, value in fields(data):
        if number == MODEL_SPEC:
            spec.append(bytes_of(value))
        elif number == METHOD_NAME:
            method = text_of(value)
        check_count(len(spec))
    return Task(_merged_spec(spec) or ModelSpec(), method)


def check_count(count: int) -> None:
    """Raises ValueError for more names than a request to this server can need."""
    if count > MOST_NAMES:
        raise ValueError(f"expected at most {MOST_NAMES} names in a request")


def _merged(first: memoryview, second: memoryview) -> memoryview:
    """Returns the bytes of both messages, one after the other: protobuf merges a message that comes
    twice.
    """
    return memoryview(bytes(first) + bytes(second)) if len(first) else second


def _merged_spec(parts: list[memoryview]) -> ModelSpec | None:
    return model_spec_of(b"".join(parts)) if parts else None


def examples_of(given: memoryview, allowance: Allowance | None = None) -> Array:
    """Returns object [N] of serialised tf.Examples, from a serialised `Input`; a context is merged
    into each, whose own features win. Raises ValueError for what is no `Input`, or too large a one.
    """
    allowance = allowance or Allowance()
    context = b""
    examples: list[memoryview] = []
    for kind, listed in fields(given):
        # other fields are of a newer protocol: skipped, as protobuf does
        if kind not in (EXAMPLE_LIST, WITH_CONTEXT):
            continue
        for number, value in fields(listed):
            if number == EXAMPLES:
                # paid for before it is kept
                allowance.take(STRING_COST)
                examples.append(bytes_of(value))
            elif number == CONTEXT and kind == WITH_CONTEXT:
                context += bytes(bytes_of(value))
    # the context is copied into every example
    allowance.take(sum(map(len, examples)) + len(context) * len(examples))
    array: Array = np.empty(len(examples), object)
    # protobuf merges bytes that follow one another, and the later counts
    array[:] = [context + bytes(example) for example in examples]
    return array
