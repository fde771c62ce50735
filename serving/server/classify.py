"""Classify, Regress and MultiInference: tf.Examples in, classes with scores or one number an
example out (signatures that take serialized examples).
"""

from __future__ import annotations

import numpy as np

from serving.errors import invalid, precondition, unimplemented

CLASSIFY, REGRESS = "tensorflow/serving/classify", "tensorflow/serving/regress"
INPUTS, CLASSES, SCORES, OUTPUTS = "inputs", "classes", "scores", "outputs"


def serialized(given) -> np.ndarray:
    """the examples of an `Input`: object [N] of serialized tf.Examples; a context is merged into
    each. Raises INVALID_ARGUMENT if there are none.
    """
    from tensorflow.core.example import example_pb2

    kind = given.WhichOneof("kind")
    examples = list(getattr(given, kind).examples) if kind else []
    if not examples:
        raise invalid("Input is empty.")
    if kind == "example_list_with_context":
        merged = []
        for example in examples:
            whole = example_pb2.Example()
            whole.CopyFrom(given.example_list_with_context.context)
            for name, feature in example.features.feature.items():
                whole.features.feature[name].CopyFrom(feature)
            merged.append(whole)
        examples = merged
    made = np.empty(len(examples), object)
    made[:] = [example.SerializeToString() for example in examples]
    return made


def asked(version, name: str, method: str, missing=None):
    """(signature name, input tensor, {output alias: tensor}) of a classification or regression
    signature. Raises INVALID_ARGUMENT.
    """
    name = name or "serving_default"
    if name not in version.signatures:
        raise invalid(missing or f"No signature was found with the name: {name}")
    signature, kind = (
        version.signatures[name],
        "classification" if method == CLASSIFY else "regression",
    )
    if version.strict and signature.method_name != method:
        raise invalid(
            f"Expected {kind} signature method_name to be {method}. Was: {signature.method_name}"
        )
    if len(signature.inputs) != 1:
        raise invalid("Expected one input Tensor.")
    if INPUTS not in signature.inputs:
        raise invalid(f"No {kind} inputs found in SignatureDef: {sorted(signature.inputs)}")
    allowed = (CLASSES, SCORES) if method == CLASSIFY else (OUTPUTS,)
    outputs = {
        alias: signature.outputs[alias].name for alias in allowed if alias in signature.outputs
    }
    if not outputs:
        raise invalid(
            "Expected classification signature outputs to contain at least one of "
            f'"{CLASSES}" or "{SCORES}". Signature: {sorted(signature.outputs)}'
            if method == CLASSIFY
            else f"No regression outputs found in SignatureDef: {sorted(signature.outputs)}"
        )
    return name, signature.inputs[INPUTS].name, outputs


def classified(found: dict[str, np.ndarray], count: int):
    """ClassificationResult of `classes` object [N, C] and `scores` float32 [N, C], of which one may
    be absent.
    """
    from tensorflow_serving.apis import classification_pb2

    classes, scores = found.get(CLASSES), found.get(SCORES)
    for value, kind, numpy_type in (
        (classes, "DT_STRING", object),
        (scores, "DT_FLOAT", np.float32),
    ):
        if value is None:
            continue
        if value.ndim != 2:
            raise invalid(
                f"Expected Tensor shape: [batch_size num_classes] but got {list(value.shape)}"
            )
        if value.dtype != numpy_type:
            raise invalid(f"Expected Tensor of {kind}. Got: {value.dtype.name}")
        if len(value) != count:
            raise invalid(f"Expected the output's batch size to be {count}. Got: {len(value)}")
    if classes is not None and scores is not None and classes.shape != scores.shape:
        raise invalid(
            f"Tensors class and score should match in shape, got {list(classes.shape)} and "
            f"{list(scores.shape)}"
        )
    result = classification_pb2.ClassificationResult()
    for i in range(count):
        row = result.classifications.add()
        for j in range((classes if classes is not None else scores).shape[1]):
            entry = row.classes.add()
            if classes is not None:
                entry.label = classes[i, j]
            if scores is not None:
                entry.score = scores[i, j]
    return result


def regressed(found: dict[str, np.ndarray], count: int):
    """RegressionResult of `outputs` float32 [N] or [N, 1]."""
    from tensorflow_serving.apis import regression_pb2

    value = found[OUTPUTS]
    if value.ndim not in (1, 2) or value.ndim == 2 and value.shape[1] != 1:
        raise invalid(
            f"Expected Tensor shape: [batch_size] or [batch_size, 1] but got {list(value.shape)}"
        )
    if value.dtype != np.float32:
        raise invalid(f"Expected output Tensor of DT_FLOAT. Got: {value.dtype.name}")
    if len(value) != count:
        raise invalid(f"Expected the output's batch size to be {count}. Got: {len(value)}")
    result = regression_pb2.RegressionResult()
    for number in value.reshape(-1):
        result.regressions.add(value=number)
    return result


def inferred(version, name: str, given, method: str, deadline: float | None, awaited):
    name, feed, outputs = asked(version, name, method)
    examples = serialized(given)
    found = dict(
        zip(outputs, version.answered({feed: examples}, list(outputs.values()), deadline, awaited))
    )
    return name, (classified if method == CLASSIFY else regressed)(found, len(examples))


def classify(version, name: str, given, deadline: float | None = None, awaited=lambda: True):
    """(signature name, ClassificationResult) of an `Input`. awaited(): is the client still there?
    Raises CANCELLED, without a run, if it is not.
    """
    return inferred(version, name, given, CLASSIFY, deadline, awaited)


def regress(version, name: str, given, deadline: float | None = None, awaited=lambda: True):
    """(signature name, RegressionResult) of an `Input`, as `classify`."""
    return inferred(version, name, given, REGRESS, deadline, awaited)


def check_tasks(request) -> None:
    """MultiInference's own rules. Raises INVALID_ARGUMENT, UNIMPLEMENTED."""
    if not request.tasks:
        raise invalid("Inference request must have at least one task")
    names = set()
    for task in request.tasks:
        if task.model_spec.name != request.tasks[0].model_spec.name:
            raise invalid(
                "All ModelSpecs in a MultiInferenceRequest must access the same model name. "
                f"{task.model_spec.name} is not"
            )
        name = task.model_spec.signature_name or "serving_default"
        if name in names:
            raise invalid(f"Duplicate evaluation of signature: {name}")
        names.add(name)
        if task.method_name not in (CLASSIFY, REGRESS):
            raise unimplemented(f"Unsupported signature method_name: {task.method_name}")


def multi_inference(version, request, deadline: float | None = None, awaited=lambda: True) -> list:
    """[(signature name, method, result)] in task order, by one run of the graph, as `classify`."""
    check_tasks(request)
    plans = []
    for task in request.tasks:
        name = task.model_spec.signature_name or "serving_default"
        plans.append(
            (
                task.method_name,
                *asked(
                    version,
                    name,
                    task.method_name,
                    f"Requested signature not found in model graph: {name}",
                ),
            )
        )
    if len({feed for _, _, feed, _ in plans}) != 1:
        raise precondition("Input tensor must be the same for all Signatures.")
    examples = serialized(request.input)
    fetches = sorted({tensor for *_, outputs in plans for tensor in outputs.values()})
    values = dict(
        zip(
            fetches,
            version.answered({plans[0][2]: examples}, fetches, deadline, awaited, batched=False),
        )
    )
    made = []
    for method, name, _, outputs in plans:
        found = {alias: values[tensor] for alias, tensor in outputs.items()}
        made.append(
            (name, method, (classified if method == CLASSIFY else regressed)(found, len(examples)))
        )
    return made
