"""A flat graph said once: what weights alone decide is computed, batch norm joins the weights
before it (`norms.py`), equal operations are merged, so that heads share the features they have in
common.

Every closed-form head standardises and widens its sources' representations for itself
(`models/networks/transfers/edge.py`), with the same numbers as every other head on that source.
Merged, a source's features are computed once, and a weight is stored once. TensorFlow's own pass
cannot: the sources reach a head side by side, and each head cuts them apart again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

import numpy as np

from serving.bundle.graph.fold_batch_norm import normless

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
# Bytes from which a weight is a variable. A graph ends at 2 GiB, and a session keeps a copy of the
# constants for every set of outputs it was ever asked for: at demo size 23 MiB a set with constants
# alone, 8 with this, for 2 % of the time (from 16 KiB on: 4 and 7 %).
LARGE = 64 << 10


def merged(
    graph_def,
    fed: Iterable[str],
    outputs: Iterable[str],
    known: Mapping[str, np.ndarray] | None = None,
    large: int = LARGE,
):
    """(GraphDef, {output tensor: its name now}, {resource placeholder: value}): the same answers
    from fewer operations.

    fed: nodes that must keep their names and their places, since requests feed them. outputs:
    tensors ("name:0") that must stay computable; one that equals another is renamed to it. known:
    value of nodes that read a variable or capture a tensor. Values below `large` bytes become
    constants, the others are read from resource placeholders, to be mapped to variables of these
    values when the graph is imported.
    """
    import tensorflow as tf

    fed, outputs = set(fed), list(outputs)
    graph_def, weights = folded(graph_def, fed, outputs, known or {}, large)
    kept = fed | {output.split(":")[0] for output in outputs}
    write = lambda made, name, value: write_value(
        made, weights, name, value, tf.as_dtype(value.dtype), large
    )
    graph_def = normless(graph_def, kept, lambda node: value_of(node, weights), write)
    names = equal_nodes(uncut(graph_def), fed)
    renamed = {output: on(output, names) for output in outputs}
    small = pruned(graph_def, names, fed, [tensor.split(":")[0] for tensor in renamed.values()])
    left = {node.name for node in small.node}
    return small, renamed, {name: value for name, value in weights.items() if name in left}


def on(tensor: str, names: dict[str, str]) -> str:
    """an input or tensor name with its node replaced; names: node -> node, or node -> "node:1" of a
    cut that was none.
    """
    mark, name, port = (
        ("^" if tensor.startswith("^") else ""),
        *(tensor.lstrip("^").split(":") + [""])[:2],
    )
    goal = names.get(name, name)
    return mark + (
        goal.split(":")[0] if mark else goal if ":" in goal else goal + (f":{port}" if port else "")
    )


def stateless(node) -> bool:
    from tensorflow.python.framework import op_def_registry

    definition = op_def_registry.get(node.op)
    return (
        definition is not None
        and not definition.is_stateful
        and node.op not in CONTROL_FLOW
        and node.op != "Placeholder"
    )


def in_order(nodes) -> list:
    """every node after its inputs; loops are entered at their Merge."""
    table, order, state = {node.name: node for node in nodes}, [], {}
    for root in nodes:
        stack = [(root, iter(root.input))]
        if root.name in state:
            continue
        state[root.name] = 1
        while stack:
            node, inputs = stack[-1]
            for text in inputs:
                other = table[text.lstrip("^").split(":")[0]]
                if other.name not in state and other.op != "NextIteration":
                    state[other.name] = 1
                    stack.append((other, iter(other.input)))
                    break
            else:
                order.append(node)
                stack.pop()
    return order


def folded(
    graph_def, fed: set[str], outputs: list[str], known: Mapping[str, np.ndarray], large: int
):
    """(GraphDef, weights): values in place of what is computed from constants and known nodes
    alone, where the result is no larger than its sources.
    """
    import tensorflow as tf

    order = in_order(graph_def.node)
    fixed: dict[str, bool] = {}
    for node in order:
        plain = node.op == "Const" or (stateless(node) and bool(node.input))
        inputs_fixed = not any(
            text.startswith("^") or not fixed.get(text.split(":")[0], False) for text in node.input
        )
        fixed[node.name] = node.name in known or (plain and node.name not in fed and inputs_fixed)
    used_outside = {
        text.split(":")[0] for node in order if not fixed[node.name] for text in node.input
    } | {tensor.split(":")[0] for tensor in outputs}
    wanted = [
        node.name
        for node in order
        if fixed[node.name]
        and node.op != "Const"
        and node.name not in known
        and node.name in used_outside
    ]
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(graph_def, name="")
    kinds = {
        name: [tensor.dtype for tensor in graph.get_operation_by_name(name).outputs]
        for name in (*wanted, *known)
    }
    wanted = [name for name in wanted if len(kinds[name]) == 1]
    with tf.compat.v1.Session(graph=graph) as session:
        values = dict(
            zip(
                wanted,
                session.run(
                    [f"{name}:0" for name in wanted],
                    {f"{name}:0": value for name, value in known.items()},
                ),
            )
        )
    weight = {
        node.name: np.asarray(known[node.name]).nbytes if node.name in known else node.ByteSize()
        for node in order
    }
    made, weights = (
        tf.compat.v1.GraphDef(versions=graph_def.versions, library=graph_def.library),
        {},
    )
    for node in order:
        value = known.get(node.name, values.get(node.name))
        if node.name in known or (
            value is not None
            and np.asarray(value).nbytes
            <= sum(weight[text.split(":")[0]] for text in node.input) + 1024
        ):
            write_value(made, weights, node.name, np.asarray(value), kinds[node.name][0], large)
        else:
            made.node.add().CopyFrom(node)
    return made, weights


def write_value(graph_def, weights: dict, name: str, value: np.ndarray, kind, large: int) -> None:
    """a node called `name` that gives `value`: a constant, or a read of a resource placeholder that
    stands for all equal values.
    """
    import tensorflow as tf

    if value.nbytes < large or kind == tf.string:
        entry = graph_def.node.add(name=name, op="Const")
        entry.attr["dtype"].type = kind.as_datatype_enum
        entry.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value, dtype=kind))
        return
    content = hashlib.sha256(
        np.ascontiguousarray(value).tobytes() + str((value.shape, kind.name)).encode()
    ).hexdigest()[:16]
    handle = f"weight_{content}_handle"
    if handle not in weights:
        weights[handle] = value
        entry = graph_def.node.add(name=handle, op="Placeholder")
        entry.attr["dtype"].type = tf.resource.as_datatype_enum
    entry = graph_def.node.add(name=name, op="ReadVariableOp", input=[handle])
    entry.attr["dtype"].type = kind.as_datatype_enum


def value_of(node, weights: dict) -> np.ndarray | None:
    """what a node gives, where it is one that `write_value` writes."""
    import tensorflow as tf

    if node.op == "ReadVariableOp":
        return weights.get(node.input[0])
    return tf.make_ndarray(node.attr["value"].tensor) if node.op == "Const" else None


def uncut(graph_def) -> tuple[list, dict[str, str]]:
    """(nodes in order, names): a slice that takes exactly one part of a concatenation out again is
    that part.
    """
    import tensorflow as tf

    order, names = in_order(graph_def.node), {}
    table = {node.name: node for node in order}
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(graph_def, name="")

    def constant(text: str):
        node = table[text.split(":")[0]]
        return tf.make_ndarray(node.attr["value"].tensor) if node.op == "Const" else None

    for node in order:
        if (
            node.op != "StridedSlice"
            or node.attr["ellipsis_mask"].i != 1
            or any(node.attr[name].i for name in MASKS)
        ):
            continue
        whole, (begin, end, step) = (
            table[node.input[0].split(":")[0]],
            (constant(text) for text in node.input[1:4]),
        )
        if (
            whole.op != "ConcatV2"
            or any(part is None or len(part) != 2 for part in (begin, end, step))
            or step[1] != 1
        ):
            continue
        rank = graph.get_tensor_by_name(f"{whole.name}:0").shape.rank
        axis = constant(whole.input[-1])
        if rank is None or axis is None or int(axis) not in (-1, rank - 1):
            continue
        start = 0
        for text in whole.input[: whole.attr["N"].i]:
            width = graph.get_tensor_by_name(text if ":" in text else f"{text}:0").shape[-1]
            if width is None:
                break
            if (start, start + width) == (begin[1], end[1]):
                names[node.name] = text if ":" in text else f"{text}:0"
            start += width
    return order, names


MASKS = ("begin_mask", "end_mask", "new_axis_mask", "shrink_axis_mask")


def equal_nodes(ordered: tuple[list, dict[str, str]], fed: set[str]) -> dict[str, str]:
    """names, and for every node that does what an earlier one does from the same inputs, that one."""
    (order, cut), names, seen = ordered, {}, {}
    for node in order:
        if node.name in cut:
            names[node.name] = on(cut[node.name], names)
            continue
        if node.name in fed or not (
            stateless(node) or node.op == "ReadVariableOp"
        ):  # nobody writes to a served model's variables
            continue
        inputs = [plain(on(text, names)) for text in node.input]
        facts = tuple(
            (key, node.attr[key].SerializeToString(deterministic=True))
            for key in sorted(node.attr)
            if not key.startswith("_")
        )
        first = seen.setdefault((node.op, tuple(inputs), facts), node.name)
        if first != node.name:
            names[node.name] = first
    return names


def plain(text: str) -> str:
    """ "a:0" and "a" are one tensor."""
    return text.removesuffix(":0")


def pruned(graph_def, names: dict[str, str], fed: set[str], goals: list[str]):
    """the nodes that outputs and feeds need, with their inputs renamed."""
    import tensorflow as tf

    made = tf.compat.v1.GraphDef(versions=graph_def.versions, library=graph_def.library)
    for node in graph_def.node:
        if node.name in names:
            continue
        entry = made.node.add()
        entry.CopyFrom(node)
        for i, text in enumerate(node.input):
            entry.input[i] = on(text, names)
        if "_class" in entry.attr:
            del entry.attr["_class"]  # "stand beside NODE": that node may be gone
    return tf.compat.v1.graph_util.extract_sub_graph(made, sorted({*fed, *goals}))
