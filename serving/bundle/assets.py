"""Writes what lies beside the graph in `assets.extra`: label contract, lineage, answers to check
the export against, requests that warm a server up.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from models.tasks import TASKS
from models.tasks.arrays import Array, Bytes, Floats
from serving.bundle.class_names import class_names
from serving.bundle.forms import code_of
from serving.bundle.heads import FROM_SCRATCH, Heads, Policy

EXTRA = "assets.extra"
CONTRACT = "contract.json"
LINEAGE = "lineage.json"
PARITY = "parity.npz"
WARMUP = "tf_serving_warmup_requests"  # the name is TensorFlow Serving's
# kernels choose their plans by the size of a batch: each is met once before a request waits for it
WARM_BATCHES = (1, 8)  # batch sizes that a server meets first: a lone question, and a full batch

# What a policy was made of: names of artifacts and addresses.
Lineage = Mapping[str, Any]


def write_extras(
    folder: Path,
    policy: Policy,
    heads: Heads,
    lineage: Lineage,
    probe: Bytes,
    reference: Mapping[str, Floats],
) -> None:
    """Writes all extra assets into `folder`/assets.extra. probe, reference: images [n, S, S, 3] and
    the Keras networks' answers [n, ...] to them.
    """
    extra = folder / EXTRA
    extra.mkdir(parents=True, exist_ok=True)
    (extra / CONTRACT).write_text(json.dumps(contract(heads), indent=1))
    story = {**lineage, "policy": policy, "networks": weights_of(heads)}
    (extra / LINEAGE).write_text(json.dumps(story, indent=1))
    # the prefix keeps a task called "probe" from taking the pictures' place
    answers = {f"answer_{name}": value for name, value in reference.items()}
    # compared at the gate, with the graph that is served: an export may round, but not differ
    np.savez(extra / PARITY, probe=probe, **answers)
    write_warmup(extra / WARMUP, probe, heads)


def contract(heads: Heads) -> dict[str, Any]:
    """Returns the contract of a bundle, which says what every answer means: for each task its unit,
    shape and range, how its codes are read, the names of its classes or numbers, and what it is
    computed from.
    """
    return {
        "size": heads.size,
        "image": "JPEG or PNG, cut square at the centre, resized by area",
        "images": "float in [0, 1]; other numbers are answered, and mean nothing",
        # a network's floats are bound by nothing: those of normals reach beyond 1
        "floats": "as the network gives them; unit, low and high are those of the labels",
        "tasks": {name: task_contract(heads, name) for name in heads.targets},
    }


def task_contract(heads: Heads, name: str) -> dict[str, Any]:
    entry = TASKS[name]
    sources, head = heads.edges[name]
    facts = {
        "title": entry.title,
        "unit": entry.unit,
        "kind": entry.output.kind,
        # a transferred embedding has fewer channels than a learned one
        # the batch is left out: it is the caller's
        "shape": head.output_shape[1:],
        "low": entry.low,
        "high": entry.high,
        "images": entry.images,
        "sources": list(sources),
        "own_network": list(sources) == [name],
        "from_scratch": list(sources) == [FROM_SCRATCH.format(name)],
    }
    code = code_of(entry)
    if code:
        facts["codes"] = {"bits": code.bits, "channels": code.channels, "meaning": code.meaning}
    if class_names(name):
        facts["names"] = class_names(name)
    if entry.output.kind == "vector":
        whitening = heads.whitening.get(name, (0.0, 1.0))
        facts["numbers"] = entry.names
        facts["whitening"] = [np.asarray(part).tolist() for part in whitening]
    return facts


def weights_of(heads: Heads) -> dict[str, dict[str, int]]:
    """Returns {"encoders", "heads"}: the number of parameters of each, by name."""
    encoders = {name: network.encoder for name, network in heads.networks.items()}
    return {
        "encoders": {name: encoder.count_params() for name, encoder in encoders.items()},
        "heads": {name: head.count_params() for name, (_, head) in heads.edges.items()},
    }


def probe_images(size: int) -> Bytes:
    """Returns uint8 [3, S, S, 3]: smooth colours, the same everywhere, for checking the exported
    graph against the networks.
    """
    y, x = np.mgrid[:size, :size] / size
    pictures = [np.stack([x, y, (x + y + i / 3) % 1], -1) for i in range(3)]
    return (np.stack(pictures) * 255).astype("uint8")


def write_warmup(path: Path, probe: Bytes, heads: Heads) -> None:
    """Writes a TFRecord of PredictionLog, as the real server reads it: for every number of views
    bytes at every batch size of WARM_BATCHES and floats once, and one `encode`. probe: [n, S, S,
    3]. An empty filter asks for every output, so that every kernel has run before the first real
    request.
    """
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, name, value in warm_requests(probe, heads):
            request = predict_pb2.PredictRequest()
            request.model_spec.name = "taxonomy"
            # the server does not look at the name in a record
            request.model_spec.signature_name = signature
            request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
            log = prediction_log_pb2.PredictLog(request=request)
            record = prediction_log_pb2.PredictionLog(predict_log=log)
            writer.write(record.SerializeToString())


def warm_requests(probe: Bytes, heads: Heads) -> list[tuple[str, str, Array]]:
    """Returns (signature, input, value) of every warm-up request. probe: [n, S, S, 3]."""
    from models.examples.published import encode_png

    png = [encode_png(image) for image in probe]
    requests = [("encode", "image_bytes", np.array(png[:1], object))]
    for images in heads.kinds:
        ending = "" if images == 1 else f"_{images}"
        one: Any = png[0] if images == 1 else png[:images]
        for size in WARM_BATCHES:
            batch = np.array([one] * size, object)
            requests.append((f"image_bytes{ending}", "image_bytes", batch))
        # views of one question stand side by side in the second axis
        views = probe[:1] if images == 1 else probe[None, :images]
        floats = views.astype("float32") / 255
        requests.append((f"images{ending}", "images", floats))
        if images == 1:
            requests.append(("serving_default", "images", floats))
        requests.append((f"compact{ending}", "image_bytes", np.array([one], object)))
    return requests


def read_extras(bundle: str | Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns (contract, lineage) of a bundle. Raises FileNotFoundError where there are none."""
    extra = Path(bundle) / EXTRA
    return json.loads((extra / CONTRACT).read_text()), json.loads((extra / LINEAGE).read_text())
