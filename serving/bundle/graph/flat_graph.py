"""Reads a flat graph (GraphDef): names of tensors, nodes in order, what has no state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from models.tasks.arrays import Array

# Nodes of the raw form of loops and conditions: they fire or not, as their neighbours say.
CONTROL_FLOW = {
    "Enter",
    "Exit",
    "Switch",
    "Merge",
    "NextIteration",
    "LoopCond",
    "RefEnter",
    "RefExit",
    "RefSwitch",
    "RefMerge",
    "RefNextIteration",
}


def node_of(text: str) -> str:
    """Returns the node that an input or a tensor's name ("^a", "a", "a:1") belongs to."""
    # "^a" is a control input, "a:1" the second output
    return text.lstrip("^").split(":")[0]


def plain(text: str) -> str:
    """Returns a tensor's name without ":0": "a:0" and "a" are one tensor."""
    return text.removesuffix(":0")


def is_control(text: str) -> bool:
    """Returns whether an input is a control input, which only orders nodes."""
    return text.startswith("^")


def renamed_input(text: str, names: Mapping[str, str]) -> str:
    """Returns an input or tensor name with its node replaced. names: node -> node, or, for a slice
    that takes a whole part, node -> "node:1".
    """
    goal = names.get(node_of(text), node_of(text))
    # a control input waits for a node, not for one of its outputs
    if is_control(text):
        return f"^{node_of(goal)}"
    if ":" in goal:
        return goal
    _, colon, port = text.partition(":")
    return goal + colon + port


def is_stateless(node: Any) -> bool:
    """Returns whether a node gives the same from the same inputs, whenever it runs."""
    from tensorflow.python.framework import op_def_registry

    # an operation that is not registered may have any state
    definition = op_def_registry.get(node.op)
    return (
        definition is not None
        and not definition.is_stateful
        and node.op not in CONTROL_FLOW
        # a placeholder gives what a request feeds, though it is called stateless
        and node.op != "Placeholder"
    )


def constant_value(node: Any) -> Array | None:
    import tensorflow as tf

    return tf.make_ndarray(node.attr["value"].tensor) if node.op == "Const" else None


def in_order(nodes: Iterable[Any]) -> list[Any]:
    """Returns the nodes, every one after its inputs; loops are entered at their Merge."""
    table = {node.name: node for node in nodes}
    order: list[Any] = []
    reached: set[str] = set()
    for root in table.values():
        if root.name in reached:
            continue
        reached.add(root.name)
        # a stack of our own: graphs are deeper than Python's limit of recursion
        stack: list[tuple[Any, Iterator[str]]] = [(root, iter(root.input))]
        while stack:
            node, inputs = stack[-1]
            earlier = next_input(inputs, table, reached)
            if earlier is None:
                order.append(node)
                stack.pop()
            else:
                reached.add(earlier.name)
                stack.append((earlier, iter(earlier.input)))
    return order


def next_input(inputs: Iterator[str], table: Mapping[str, Any], reached: set[str]) -> Any:
    """Returns the next node among `inputs` that was not reached yet; None at their end."""
    for text in inputs:
        node = table[node_of(text)]
        # the way back of a loop is the one input that may come later
        if node.name not in reached and node.op != "NextIteration":
            return node
    return None


def empty_like(graph_def: Any) -> Any:
    """Returns a GraphDef without nodes, of the same versions and function library."""
    import tensorflow as tf

    return tf.compat.v1.GraphDef(versions=graph_def.versions, library=graph_def.library)


def imported(graph_def: Any) -> Any:
    """Returns a tf.Graph that holds a GraphDef, under its own names."""
    import tensorflow as tf

    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(graph_def, name="")
    return graph
