"""What no request changes is computed once, and stored once."""

import numpy as np
import pytest
import tensorflow as tf

from serving.bundle.graph.flat_graph import in_order
from serving.bundle.graph.fold_constants import Weights, fixed_nodes, folded


@pytest.fixture(scope="module")
def graph_def():
    graph = tf.Graph()
    with graph.as_default():
        x = tf.compat.v1.placeholder(tf.float32, [None], "x")
        table = tf.constant(np.arange(6, dtype="float32"), name="table")
        doubled = tf.multiply(table, 2.0, name="doubled")
        tf.add(x[:1], doubled[2], name="answer")
        tf.random.uniform([3], name="dice")
    return graph.as_graph_def()


def ops(graph_def) -> dict[str, str]:
    return {node.name: node.op for node in graph_def.node}


def test_fixed_is_what_follows_from_constants_alone(graph_def):
    fixed = fixed_nodes(in_order(graph_def.node), {"x"}, {})
    assert {"table", "doubled"} <= fixed
    assert not {"x", "answer", "dice/RandomUniform"} & fixed


def test_a_node_that_is_fed_is_not_fixed(graph_def):
    fixed = fixed_nodes(in_order(graph_def.node), {"x", "doubled"}, {})
    assert "table" in fixed and "doubled" not in fixed


def test_a_known_node_is_fixed_whatever_it_is(graph_def):
    assert "x" in fixed_nodes(in_order(graph_def.node), set(), {"x": np.zeros(1)})


def test_folded_values_are_the_graphs_own(graph_def):
    small = folded(graph_def, {"x"}, ["answer:0", "doubled:0"], {}, Weights())
    assert ops(small)["doubled"] == "Const" and ops(small)["answer"] == "AddV2"
    value = Weights().value_of({node.name: node for node in small.node}["doubled"])
    np.testing.assert_array_equal(value, np.arange(6) * 2)


@pytest.mark.parametrize("kind", ["float32", "int64", "bool", "float16"])
def test_a_written_value_is_read_back(kind):
    value = (np.arange(12).reshape(3, 4) % 2).astype(kind)
    for large in (1, 1 << 20):
        weights = Weights(large)
        graph_def = tf.compat.v1.GraphDef()
        weights.write(graph_def, "value", value)
        found = weights.value_of(graph_def.node[-1])
        assert found.dtype == value.dtype
        np.testing.assert_array_equal(found, value)
        assert (graph_def.node[-1].op == "Const") == (large > value.nbytes)


def test_equal_values_share_a_placeholder_and_others_do_not():
    weights = Weights(1)
    graph_def = tf.compat.v1.GraphDef()
    for name, value in (
        ("a", np.ones(4)),
        ("b", np.ones(4)),
        ("c", np.ones((2, 2))),
        ("d", np.zeros(4)),
    ):
        weights.write(graph_def, name, value)
    handles = {node.name: node.input[0] for node in graph_def.node if node.op == "ReadVariableOp"}
    assert handles["a"] == handles["b"] and len(set(handles.values())) == len(weights.values) == 3


def test_strings_are_constants_however_large():
    weights = Weights(1)
    graph_def = tf.compat.v1.GraphDef()
    weights.write(graph_def, "names", np.array([b"x" * 100], object), tf.string)
    assert graph_def.node[-1].op == "Const" and not weights.values
