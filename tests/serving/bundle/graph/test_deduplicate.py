"""A merged graph answers the same from fewer operations, on graphs small enough to count."""

import numpy as np
import tensorflow as tf
from tiny_bundle import SUPERVISED, tiny_bundle

from serving.bundle.graph.deduplicate import merged


def graph_of(build):
    """(GraphDef, output names) of `build(x)`, x: placeholder `x` float [None, 4]."""
    graph = tf.Graph()
    with graph.as_default():
        outputs = build(tf.compat.v1.placeholder(tf.float32, [None, 4], "x"))
    return graph.as_graph_def(), [tensor.name for tensor in outputs]


def run(graph_def, outputs, feed):
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(graph_def, name="")
        with tf.compat.v1.Session(graph=graph) as session:
            return session.run(outputs, feed)


def check(build, feed=None, fed=("x",)):
    """merged graph_def of `build`, after its answers were compared with the original's."""
    graph_def, outputs = graph_of(build)
    feed = feed or {"x:0": np.random.default_rng(0).normal(size=(3, 4)).astype("float32")}
    small, renamed, _ = merged(graph_def, fed, outputs)
    for a, b in zip(
        run(graph_def, outputs, feed), run(small, [renamed[name] for name in outputs], feed)
    ):
        np.testing.assert_array_equal(a, b)
    return small


def count(graph_def, op: str) -> int:
    return sum(node.op == op for node in graph_def.node)


def test_the_same_operation_on_the_same_input_runs_once():
    weights = np.random.default_rng(1).normal(size=(4, 4)).astype("float32")
    small = check(lambda x: [tf.nn.relu(tf.matmul(x, tf.constant(weights))) + i for i in range(3)])
    assert count(small, "MatMul") == count(small, "Relu") == 1 and count(small, "AddV2") == 3


def test_operations_that_differ_in_an_attribute_stay_apart():
    weights = np.eye(4, dtype="float32")
    assert (
        count(
            check(lambda x: [tf.matmul(x, weights), tf.matmul(x, weights, transpose_b=True)]),
            "MatMul",
        )
        == 2
    )


def test_what_depends_on_constants_alone_is_a_constant():
    table = tf.constant
    small = check(
        lambda x: [
            x / (table(np.arange(8.0, dtype="float32").reshape(2, 4)) + 1)[i] for i in range(2)
        ]
    )
    assert count(small, "StridedSlice") == count(small, "AddV2") == 0


def test_constants_that_would_swell_are_left_to_the_run():
    small = check(lambda x: [tf.reduce_sum(x) + tf.reduce_sum(tf.fill([1000, 1000], 1.0))])
    assert small.ByteSize() < 10_000


def test_a_part_of_a_concatenation_is_the_part_itself():
    def build(x):
        a, b = x * 2, x * 3
        return [
            tf.concat([a, b], -1)[..., 4:8] + 1,
            tf.concat([b, a], -1)[..., 0:4] + 1,
            tf.concat([a, b], -1)[..., 2:6],
        ]

    small = check(build)
    assert (
        count(small, "StridedSlice") == 1
        and count(small, "ConcatV2") == 1
        and count(small, "AddV2") == 1
    )


def test_two_outputs_that_are_one_tensor_both_come_back():
    check(lambda x: [tf.identity(x + 1), tf.identity(x + 1)])


def test_random_numbers_are_not_merged():
    graph_def, outputs = graph_of(
        lambda x: [tf.random.uniform([1000]) + 0 * x[0, 0] for _ in range(2)]
    )
    small, renamed, _ = merged(graph_def, ["x"], outputs)
    a, b = run(small, [renamed[name] for name in outputs], {"x:0": np.zeros((1, 4), "float32")})
    assert count(small, "RandomUniform") == 2 and (a != b).any()


def test_a_node_that_is_fed_keeps_its_name_and_cuts_what_is_before_it():
    def build(x):
        middle = tf.identity(x + 1, name="middle")
        return [tf.identity(x + 1) * 2, middle * 3]

    small = check(build, fed=("x", "middle"))
    assert "middle" in {node.name for node in small.node}
    check(
        build,
        {"x:0": np.zeros((1, 4), "float32"), "middle:0": np.ones((1, 4), "float32")},
        fed=("x", "middle"),
    )


def test_loops_and_conditions_survive():
    def build(x):
        doubled = tf.map_fn(lambda row: tf.cond(row[0] > 0, lambda: row * 2, lambda: row - 1), x)
        again = tf.map_fn(lambda row: tf.cond(row[0] > 0, lambda: row * 2, lambda: row - 1), x)
        return [doubled, again + doubled]

    with tf.Graph().as_default():
        tf.compat.v1.disable_control_flow_v2()
        try:
            check(build)
        finally:
            tf.compat.v1.enable_control_flow_v2()


def test_heads_on_one_source_share_its_features_in_a_bundle():
    bundle, graph = tiny_bundle(), tf.Graph()
    with tf.compat.v1.Session(graph=graph) as session:
        signature = tf.compat.v1.saved_model.loader.load(
            session, ["serve"], str(bundle)
        ).signature_def["image_bytes"]
    goals = [tensor.name.split(":")[0] for tensor in signature.outputs.values()]
    graph_def = tf.compat.v1.graph_util.extract_sub_graph(graph.as_graph_def(), goals)
    table = {node.name: node for node in graph_def.node}
    features = [
        node
        for node in graph_def.node
        if node.op == "Maximum" and table[node.input[0].split(":")[0]].op == "BiasAdd"
    ]
    assert 0 < len(features) <= len(SUPERVISED), (
        "random features are computed once a source, not once a head"
    )


def test_known_reads_become_constants_or_shared_resources():
    """two variables of one value: small, a constant; large, one resource behind one read."""
    value = np.random.default_rng(2).normal(size=(4, 4)).astype("float32")
    graph = tf.Graph()
    with graph.as_default():
        x = tf.compat.v1.placeholder(tf.float32, [None, 4], "x")
        handles = [tf.compat.v1.placeholder(tf.resource, [], f"handle{i}") for i in range(2)]
        reads = [tf.raw_ops.ReadVariableOp(resource=handle, dtype=tf.float32) for handle in handles]
        outputs = [tf.raw_ops.MatMul(a=x, b=read).name for read in reads]
    known = {read.op.name: value for read in reads}
    for large, constants, resources in ((1 << 20, 1, 0), (8, 0, 1)):
        small, renamed, weights = merged(graph.as_graph_def(), ["x"], outputs, known, large)
        assert (
            count(small, "MatMul") == 1
            and count(small, "Const") == constants
            and len(weights) == resources == count(small, "ReadVariableOp")
        )
        assert set(renamed.values()) == {renamed[outputs[0]]} and all(
            (stored == value).all() for stored in weights.values()
        )
