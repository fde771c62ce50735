"""Batch norm inside the weights before it: at inference it scales and shifts the channels of a
product, which weights and a bias can do themselves.

Works on a flat graph, whatever network it came from (`serving/bundle/graph/deduplicate.py` calls
it). The shifts become `BiasAdd`, which TensorFlow computes together with the convolution before it
and the ReLU after it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np

PRODUCTS = {
    "Conv2D": (-1, 4),
    "MatMul": (-1, 2),
    "Conv2DBackpropInput": (-2, 4),
}  # op -> (axis of its weights that holds its channels, rank of its answer)


def normless(graph_def, kept: set[str], value: Callable, write: Callable):
    """GraphDef: the same answers, up to the rounding of floats; scales after a product are inside
    its weights, shifts after it are its bias.

    Nodes come after their inputs and keep their names. kept: nodes whose own answers are asked for
    or fed. value(node) -> what a node gives, as an array, or None where weights alone do not decide
    it. write(graph_def, name, array) adds a node that gives the array. Unread nodes stay, to be
    pruned.
    """
    import tensorflow as tf

    table = {node.name: node for node in graph_def.node}
    readers = Counter(
        text.lstrip("^").split(":")[0] for node in graph_def.node for text in node.input
    )
    made = tf.compat.v1.GraphDef(versions=graph_def.versions, library=graph_def.library)
    for node in graph_def.node:
        product, channels = (
            product_and_channels(node, table, value)
            if node.op in ("Mul", "AddV2")
            else (None, None)
        )
        if product is None or (
            node.op == "Mul" and (readers[product.name] > 1 or product.name in kept)
        ):  # others read the product as it is
            made.node.add().CopyFrom(node)
        elif node.op == "Mul":
            write(
                made,
                f"{node.name}/weights",
                scaled(value(table[before(product.input[1])]), channels, PRODUCTS[product.op][0]),
            )
            made.node.add().CopyFrom(product)
            made.node[-1].name, made.node[-1].input[1] = node.name, f"{node.name}/weights"
            table[node.name], table[f"{node.name}/weights"] = made.node[-1], made.node[-2]
        else:
            write(made, f"{node.name}/bias", channels)
            made.node.add(
                name=node.name, op="BiasAdd", input=[product.name, f"{node.name}/bias"]
            ).attr["T"].CopyFrom(node.attr["T"])
    return made


def product_and_channels(node, table: dict, value: Callable):
    """(product, [channels]) that `node` multiplies or adds; (None, None) where it does something
    else.
    """
    for first, second in (node.input, reversed(node.input)):
        product, other = table.get(before(first)), table.get(before(second))
        if product is None or other is None or product.op not in PRODUCTS or unusual(product):
            continue
        axis, rank = PRODUCTS[product.op]
        weights, channels = value(table[before(product.input[1])]), value(other)
        if (
            weights is not None
            and channels is not None
            and channels.ndim <= rank
            and channels.shape[-1:] == (channels.size,) == weights.shape[axis:][:1]
        ):
            return product, channels.ravel()
    return None, None


def unusual(product) -> bool:
    """channels first, or weights turned? `in` first: indexing a protobuf map would add the key."""
    return ("data_format" in product.attr and product.attr["data_format"].s != b"NHWC") or (
        "transpose_b" in product.attr and product.attr["transpose_b"].b
    )


def before(text: str) -> str:
    """the node behind an input; inputs of a later port or of control are nobody's name."""
    return text.removesuffix(":0")


def scaled(weights: np.ndarray, channels: np.ndarray, axis: int) -> np.ndarray:
    return (
        weights.astype("float64") * channels.astype("float64").reshape(-1, *[1] * (-1 - axis))
    ).astype(weights.dtype)
