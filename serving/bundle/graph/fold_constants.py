"""Computes, before anybody asks, what depends on weights alone: values in place of operations."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from models.tasks.arrays import Array
from serving.bundle.graph.flat_graph import (
    constant_value,
    empty_like,
    imported,
    in_order,
    is_control,
    is_stateless,
    node_of,
)

# Bytes from which a weight is a variable. A graph ends at 2 GiB, and a session keeps a copy of the
# constants for every set of outputs it was ever asked for: at demo size 23 MiB a set with constants
# alone, 8 with this, for 2 % of the time (from 16 KiB on: 4 and 7 %).
LARGE = 64 << 10
SLACK = 1024  # bytes by which a value may be larger than what it is computed from


class Weights:
    """Values that were too large for constants: resource placeholder -> value, each once."""

    def __init__(self, large: int = LARGE) -> None:
        self.large = large
        self.values: dict[str, Array] = {}

    def write(self, graph_def: Any, name: str, value: Array, kind: Any = None) -> None:
        """Adds a node called `name` that gives `value`: a constant, or a read of a resource
        placeholder that stands for all equal values. kind: tf.DType; None: the array's own.
        """
        import tensorflow as tf

        kind = tf.as_dtype(value.dtype) if kind is None else kind
        # texts have no variables
        if value.nbytes < self.large or kind == tf.string:
            entry = graph_def.node.add(name=name, op="Const")
            entry.attr["dtype"].type = kind.as_datatype_enum
            entry.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value, dtype=kind))
            return
        handle = handle_of(value, kind.name)
        if handle not in self.values:
            self.values[handle] = value
            entry = graph_def.node.add(name=handle, op="Placeholder")
            entry.attr["dtype"].type = tf.resource.as_datatype_enum
        entry = graph_def.node.add(name=name, op="ReadVariableOp", input=[handle])
        entry.attr["dtype"].type = kind.as_datatype_enum

    def value_of(self, node: Any) -> Array | None:
        """Returns what a node gives, where it is one that `write` writes; None for others."""
        if node.op == "ReadVariableOp":
            return self.values.get(node.input[0])
        return constant_value(node)


def handle_of(value: Array, kind: str) -> str:
    """Returns the placeholder's name: equal values have the same one."""
    # the shape and the type, too: zeros of any form are the same bytes
    content = np.ascontiguousarray(value).tobytes() + str((value.shape, kind)).encode()
    return f"weight_{hashlib.sha256(content).hexdigest()[:16]}_handle"


def folded(
    graph_def: Any,
    fed: set[str],
    outputs: Iterable[str],
    captures: Mapping[str, Array],
    weights: Weights,
) -> Any:
    """Returns a GraphDef with values in place of what is computed from constants and `captures`
    alone, where the result is no larger than its sources. Large ones go to `weights`.
    """
    order = in_order(graph_def.node)
    fixed = fixed_nodes(order, fed, captures)
    # only what somebody reads of the fixed part is worth computing
    goals = {node_of(text) for node in order if node.name not in fixed for text in node.input}
    goals |= {node_of(tensor) for tensor in outputs}
    computed = [
        node.name
        for node in order
        if node.name in fixed and node.op != "Const" and node.name not in captures
    ]
    graph = imported(graph_def)
    values = computed_values(graph, [name for name in computed if name in goals], captures)
    sizes = {node.name: node.ByteSize() for node in order}
    sizes |= {name: np.asarray(value).nbytes for name, value in captures.items()}
    small = empty_like(graph_def)
    for node in order:
        # what was known is written in any case: its reading node is gone with the function
        value = captures.get(node.name, values.get(node.name))
        sources = sum(sizes[node_of(text)] for text in node.input)
        # a constant made by `fill` or `tile` is larger than what it is made of
        swells = value is None or np.asarray(value).nbytes > sources + SLACK
        if node.name in captures or not swells:
            # the type in the graph, not the value's: NumPy has no bfloat16
            kind = graph.get_operation_by_name(node.name).outputs[0].dtype
            weights.write(small, node.name, np.asarray(value), kind)
        else:
            small.node.add().CopyFrom(node)
    return small


def fixed_nodes(order: Iterable[Any], fed: set[str], captures: Mapping[str, Array]) -> set[str]:
    """Returns the nodes whose value no request changes. order: every node after its inputs."""
    fixed: set[str] = set()
    for node in order:
        # a control input says that something else happens first
        from_fixed = all(not is_control(text) and node_of(text) in fixed for text in node.input)
        # no input and not constant: a random number, a placeholder, a variable
        computable = node.op == "Const" or (bool(node.input) and is_stateless(node))
        if node.name in captures or (computable and from_fixed and node.name not in fed):
            fixed.add(node.name)
    return fixed


def computed_values(
    graph: Any, names: Iterable[str], captures: Mapping[str, Array]
) -> dict[str, Any]:
    """Returns node -> its value, for nodes with one output. captures: values of nodes that
    are fed.
    """
    import tensorflow as tf

    # no node with several outputs depends on weights alone
    single = [name for name in names if len(graph.get_operation_by_name(name).outputs) == 1]
    with tf.compat.v1.Session(graph=graph) as session:
        feed = {f"{name}:0": value for name, value in captures.items()}
        values = session.run([f"{name}:0" for name in single], feed)
    return dict(zip(single, values))
