"""Classify, Regress and MultiInference: tf.Examples in, classes with scores or one number an
example out (signatures that take serialized examples).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.tasks.arrays import Array
from serving.errors import invalid, unimplemented
from serving.server.session import Awaited, Version, always
from serving.wire.model_spec import DEFAULT_SIGNATURE
from serving.wire.requests import Task

CLASSIFY = "tensorflow/serving/classify"
REGRESS = "tensorflow/serving/regress"
# aliases that the two methods fix
INPUTS = "inputs"
CLASSES = "classes"
SCORES = "scores"
OUTPUTS = "outputs"
KIND = {CLASSIFY: "classification", REGRESS: "regression"}


@dataclass(frozen=True)
class Inference:
    """What is asked of a signature. feed: its input tensor; outputs: tensor by alias."""

    signature: str
    method: str
    feed: str
    outputs: dict[str, str]


@dataclass(frozen=True)
class Inferred:
    """An answer. result: a ClassificationResult or a RegressionResult, as the method says."""

    signature: str
    method: str
    result: Any


def inference_of(
    version: Version, name: str, method: str, missing: str = "No signature was found with the name"
) -> Inference:
    """Returns the inference of a classification or regression signature. Raises INVALID_ARGUMENT,
    in the words `missing` where there is no such signature.
    """
    name = name or DEFAULT_SIGNATURE
    if name not in version.signatures:
        raise invalid(f"{missing}: {name}")
    signature = version.signatures[name]
    if version.strict and signature.method_name != method:
        raise invalid(
            f"Expected {KIND[method]} signature method_name to be {method}. Was: "
            f"{signature.method_name}"
        )
    if len(signature.inputs) != 1:
        raise invalid("Expected one input Tensor.")
    if INPUTS not in signature.inputs:
        raise invalid(f"No {KIND[method]} inputs found in SignatureDef: {sorted(signature.inputs)}")
    outputs = _outputs(signature, method)
    return Inference(name, method, signature.inputs[INPUTS].name, outputs)


def _outputs(signature: Any, method: str) -> dict[str, str]:
    """Returns alias -> output tensor of a signature. Raises INVALID_ARGUMENT where its method's
    outputs are not there.
    """
    aliases = (CLASSES, SCORES) if method == CLASSIFY else (OUTPUTS,)
    # a signature may have one of the two: what is there is answered
    outputs = {
        alias: signature.outputs[alias].name for alias in aliases if alias in signature.outputs
    }
    if outputs:
        return outputs
    offered = sorted(signature.outputs)
    if method == CLASSIFY:
        raise invalid(
            "Expected classification signature outputs to contain at least one of "
            f'"{CLASSES}" or "{SCORES}". Signature: {offered}'
        )
    raise invalid(f"No regression outputs found in SignatureDef: {offered}")


def infer(
    version: Version,
    name: str,
    examples: Array,
    method: str,
    deadline: float | None = None,
    awaited: Awaited = always,
) -> Inferred:
    """Returns the answer about `examples`, object [N] of serialized tf.Examples. awaited(): whether
    the client is still there. Raises CANCELLED, without a run, if it is not; INVALID_ARGUMENT.
    """
    inference = inference_of(version, name, method)
    check_examples(examples)
    # only then is the graph asked: a run for no example would fail in some operation
    tensors = list(inference.outputs.values())
    answers = version.answered({inference.feed: examples}, tensors, deadline, awaited)
    return _inferred(inference, dict(zip(tensors, answers)), len(examples))


def check_examples(examples: Array) -> None:
    """Raises INVALID_ARGUMENT where there are no examples [n]."""
    if not len(examples):
        raise invalid("Input is empty.")


def _inferred(inference: Inference, values: dict[str, Array], count: int) -> Inferred:
    # by tensor: two aliases may name the same one, which is fetched once
    outputs = {alias: values[tensor] for alias, tensor in inference.outputs.items()}
    result_of = classified if inference.method == CLASSIFY else regressed
    return Inferred(inference.signature, inference.method, result_of(outputs, count))


def classified(outputs: dict[str, Array], count: int) -> Any:
    """Returns the ClassificationResult of `classes` object [N, C] and `scores` float32 [N, C], of
    which one may be absent.
    """
    from tensorflow_serving.apis import classification_pb2

    classes = outputs.get(CLASSES)
    scores = outputs.get(SCORES)
    _check_table(classes, count, "DT_STRING", np.dtype(object))
    _check_table(scores, count, "DT_FLOAT", np.dtype(np.float32))
    if classes is not None and scores is not None and classes.shape != scores.shape:
        raise invalid(
            f"Tensors class and score should match in shape, got {list(classes.shape)} and "
            f"{list(scores.shape)}"
        )
    # either table has the width; one of them is there, or the signature had been refused
    width = next(table.shape[1] for table in (classes, scores) if table is not None)
    result = classification_pb2.ClassificationResult()
    for i in range(count):
        row = result.classifications.add()
        for j in range(width):
            entry = row.classes.add()
            if classes is not None:
                entry.label = label_of(classes[i, j])
            if scores is not None:
                entry.score = scores[i, j]
    return result


def label_of(text: bytes) -> str:
    """Returns a class's label as text. Raises INVALID_ARGUMENT for bytes that are no UTF-8, which
    no field of text can carry.
    """
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise invalid(
            f"Expected labels of classes to be UTF-8, got {text[:50]!r}; Predict answers any bytes"
        ) from error


def _check_table(table: Array | None, count: int, kind: str, dtype: np.dtype[Any]) -> None:
    if table is None:
        return
    if table.ndim != 2:
        raise invalid(
            f"Expected Tensor shape: [batch_size num_classes] but got {list(table.shape)}"
        )
    if table.dtype != dtype:
        raise invalid(f"Expected Tensor of {kind}. Got: {table.dtype.name}")
    _check_rows(table, count)


def _check_rows(value: Array, count: int) -> None:
    if len(value) != count:
        raise invalid(f"Expected the output's batch size to be {count}. Got: {len(value)}")


def regressed(outputs: dict[str, Array], count: int) -> Any:
    """Returns the RegressionResult of `outputs` float32 [N] or [N, 1]."""
    from tensorflow_serving.apis import regression_pb2

    value = outputs[OUTPUTS]
    # a column of one number is what many exports give
    is_column = value.ndim == 2 and value.shape[1] == 1
    if value.ndim != 1 and not is_column:
        raise invalid(
            f"Expected Tensor shape: [batch_size] or [batch_size, 1] but got {list(value.shape)}"
        )
    if value.dtype != np.float32:
        raise invalid(f"Expected output Tensor of DT_FLOAT. Got: {value.dtype.name}")
    _check_rows(value, count)
    result = regression_pb2.RegressionResult()
    for number in value.reshape(-1):
        result.regressions.add(value=number)
    return result


def check_tasks(tasks: Sequence[Task]) -> None:
    """Checks MultiInference's own rules. Raises INVALID_ARGUMENT, UNIMPLEMENTED."""
    if not tasks:
        raise invalid("Inference request must have at least one task")
    names: set[str] = set()
    for task in tasks:
        if task.spec.name != tasks[0].spec.name:
            raise invalid(
                "All ModelSpecs in a MultiInferenceRequest must access the same model name. "
                f"{task.spec.name} is not"
            )
        # the same signature, however it is spelled
        name = task.spec.signature or DEFAULT_SIGNATURE
        if name in names:
            raise invalid(f"Duplicate evaluation of signature: {name}")
        names.add(name)
        if task.method not in KIND:
            raise unimplemented(f"Unsupported signature method_name: {task.method}")


def multi_inference(
    version: Version,
    tasks: Sequence[Task],
    examples: Array,
    deadline: float | None = None,
    awaited: Awaited = always,
) -> list[Inferred]:
    """Returns answers about examples, object [n], in task order, by one run of the graph, otherwise
    as `infer` does.

    A TF2 export has an input tensor of its own for every signature: each that is asked about is fed
    the examples.
    """
    check_tasks(tasks)
    missing = "Requested signature not found in model graph"
    inferences = [
        inference_of(version, task.spec.signature, task.method, missing) for task in tasks
    ]
    check_examples(examples)
    # a dictionary: TF1 exports share one input among signatures
    feeds = {inference.feed: examples for inference in inferences}
    fetches = sorted({tensor for one in inferences for tensor in one.outputs.values()})
    answers = version.answered(feeds, fetches, deadline, awaited, batched=False)
    values = dict(zip(fetches, answers))
    return [_inferred(inference, values, len(examples)) for inference in inferences]
