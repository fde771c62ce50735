"""Builds a policy as one SavedModel: every source encoder once, every target's head on it.

The graph is written flat, so that a session runs only the heads and forms that are asked for. A TF2
export would run them all: its heads sit inside one function call. Small weights are constants of
the graph, large ones variables beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.provenance.atomic import atomic_folder
from models.tasks.arrays import Array
from serving.bundle.assets import Lineage, probe_images, write_extras
from serving.bundle.decoding import decode
from serving.bundle.forms import forms
from serving.bundle.graph.deduplicate import merged
from serving.bundle.graph.fold_constants import LARGE
from serving.bundle.graph.fuse_upsampling import fused
from serving.bundle.heads import Heads, Policy, Whitening
from serving.bundle.manifest import write_manifest
from serving.bundle.signatures import signatures

LARGEST_GRAPH = 1900 << 20  # a GraphDef ends at 2 GiB


def build_bundle(
    policy: Policy,
    networks: str | Path,
    transfers: str | Path,
    destination: str | Path,
    *,
    lineage: Lineage,
    image_size: int,
    whitening: Whitening | None = None,
) -> Path:
    """Writes the SavedModel of `policy` (a `Taxonomy.to_json`) to `destination`, which appears
    whole or not at all, and returns `destination`.

    networks: task networks by name; transfers: transfer networks, and networks from scratch, by
    target. whitening: task -> (mean, deviation) of vector tasks, so that poses come in metres too.
    Signatures: `serving/bundle/signatures.py`; forms of an answer: `serving/bundle/forms.py`; what
    lies beside the graph: `serving/bundle/assets.py`. Raises ValueError for a transfer network of
    other sources than the policy's, or networks too large for one graph.
    """
    import keras

    # names of layers are counted up for the whole process: the same networks give the same graph
    keras.backend.clear_session()
    heads = Heads.load(policy, networks, transfers, image_size, whitening or {})
    return export(heads, policy, Path(destination), lineage)


def build_servables(
    policy: Policy,
    networks: str | Path,
    transfers: str | Path,
    folder: str | Path,
    *,
    lineage: Lineage,
    image_size: int,
    whitening: Whitening | None = None,
) -> dict[str, Path]:
    """Writes one SavedModel a target below `folder`, named after it, for those who serve tasks
    apart, and returns target -> path. Every one carries its own copy of its encoders.
    """
    import keras

    keras.backend.clear_session()
    heads = Heads.load(policy, networks, transfers, image_size, whitening or {})
    return {
        name: export(heads.only(name), narrowed(policy, name), Path(folder) / name, lineage)
        for name in heads.targets
    }


def narrowed(policy: Policy, target: str) -> Policy:
    """Returns the policy with the edge of `target` alone."""
    return {**policy, "edges": [edge for edge in policy["edges"] if edge["target"] == target]}


def export(heads: Heads, policy: Policy, destination: Path, lineage: Lineage) -> Path:
    """Traces the networks, makes the graph small, writes it, and renames the folder to
    `destination`. Raises ValueError for a graph beyond protobuf's limit.
    """
    import tensorflow as tf

    tf.get_logger().setLevel("ERROR")  # every name of the flat form is marked deprecated
    probe = probe_images(heads.size)
    reference = heads.reference(probe)
    traced = trace(heads)
    # structured outputs come sorted by name, and so do the tensors beside them
    outputs = dict(zip(sorted(traced.structured_outputs), traced.outputs))
    names = [tensor.name for tensor in outputs.values()]
    flat, renamed, weights = merged(
        traced.graph.as_graph_def(), fed_nodes(heads), names, values_of(traced), LARGE
    )
    # judged before anything is written: protobuf fails at 2 GiB in the middle of a save
    if flat.ByteSize() > LARGEST_GRAPH:
        raise ValueError(
            f"the graph weighs {flat.ByteSize() >> 20} MiB without its large weights, at most "
            f"{LARGEST_GRAPH >> 20}; use build_servables"
        )
    # a folder of its own, renamed at the end: a server that polls sees a version whole or not at
    # all
    with atomic_folder(destination) as scratch:
        # a session of TensorFlow 1: only a flat graph with variables is saved as it is
        with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
            import_with(flat, weights, session)
            fused_heads = {
                name: graph.get_tensor_by_name(renamed[tensor.name])
                for name, tensor in outputs.items()
            }
            builder = tf.compat.v1.saved_model.Builder(str(scratch))
            builder.add_meta_graph_and_variables(
                session,
                [tf.saved_model.SERVING],
                signature_def_map=signatures(graph, fused_heads, heads),
            )
            builder.save()
        write_extras(scratch, policy, heads, lineage, probe, reference)
        # last: it names every other file
        write_manifest(scratch)
    return destination


def fed_nodes(heads: Heads) -> list[str]:
    """Returns the names of nodes that requests feed: pictures as bytes and as floats, and
    representations.
    """
    kinds = sorted({1, *heads.kinds})
    pictures = [f"{form}_{images}" for form in ("image_bytes", "images") for images in kinds]
    # representations may be fed, so that a client that has one asks for answers without the picture
    return pictures + [f"code_{name}" for name in heads.networks]


def trace(heads: Heads) -> Any:
    """Returns one concrete function from encoded bytes to all outputs. The tensors `images_k` and
    `code_<source>` keep their names: signatures feed them too.

    wrap_function is used instead of tf.function, which orders all stateful operations: the guards
    of one number of views would wait for another's input.
    """
    import tensorflow as tf

    kinds = sorted({1, *heads.kinds})
    fused_heads = {name: fused(head) for name, (_, head) in heads.edges.items()}
    size = heads.size

    def everything(*texts: Any) -> dict[str, Any]:
        outputs: dict[str, Any] = {}
        for images, text in zip(kinds, texts):
            # an identity has a name of our choosing: signatures feed the tensor behind the decoder
            decoded = tf.identity(decode(text, size, images), name=f"images_{images}")
            codes = heads.encode(tf.reshape(decoded, [-1, size, size, 3]), images)
            if images == 1:
                # representations of one view alone are offered, and fed
                codes = {
                    name: tf.identity(code, name=f"code_{name}") for name, code in codes.items()
                }
                outputs.update({f"code_{name}": code for name, code in codes.items()})
            for name, value in heads.answers(codes, images, fused_heads).items():
                # whatever a network computes in: answers are float32 on the wire
                floats = tf.cast(value, tf.float32)
                outputs.update(forms(name, floats, heads.whitening.get(name)))
        return outputs

    feeds = [bytes_spec(images) for images in kinds]
    return tf.compat.v1.wrap_function(everything, feeds)


def bytes_spec(images: int) -> Any:
    """Returns the TensorSpec of encoded pictures: strings [N], or [N, k] for k views."""
    import tensorflow as tf

    shape = [None] if images == 1 else [None, images]
    return tf.TensorSpec(shape, tf.string, f"image_bytes_{images}")


def values_of(function: Any) -> dict[str, Array]:
    """Returns node of the function's graph -> value, for every read of a variable and every
    captured tensor.
    """
    import tensorflow as tf

    # a capture names a variable by its handle, and the handle has no way back
    variables = {id(variable.handle): variable for variable in function.graph.variables}
    values: dict[str, Array] = {}
    resources = {}
    for outside, inside in function.graph.captures:
        if inside.dtype == tf.resource:
            resources[inside.op.name] = variables[id(outside)]
        else:
            values[inside.op.name] = outside.numpy()
    for operation in function.graph.get_operations():
        if operation.type == "ReadVariableOp" and operation.inputs[0].op.name in resources:
            values[operation.name] = resources[operation.inputs[0].op.name].numpy()
    return values


def import_with(graph_def: Any, weights: Mapping[str, Array], session: Any) -> None:
    """Imports `graph_def` into the session's graph, its resource placeholders mapped to variables
    that hold `weights`.
    """
    import tensorflow as tf

    variables = {}
    for handle, value in weights.items():
        variable = tf.compat.v1.get_variable(
            handle.removesuffix("_handle"),
            value.shape,
            value.dtype,
            tf.compat.v1.zeros_initializer(),
            trainable=False,
            use_resource=True,
        )
        # loaded, not initialised with its value: an initial value would be a constant in the graph
        variable.load(value, session)
        variables[handle] = variable
    handles = {f"{handle}:0": variable.handle for handle, variable in variables.items()}
    tf.import_graph_def(graph_def, input_map=handles, name="")
