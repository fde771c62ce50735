"""Folds batch norm into the weights before it: at inference it scales and shifts the channels of a
product, which weights and a bias can do themselves.

Works on a flat graph, whatever network it came from (`serving/bundle/graph/deduplicate.py` calls
it). The shifts become `BiasAdd`, which TensorFlow computes together with the convolution before it
and the ReLU after it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.tasks.arrays import Array
from serving.bundle.graph.flat_graph import empty_like, node_of, plain
from serving.bundle.graph.fold_constants import Weights

# op -> (axis of its weights that holds its channels, rank of its answer)
PRODUCTS = {"Conv2D": (-1, 4), "MatMul": (-1, 2), "Conv2DBackpropInput": (-2, 4)}


@dataclass(frozen=True)
class Channelwise:
    """A node that multiplies or adds [channels] numbers to `product`, a node with `weights`."""

    product: Any
    weights: Array
    channels: Array


def without_batch_norm(graph_def: Any, ends: set[str], weights: Weights) -> Any:
    """Returns a GraphDef with the same answers, up to the rounding of floats; scales after a
    product are inside its weights, shifts after it are its bias.

    graph_def: nodes after their inputs; they keep their names. ends: nodes whose own answers are
    asked for or fed. weights: what nodes give, and where changed weights go. Unread nodes stay, to
    be pruned.
    """
    table = {node.name: node for node in graph_def.node}
    # counted once over the graph: a product with a second reader cannot change for the first
    readers = Counter(node_of(text) for node in graph_def.node for text in node.input)
    small = empty_like(graph_def)
    for node in graph_def.node:
        step = channelwise(node, table, weights)
        if step is None:
            small.node.add().CopyFrom(node)
        # adding is left to the node itself: the product before it stays as it is, whoever else
        # reads it
        elif node.op == "AddV2":
            add_bias(small, node, step, weights)
        elif readers[step.product.name] > 1 or step.product.name in ends:
            small.node.add().CopyFrom(node)  # others read the product as it is
        else:
            for added in add_scaled(small, node, step, weights):
                # what follows may scale this product again: it must be found in the table
                table[added.name] = added
    return small


def add_bias(graph_def: Any, node: Any, step: Channelwise, weights: Weights) -> None:
    """Adds `node` to the graph as BiasAdd."""
    weights.write(graph_def, f"{node.name}/bias", step.channels)
    inputs = [step.product.name, f"{node.name}/bias"]
    entry = graph_def.node.add(name=node.name, op="BiasAdd", input=inputs)
    entry.attr["T"].CopyFrom(node.attr["T"])


def add_scaled(graph_def: Any, node: Any, step: Channelwise, weights: Weights) -> list[Any]:
    """Adds `node` to the graph as its product with scaled weights and returns the nodes that were
    added.
    """
    axis, _ = PRODUCTS[step.product.op]
    name = f"{node.name}/weights"
    weights.write(graph_def, name, scaled(step.weights, step.channels, axis))
    read_node = graph_def.node[-1]
    product = graph_def.node.add()
    product.CopyFrom(step.product)
    product.name = node.name
    product.input[1] = name
    return [read_node, product]


def channelwise(node: Any, table: dict[str, Any], weights: Weights) -> Channelwise | None:
    """Returns what `node` multiplies or adds, and to what; None where it does something else."""
    if node.op not in ("Mul", "AddV2"):
        return None
    # either side may hold the weights: products commute
    one, other = (plain(text) for text in node.input)
    for first, second in ((one, other), (other, one)):
        # a later port or a control input is nobody's name, and so in no table
        if first not in table or second not in table:
            continue
        step = applied(table[first], weights.value_of(table[second]), table, weights)
        if step is not None:
            return step
    return None


def applied(
    product: Any, channels: Array | None, table: dict[str, Any], weights: Weights
) -> Channelwise | None:
    """Returns how `channels` is applied to `product`; None unless it holds one number for each
    channel, [c] or [1, 1, 1, c].
    """
    if channels is None or product.op not in PRODUCTS or is_unusual(product):
        return None
    axis, rank = PRODUCTS[product.op]
    own = weights.value_of(table[plain(product.input[1])])
    if own is None or channels.ndim > rank:
        return None
    # one number a channel along the last axis, of any rank: [c], [1, 1, 1, c]
    is_row = channels.shape[-1:] == (channels.size,)
    # a row as long as the channels of the weights, not one that the product is merely broadcast to
    fits = own.shape[axis:][:1] == (channels.size,)
    return Channelwise(product, own, channels.ravel()) if is_row and fits else None


def is_unusual(product: Any) -> bool:
    """Returns whether a product has its channels first, or its weights transposed."""
    # NHWC is the default of both attributes' absence
    channels_first = "data_format" in product.attr and product.attr["data_format"].s != b"NHWC"
    turned = "transpose_b" in product.attr and product.attr["transpose_b"].b
    return bool(channels_first or turned)


def scaled(weights: Array, channels: Array, axis: int) -> Array:
    """Returns every channel's weights [...], which lie along `axis` (-1 or -2), times its number in
    `channels` [c], computed in float64.
    """
    # weights of a transposed convolution hold their channels last but one
    factors = channels.astype("float64").reshape(-1, *[1] * (-1 - axis))
    return (weights.astype(np.float64) * factors).astype(weights.dtype)
