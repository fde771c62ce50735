"""A policy as one SavedModel: every source encoder once, every target's head on it, a signature for all tasks and one for each.

The graph is written flat (variables folded to constants, functions inlined), so that a session runs only the heads that are asked for.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np

from models.tasks import TASKS

TOP = 5


def build_bundle(policy: dict, networks: str | Path, transfers: str | Path, destination: str | Path, *, lineage: dict, image_size: int) -> Path:
    """write the SavedModel of `policy` (a `Taxonomy.to_json`) to `destination`, which appears whole or not at all; returns it.

    networks: task networks by name; transfers: transfer networks by target. Inputs: `image_bytes` string [N] (JPEG or PNG; cut square, resized by area,
    rounded as in training) or `images` float [N, S, S, 3] in [0, 1]; tasks about k views take [N, k]. Outputs are named by task; maps of one or
    three channels also as `<task>_png`, classes also as `<task>_top` ids and `<task>_scores`. assets.extra: contract, lineage, parity probe, warm-up.
    """
    import keras
    import tensorflow as tf

    keras.backend.clear_session()
    destination = Path(destination)
    heads = Heads(policy, networks, transfers, image_size)
    probe = probe_images(image_size)
    reference = heads.reference(probe)
    traced = heads.trace()
    frozen, names = frozen_graph(traced), sorted(traced.structured_outputs)
    scratch = destination.with_name(f".{destination.name}.{os.getpid()}")
    shutil.rmtree(scratch, ignore_errors=True)
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(frozen.graph.as_graph_def(), name="")
        builder = tf.compat.v1.saved_model.Builder(str(scratch))
        with tf.compat.v1.Session(graph=graph) as session:
            builder.add_meta_graph_and_variables(session, [tf.saved_model.SERVING], signature_def_map=signatures(graph, frozen, names, heads))
            builder.save()
    write_extras(scratch, policy, heads, lineage, image_size, probe, reference)
    shutil.rmtree(destination, ignore_errors=True)
    os.replace(scratch, destination)
    return destination


class Heads:
    """The networks of a policy, loaded: encoders by source, and for every target how it is answered."""

    def __init__(self, policy: dict, networks: str | Path, transfers: str | Path, size: int) -> None:
        from models.networks import load_task_network, load_transfer_network

        self.size, self.edges = size, {}
        own = [edge["target"] for edge in policy["edges"] if not edge["sources"]]
        needed = sorted({source for edge in policy["edges"] for source in edge["sources"]} | set(own))
        self.networks = {name: load_task_network(Path(networks) / name) for name in needed}
        for edge in policy["edges"]:
            if edge["sources"]:
                loaded = load_transfer_network(Path(transfers) / edge["target"])
                if list(loaded.sources) != edge["sources"]:
                    raise ValueError(
                        f"the transfer network of {edge['target']} reads {loaded.sources}, the policy says {edge['sources']}; train the policy again"
                    )
                self.edges[edge["target"]] = (loaded.sources, loaded.head)
            else:
                self.edges[edge["target"]] = ((edge["target"],), self.networks[edge["target"]].head)
        self.targets = [name for name in TASKS if name in self.edges]

    def group(self, images: int) -> list[str]:
        return [name for name in self.targets if TASKS[name].images == images]

    def encode(self, image01) -> dict:
        """[B, S, S, 3] in [0, 1] -> source -> representation; every encoder once."""
        from models.networks import encoder_input

        return {name: network.encoder(encoder_input(network.task, image01), training=False) for name, network in self.networks.items()}

    def answers(self, image01, images: int) -> dict:
        """all targets about `images` views: image01 [N, S, S, 3], or [N, images, S, S, 3]."""
        from keras import ops

        flat = image01 if images == 1 else ops.reshape(image01, (-1, self.size, self.size, 3))
        codes, made = self.encode(flat), {}
        for name in self.group(images):
            sources, head = self.edges[name]
            code = ops.concatenate([codes[source] for source in sources], axis=-1)
            made[name] = head(code if images == 1 else ops.reshape(code, (-1, images, *code.shape[1:])), training=False)
        return made

    def reference(self, probe: np.ndarray) -> dict[str, np.ndarray]:
        """the Keras networks' own answers to uint8 [3, S, S, 3] probe images, outside any exported graph."""
        made = {}
        for images in (1, 2, 3):
            if self.group(images):
                value = probe.astype("float32") / 255
                made.update({name: np.asarray(answer) for name, answer in self.answers(value if images == 1 else value[None, :images], images).items()})
        return made

    def trace(self):
        """one concrete function from encoded bytes to all outputs."""
        import tensorflow as tf

        kinds = [images for images in (1, 2, 3) if self.group(images)]

        def everything(**feeds):
            made = {}
            for images in kinds:
                decoded = tf.identity(decode(feeds[f"image_bytes_{images}"], self.size, images), name=f"images_{images}")
                for name, value in self.answers(decoded, images).items():
                    made.update(forms(name, tf.cast(value, tf.float32)))
            return made

        feeds = {f"image_bytes_{images}": tf.TensorSpec([None] if images == 1 else [None, images], tf.string, f"image_bytes_{images}") for images in kinds}
        return tf.function(everything).get_concrete_function(**feeds)


def decode(data, size: int, images: int):
    """strings [N] or [N, k] -> float [N, S, S, 3] or [N, k, S, S, 3] in [0, 1], exactly as ingest makes training images."""
    import tensorflow as tf

    def one(text):
        image = tf.cast(tf.io.decode_image(text, 3, expand_animations=False), tf.float32)
        image = tf.ensure_shape(image, [None, None, 3])
        height, width = tf.shape(image)[0], tf.shape(image)[1]
        side = tf.minimum(height, width)
        image = image[(height - side) // 2 : (height - side) // 2 + side, (width - side) // 2 : (width - side) // 2 + side]
        return tf.round(tf.image.resize(image[None], [size, size], method="area")[0]) / 255

    flat = tf.map_fn(one, tf.reshape(data, [-1]), fn_output_signature=tf.TensorSpec([size, size, 3], tf.float32))
    return flat if images == 1 else tf.reshape(flat, [-1, images, size, size, 3])


def forms(name: str, value) -> dict:
    """an answer as floats and in its compact form."""
    import tensorflow as tf

    task, made = TASKS[name], {name: value}
    if task.output.kind == "pixels" and task.output.channels in (1, 3):
        high = min(task.high, 10.0)
        codes = tf.cast(tf.clip_by_value((value - task.low) / (high - task.low), 0, 1) * 255 + 0.5, tf.uint8)
        made[f"{name}_png"] = tf.map_fn(lambda image: tf.io.encode_png(image, compression=1), codes, fn_output_signature=tf.string)
    elif task.output.kind == "pixel_classes":
        ids = tf.cast(tf.argmax(value, -1), tf.uint8)[..., None]
        made[f"{name}_png"] = tf.map_fn(lambda image: tf.io.encode_png(image, compression=1), ids, fn_output_signature=tf.string)
    elif task.output.kind == "classes":
        scores, ids = tf.math.top_k(tf.nn.softmax(value), min(TOP, task.output.channels))
        made.update({f"{name}_top": ids, f"{name}_scores": scores})
    return made


def frozen_graph(function):
    """the function with its variables folded into constants and its calls inlined."""
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    return convert_variables_to_constants_v2(function, lower_control_flow=True)


def signatures(graph, frozen, names: list[str], heads: Heads) -> dict:
    """serving_default (floats) and image_bytes for all single-view tasks; every task alone by its name, from bytes; pairs and triplets by images_k."""
    import tensorflow as tf

    outputs = {name: graph.get_tensor_by_name(tensor.name) for name, tensor in zip(names, frozen.outputs)}
    info = tf.compat.v1.saved_model.build_tensor_info
    make = lambda inputs, wanted: tf.compat.v1.saved_model.build_signature_def(
        {key: info(value) for key, value in inputs.items()}, {name: info(outputs[name]) for name in wanted}, "tensorflow/serving/predict"
    )
    belongs = lambda tasks: [name for name in outputs if name in tasks or name.rsplit("_", 1)[0] in tasks]
    made = {}
    for images in (1, 2, 3):
        tasks = heads.group(images)
        if tasks:
            text, floats = graph.get_tensor_by_name(f"image_bytes_{images}:0"), graph.get_tensor_by_name(f"images_{images}:0")
            made["image_bytes" if images == 1 else f"image_bytes_{images}"] = make({"image_bytes": text}, belongs(tasks))
            made["serving_default" if images == 1 else f"images_{images}"] = make({"images": floats}, belongs(tasks))
            made.update({name: make({"image_bytes": text}, belongs([name])) for name in tasks})
    return made


def probe_images(size: int) -> np.ndarray:
    """uint8 [3, S, S, 3]: smooth colours, the same everywhere, for checking the exported graph against the networks."""
    y, x = np.mgrid[:size, :size] / size
    return np.stack([np.stack([x, y, (x + y + i / 3) % 1], -1) * 255 for i in range(3)]).astype("uint8")


def write_extras(folder: Path, policy: dict, heads: Heads, lineage: dict, size: int, probe: np.ndarray, reference: dict) -> None:
    """what a client or an auditor wants to know, beside the graph, and the first requests that the server replays before it answers."""
    extra = folder / "assets.extra"
    extra.mkdir(parents=True, exist_ok=True)
    tasks = {
        name: {
            "unit": TASKS[name].unit,
            "kind": TASKS[name].output.kind,
            "shape": TASKS[name].output.shape(size),
            "low": TASKS[name].low,
            "high": TASKS[name].high,
            "images": TASKS[name].images,
            "sources": list(heads.edges[name][0]),
        }
        for name in heads.targets
    }
    (extra / "contract.json").write_text(json.dumps({"size": size, "tasks": tasks}, indent=1))
    (extra / "lineage.json").write_text(json.dumps({**lineage, "policy": policy}, indent=1))
    np.savez(extra / "parity.npz", probe=probe, **{f"answer_{name}": value for name, value in reference.items()})
    write_warmup(extra / "tf_serving_warmup_requests", probe, heads)


def write_warmup(path: Path, probe: np.ndarray, heads: Heads) -> None:
    """TFRecord of PredictionLog, as the real server reads it: one request a view count."""
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    png = [tf.io.encode_png(image).numpy() for image in probe]
    with tf.io.TFRecordWriter(str(path)) as writer:
        for images in (1, 2, 3):
            if heads.group(images):
                request = predict_pb2.PredictRequest()
                request.model_spec.name = "taxonomy"
                request.model_spec.signature_name = "image_bytes" if images == 1 else f"image_bytes_{images}"
                request.inputs["image_bytes"].CopyFrom(tf.make_tensor_proto(png[:1] if images == 1 else [png[:images]]))
                writer.write(prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request)).SerializeToString())
