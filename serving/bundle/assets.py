"""What lies beside the graph in `assets.extra`: label contract, lineage, answers to check the
export against, requests that warm a server up.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from models.tasks import TASKS
from serving.bundle.class_names import class_names
from serving.bundle.forms import code_of

CONTRACT, LINEAGE, PARITY, WARMUP = (
    "contract.json",
    "lineage.json",
    "parity.npz",
    "tf_serving_warmup_requests",
)
WARM_BATCHES = (1, 8)  # batch sizes that a server meets first: a lone question, and a full batch


def write_extras(
    folder: Path, policy: dict, heads, lineage: dict, probe: np.ndarray, reference: dict
) -> None:
    """all of them, into `folder`/assets.extra. heads: `serving.bundle.build.Heads`; probe,
    reference: images and the Keras networks' answers to them.
    """
    extra = folder / "assets.extra"
    extra.mkdir(parents=True, exist_ok=True)
    (extra / CONTRACT).write_text(json.dumps(contract(heads), indent=1))
    (extra / LINEAGE).write_text(
        json.dumps({**lineage, "policy": policy, "networks": weights_of(heads)}, indent=1)
    )
    np.savez(
        extra / PARITY,
        probe=probe,
        **{f"answer_{name}": value for name, value in reference.items()},
    )
    write_warmup(extra / WARMUP, probe, heads)


def contract(heads) -> dict:
    """what every answer means: unit, shape, range, how its codes are read, names of its classes or
    numbers, what it is computed from.
    """
    tasks = {}
    for name in heads.targets:
        entry, code = TASKS[name], code_of(TASKS[name])
        tasks[name] = {
            "title": entry.title,
            "unit": entry.unit,
            "kind": entry.output.kind,
            "shape": heads.edges[name][1].output_shape[
                1:
            ],  # a transferred embedding has fewer channels than a learned one
            "low": entry.low,
            "high": entry.high,
            "images": entry.images,
            "sources": list(heads.edges[name][0]),
            "own_network": list(heads.edges[name][0]) == [name],
            **(
                {"codes": {"bits": code.bits, "channels": code.channels, "meaning": code.meaning}}
                if code
                else {}
            ),
            **({"names": class_names(name)} if class_names(name) else {}),
            **(
                {
                    "numbers": entry.names,
                    "whitening": [
                        np.asarray(part).tolist() for part in heads.whitening.get(name, (0.0, 1.0))
                    ],
                }
                if entry.output.kind == "vector"
                else {}
            ),
        }
    return {
        "size": heads.size,
        "image": "JPEG or PNG, cut square at the centre, resized by area",
        "tasks": tasks,
    }


def weights_of(heads) -> dict:
    """parameters of every encoder and head, for whoever wants to know what a bundle weighs."""
    return {
        "encoders": {
            name: network.encoder.count_params() for name, network in heads.networks.items()
        },
        "heads": {name: head.count_params() for name, (_, head) in heads.edges.items()},
    }


def probe_images(size: int) -> np.ndarray:
    """uint8 [3, S, S, 3]: smooth colours, the same everywhere, for checking the exported graph
    against the networks.
    """
    y, x = np.mgrid[:size, :size] / size
    return np.stack([np.stack([x, y, (x + y + i / 3) % 1], -1) * 255 for i in range(3)]).astype(
        "uint8"
    )


def write_warmup(path: Path, probe: np.ndarray, heads) -> None:
    """TFRecord of PredictionLog, as the real server reads it: bytes at every batch size of
    WARM_BATCHES, floats once, for every number of views; `encode`.

    An empty filter asks for every output, so that every kernel has run before the first real
    request.
    """
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    png = [tf.io.encode_png(image).numpy() for image in probe]
    asked = [("encode", "image_bytes", np.array(png[:1], object))]
    for images in heads.kinds:
        ending, one = ("" if images == 1 else f"_{images}"), png[0] if images == 1 else png[:images]
        asked += [
            (f"image_bytes{ending}", "image_bytes", np.array([one] * size, object))
            for size in WARM_BATCHES
        ]
        floats = (probe[:1] if images == 1 else probe[None, :images]).astype("float32") / 255
        asked.append((f"images{ending}", "images", floats))
        asked.append((f"compact{ending}", "image_bytes", np.array([one], object)))
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, name, value in asked:
            request = predict_pb2.PredictRequest()
            request.model_spec.name, request.model_spec.signature_name = "taxonomy", signature
            request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
            writer.write(
                prediction_log_pb2.PredictionLog(
                    predict_log=prediction_log_pb2.PredictLog(request=request)
                ).SerializeToString()
            )


def read_extras(bundle: str | Path) -> tuple[dict, dict]:
    """(contract, lineage) of a bundle. Raises FileNotFoundError where there are none."""
    extra = Path(bundle) / "assets.extra"
    return json.loads((extra / CONTRACT).read_text()), json.loads((extra / LINEAGE).read_text())
