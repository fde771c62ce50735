"""Names and order of a flat graph's nodes."""

import pytest
import tensorflow as tf

from serving.bundle.graph.flat_graph import (
    constant_value,
    in_order,
    is_stateless,
    node_of,
    plain,
    renamed_input,
)


@pytest.mark.parametrize(
    "text, names, expected",
    [
        ("a", {"a": "b"}, "b"),
        ("a:1", {"a": "b"}, "b:1"),
        ("^a", {"a": "b"}, "^b"),
        ("a", {"a": "b:2"}, "b:2"),
        ("c:1", {"a": "b"}, "c:1"),
        ("^a", {"a": "b:2"}, "^b"),
    ],
)
def test_inputs_are_renamed_with_their_ports_and_marks(text, names, expected):
    assert renamed_input(text, names) == expected


def test_a_tensor_belongs_to_its_node():
    assert [node_of(text) for text in ("a", "a:1", "^a")] == ["a"] * 3
    assert [plain(text) for text in ("a:0", "a", "a:1")] == ["a", "a", "a:1"]


def graph_of_a_loop():
    graph = tf.Graph()
    with graph.as_default():
        tf.compat.v1.disable_control_flow_v2()
        try:
            x = tf.compat.v1.placeholder(tf.float32, [], "x")
            tf.while_loop(lambda i: i < x, lambda i: i + 1, [tf.constant(0.0)])
        finally:
            tf.compat.v1.enable_control_flow_v2()
    return graph.as_graph_def()


def test_every_node_comes_after_its_inputs_whatever_order_they_stand_in():
    graph_def = graph_of_a_loop()
    for nodes in (list(graph_def.node), list(reversed(graph_def.node))):
        order = in_order(nodes)
        assert sorted(node.name for node in order) == sorted(node.name for node in nodes)
        place = {node.name: i for i, node in enumerate(order)}
        kinds = {node.name: node.op for node in order}
        for node in order:
            for text in node.input:
                if kinds[node_of(text)] != "NextIteration":  # a loop is entered at its Merge
                    assert place[node_of(text)] < place[node.name]


@pytest.mark.parametrize(
    "op, expected",
    [
        ("Add", True),
        ("Const", True),
        ("RandomUniform", False),
        ("Placeholder", False),
        ("Merge", False),
        ("NoSuchOp", False),
    ],
)
def test_what_has_no_state_gives_the_same_again(op, expected):
    assert is_stateless(tf.compat.v1.NodeDef(name="n", op=op)) == expected


def test_only_constants_have_a_value():
    graph_def = graph_of_a_loop()
    values = {node.op: constant_value(node) for node in graph_def.node}
    assert values["Const"] is not None and values["Placeholder"] is None
