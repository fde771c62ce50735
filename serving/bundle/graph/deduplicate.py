"""Merges equal operations of a flat graph, so that heads share the features they have in common.
Before that, what depends on weights alone is computed (`fold_constants.py`), and batch norm joins
the weights before it (`fold_batch_norm.py`).

Every closed-form head standardises and widens its sources' representations for itself
(`models/networks/architecture/readout_layers.py`), with the same numbers as every other head on
that source. Merged, a source's features are computed once, and a weight is stored once.
TensorFlow's own pass cannot: the sources reach a head side by side, and each head cuts them apart
again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from models.tasks.arrays import Array
from serving.bundle.graph.flat_graph import (
    constant_value,
    empty_like,
    imported,
    in_order,
    is_stateless,
    node_of,
    plain,
    renamed_input,
)
from serving.bundle.graph.fold_batch_norm import without_batch_norm
from serving.bundle.graph.fold_constants import LARGE, Weights, folded

MASKS = ("begin_mask", "end_mask", "new_axis_mask", "shrink_axis_mask")


def merged(
    graph_def: Any,
    fed: Iterable[str],
    outputs: Iterable[str],
    captures: Mapping[str, Array] | None = None,
    large: int = LARGE,
) -> tuple[Any, dict[str, str], dict[str, Array]]:
    """Returns (GraphDef, {output tensor: its name now}, {resource placeholder: value}), which give
    the same answers with fewer operations.

    fed: nodes that must keep their names and their places, since requests feed them. outputs:
    tensors ("name:0") that must stay computable; one that equals another is renamed to it.
    captures: value of nodes that read a variable or capture a tensor. Values below `large` bytes
    become constants, the others are read from resource placeholders, to be mapped to variables of
    these values when the graph is imported.
    """
    inputs = set(fed)
    goals = list(outputs)
    weights = Weights(large)
    small = folded(graph_def, inputs, goals, captures or {}, weights)
    # a product that is asked for or fed is read from outside: batch norm must not change it
    boundary = inputs | {node_of(output) for output in goals}
    small = without_batch_norm(small, boundary, weights)
    # only now: folding and batch norm make operations equal that were not before
    names = equal_nodes(in_order(small.node), uncut(small), inputs)
    renamed = {output: renamed_input(output, names) for output in goals}
    small = pruned(small, names, inputs | {node_of(tensor) for tensor in renamed.values()})
    node_names = {node.name for node in small.node}
    # weights that only merged nodes read are not written
    return (
        small,
        renamed,
        {name: value for name, value in weights.values.items() if name in node_names},
    )


def uncut(graph_def: Any) -> dict[str, str]:
    """Returns slice -> tensor, for slices that take exactly one part of a concatenation out again:
    they are that part.
    """
    table = {node.name: node for node in graph_def.node}
    graph = imported(graph_def)
    parts = {}
    for node in in_order(graph_def.node):
        interval = last_axis_interval(node, table)
        whole = table[node_of(node.input[0])] if interval else None
        if interval and joins_last_axis(whole, table, graph):
            part = part_of(whole, interval, graph)
            if part:
                parts[node.name] = part
    return parts


def last_axis_interval(node: Any, table: Mapping[str, Any]) -> tuple[int, int] | None:
    """Returns (begin, end) of a slice `x[..., begin:end]`; None for another node."""
    # `x[..., a:b]` is a strided slice whose first index is the ellipsis
    if node.op != "StridedSlice" or node.attr["ellipsis_mask"].i != 1:
        return None
    # with any other mask the two numbers do not mean begin and end of the last axis
    if any(node.attr[name].i for name in MASKS):
        return None
    begin, end, step = (constant_value(table[node_of(text)]) for text in node.input[1:4])
    if begin is None or end is None or step is None:
        return None
    # the ellipsis takes one place in begin, end and step
    if not len(begin) == len(end) == len(step) == 2 or step[1] != 1:
        return None
    return int(begin[1]), int(end[1])


def joins_last_axis(node: Any, table: Mapping[str, Any], graph: Any) -> bool:
    if node.op != "ConcatV2":
        return False
    axis = constant_value(table[node_of(node.input[-1])])
    rank = graph.get_tensor_by_name(f"{node.name}:0").shape.rank
    return axis is not None and rank is not None and int(axis) in (-1, rank - 1)


def part_of(whole: Any, interval: tuple[int, int], graph: Any) -> str | None:
    """Returns the tensor that fills `interval` of a concatenation's channels; None where none
    does.
    """
    start = 0
    for text in whole.input[: whole.attr["N"].i]:
        # an output may be called by its number or, where it is the first, without
        tensor = text if ":" in text else f"{text}:0"
        width = graph.get_tensor_by_name(tensor).shape[-1]
        # an open width: nothing after it has a known place
        if width is None:
            return None
        if (start, start + width) == interval:
            return tensor
        start += width
    return None


def equal_nodes(order: Iterable[Any], parts: Mapping[str, str], fed: set[str]) -> dict[str, str]:
    """Returns node -> an earlier one that does the same from the same inputs, and the `parts`,
    renamed.
    """
    names: dict[str, str] = {}
    first: dict[tuple[Any, ...], str] = {}
    for node in order:
        if node.name in parts:
            # a part may be renamed itself by now: its inputs come before it
            names[node.name] = renamed_input(parts[node.name], names)
            continue
        # nobody writes to a served model's variables
        repeatable = is_stateless(node) or node.op == "ReadVariableOp"
        if node.name in fed or not repeatable:
            continue
        # by what the inputs are called now: equality goes on downwards through the graph
        inputs = tuple(plain(renamed_input(text, names)) for text in node.input)
        earlier = first.setdefault((node.op, inputs, facts_of(node)), node.name)
        if earlier != node.name:
            names[node.name] = earlier
    return names


def facts_of(node: Any) -> tuple[tuple[str, bytes], ...]:
    """Returns the attributes that change what a node gives; those with an underscore are notes."""
    return tuple(
        # maps inside an attribute have no order of their own
        (key, node.attr[key].SerializeToString(deterministic=True))
        for key in sorted(node.attr)
        if not key.startswith("_")
    )


def pruned(graph_def: Any, names: Mapping[str, str], goals: set[str]) -> Any:
    """Returns the GraphDef of the nodes that `goals` need, with their inputs renamed."""
    import tensorflow as tf

    small = empty_like(graph_def)
    for node in graph_def.node:
        if node.name in names:
            continue
        entry = small.node.add()
        entry.CopyFrom(node)
        for i, text in enumerate(node.input):
            entry.input[i] = renamed_input(text, names)
        # hints where a node should be placed name other nodes
        if "_class" in entry.attr:
            del entry.attr["_class"]  # "stand beside NODE": that node may be gone
    return tf.compat.v1.graph_util.extract_sub_graph(small, sorted(goals))
