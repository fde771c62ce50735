"""A policy as one SavedModel: every source encoder once, every target's head on it.

The graph is written flat, so that a session runs only the heads and forms that are asked for. A TF2
export would run them all: its heads sit inside one function call. Small weights are constants of
the graph, large ones variables beside it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np

from models.tasks import TASKS
from serving.bundle.assets import probe_images, write_extras
from serving.bundle.decoding import decode
from serving.bundle.forms import forms
from serving.bundle.graph.deduplicate import LARGE, merged
from serving.bundle.graph.fuse_upsampling import fused
from serving.bundle.signatures import signatures

LARGEST_GRAPH = 1900 << 20  # a GraphDef ends at 2 GiB


def build_bundle(
    policy: dict,
    networks: str | Path,
    transfers: str | Path,
    destination: str | Path,
    *,
    lineage: dict,
    image_size: int,
    whitening: dict | None = None,
) -> Path:
    """write the SavedModel of `policy` (a `Taxonomy.to_json`) to `destination`, which appears whole
    or not at all; returns it.

    networks: task networks by name; transfers: transfer networks by target. whitening: task ->
    (mean, deviation) of vector tasks, so that poses come in metres too. Signatures:
    `serving/bundle/signatures.py`; forms of an answer: `serving/bundle/forms.py`; what lies beside
    the graph: `serving/bundle/assets.py`. Raises ValueError for a transfer network of other sources
    than the policy's, or networks too large for one graph.
    """
    import keras

    keras.backend.clear_session()
    return export(
        Heads.load(policy, networks, transfers, image_size, whitening or {}),
        policy,
        destination,
        lineage,
    )


def build_servables(
    policy: dict,
    networks: str | Path,
    transfers: str | Path,
    folder: str | Path,
    *,
    lineage: dict,
    image_size: int,
    whitening: dict | None = None,
) -> dict[str, Path]:
    """one SavedModel a target below `folder`, named after it, for those who serve tasks apart:
    every one carries its own copy of its encoders.
    """
    import keras

    keras.backend.clear_session()
    heads = Heads.load(policy, networks, transfers, image_size, whitening or {})
    return {
        name: export(heads.only(name), heads.narrowed(policy, name), Path(folder) / name, lineage)
        for name in heads.targets
    }


def export(heads: Heads, policy: dict, destination: str | Path, lineage: dict) -> Path:
    """trace, freeze, write, rename."""
    import tensorflow as tf

    tf.get_logger().setLevel("ERROR")  # every name of the flat form is marked deprecated
    destination = Path(destination)
    destination.parent.mkdir(parents=True, exist_ok=True)
    probe = probe_images(heads.size)
    reference = heads.reference(probe)
    traced = heads.trace()
    names, known = sorted(traced.structured_outputs), values_of(traced)
    fed = [
        f"{kind}_{images}"
        for kind in ("image_bytes", "images")
        for images in sorted({1, *heads.kinds})
    ] + [f"code_{name}" for name in heads.networks]
    flat, renamed, weights = merged(
        traced.graph.as_graph_def(), fed, [tensor.name for tensor in traced.outputs], known, LARGE
    )
    if flat.ByteSize() > LARGEST_GRAPH:
        raise ValueError(
            f"the graph weighs {flat.ByteSize() >> 20} MiB without its large weights, at most "
            f"{LARGEST_GRAPH >> 20}; use build_servables"
        )
    scratch = destination.with_name(f".{destination.name}.{os.getpid()}")
    shutil.rmtree(scratch, ignore_errors=True)
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        import_with(flat, weights, session)
        outputs = {
            name: graph.get_tensor_by_name(renamed[tensor.name])
            for name, tensor in zip(names, traced.outputs)
        }
        builder = tf.compat.v1.saved_model.Builder(str(scratch))
        builder.add_meta_graph_and_variables(
            session, [tf.saved_model.SERVING], signature_def_map=signatures(graph, outputs, heads)
        )
        builder.save()
    write_extras(scratch, policy, heads, lineage, probe, reference)
    shutil.rmtree(destination, ignore_errors=True)
    os.replace(scratch, destination)
    return destination


class Heads:
    """The networks of a policy, loaded: encoders by source, and for every target (its sources, its
    head).
    """

    def __init__(self, networks: dict, edges: dict, size: int, whitening: dict) -> None:
        self.networks, self.edges, self.size, self.whitening = networks, edges, size, whitening
        self.targets = [name for name in TASKS if name in edges]

    @classmethod
    def load(
        cls, policy: dict, networks: str | Path, transfers: str | Path, size: int, whitening: dict
    ) -> Heads:
        from models.networks.task_networks.build import load_task_network
        from models.networks.transfers.edge import load_transfer_network

        own = [edge["target"] for edge in policy["edges"] if not edge["sources"]]
        needed = sorted(
            {source for edge in policy["edges"] for source in edge["sources"]} | set(own)
        )
        loaded, edges = {name: load_task_network(Path(networks) / name) for name in needed}, {}
        for edge in policy["edges"]:
            if not edge["sources"]:
                edges[edge["target"]] = ((edge["target"],), loaded[edge["target"]].head)
                continue
            transfer = load_transfer_network(Path(transfers) / edge["target"])
            if list(transfer.sources) != list(edge["sources"]):
                raise ValueError(
                    f"the transfer network of {edge['target']} reads {transfer.sources}, the "
                    f"policy says {edge['sources']}; train the policy again"
                )
            edges[edge["target"]] = (transfer.sources, transfer.head)
        return cls(loaded, edges, size, whitening)

    def only(self, target: str) -> Heads:
        """the same networks, as far as `target` needs them."""
        return Heads(
            {name: self.networks[name] for name in self.edges[target][0]},
            {target: self.edges[target]},
            self.size,
            self.whitening,
        )

    @staticmethod
    def narrowed(policy: dict, target: str) -> dict:
        return {**policy, "edges": [edge for edge in policy["edges"] if edge["target"] == target]}

    @property
    def kinds(self) -> list[int]:
        """numbers of views that questions are about."""
        return [images for images in (1, 2, 3) if self.group(images)]

    def group(self, images: int) -> list[str]:
        return [name for name in self.targets if TASKS[name].images == images]

    def encode(self, image01, images: int = 1) -> dict:
        """[B, S, S, 3] in [0, 1] -> source -> representation, of the sources that questions about
        `images` views need; all where there is one view.
        """
        from models.networks.training.inputs import encoder_input

        needed = (
            set(self.networks)
            if images == 1
            else {source for name in self.group(images) for source in self.edges[name][0]}
        )
        return {
            name: network.encoder(encoder_input(network.task, image01), training=False)
            for name, network in self.networks.items()
            if name in needed
        }

    def answers(self, codes: dict, images: int, heads: dict | None = None) -> dict:
        """targets about `images` views from the representations [N images, h, w, c] of their
        sources. heads: functions in place of the Keras heads.
        """
        from keras import ops

        made = {}
        for name in self.group(images):
            sources, head = self.edges[name]
            head = heads[name] if heads else head
            code = ops.concatenate([codes[source] for source in sources], axis=-1)
            made[name] = head(
                code if images == 1 else ops.reshape(code, (-1, images, *code.shape[1:])),
                training=False,
            )
        return made

    def reference(self, probe: np.ndarray) -> dict[str, np.ndarray]:
        """the Keras networks' own answers to uint8 [3, S, S, 3] probe images, outside any exported
        graph.
        """
        made = {}
        for images in self.kinds:
            value = probe[: 3 if images == 1 else images].astype("float32") / 255
            made.update(
                {
                    name: np.asarray(answer)
                    for name, answer in self.answers(self.encode(value, images), images).items()
                }
            )
        return made

    def trace(self):
        """one concrete function from encoded bytes to all outputs. The tensors `images_k` and
        `code_<source>` keep their names: signatures feed them too.

        wrap_function instead of tf.function, which orders all stateful operations: the guards of
        one number of views would wait for another's input.
        """
        import tensorflow as tf

        kinds = sorted({1, *self.kinds})
        served = {name: fused(head) for name, (_, head) in self.edges.items()}

        def everything(*texts):
            made = {}
            for images, text in zip(kinds, texts):
                decoded = tf.identity(decode(text, self.size, images), name=f"images_{images}")
                codes = self.encode(tf.reshape(decoded, [-1, self.size, self.size, 3]), images)
                if images == 1:
                    codes = {
                        name: tf.identity(code, name=f"code_{name}") for name, code in codes.items()
                    }
                    made.update({f"code_{name}": code for name, code in codes.items()})
                for name, value in self.answers(codes, images, served).items():
                    made.update(forms(name, tf.cast(value, tf.float32), self.whitening.get(name)))
            return made

        feeds = [
            tf.TensorSpec(
                [None] if images == 1 else [None, images], tf.string, f"image_bytes_{images}"
            )
            for images in kinds
        ]
        return tf.compat.v1.wrap_function(everything, feeds)


def values_of(function) -> dict[str, np.ndarray]:
    """node of the function's graph -> value, for every read of a variable and every captured
    tensor.
    """
    import tensorflow as tf

    variables, known, resources = (
        {id(variable.handle): variable for variable in function.graph.variables},
        {},
        {},
    )
    for outside, inside in function.graph.captures:
        if inside.dtype == tf.resource:
            resources[inside.op.name] = variables[id(outside)]
        else:
            known[inside.op.name] = outside.numpy()
    for operation in function.graph.get_operations():
        if operation.type == "ReadVariableOp" and operation.inputs[0].op.name in resources:
            known[operation.name] = resources[operation.inputs[0].op.name].numpy()
    return known


def import_with(graph_def, weights: dict[str, np.ndarray], session) -> None:
    """`graph_def` into the session's graph, its resource placeholders mapped to variables that hold
    `weights`.
    """
    import tensorflow as tf

    made = {}
    for handle, value in weights.items():
        made[handle] = tf.compat.v1.get_variable(
            handle.removesuffix("_handle"),
            value.shape,
            value.dtype,
            tf.compat.v1.zeros_initializer(),
            trainable=False,
            use_resource=True,
        )
        made[handle].load(value, session)
    tf.import_graph_def(
        graph_def,
        input_map={f"{handle}:0": variable.handle for handle, variable in made.items()},
        name="",
    )
