"""Scales and shifts after a product go into its weights and bias, and nothing else does."""

import numpy as np
import pytest
import tensorflow as tf
from bare_model import BareModel
from tiny_bundle import tiny_bundle

from serving.bundle.graph.deduplicate import merged

RNG = np.random.default_rng(0)
SCALE, SHIFT = RNG.uniform(0.5, 2, 5).astype("float32"), RNG.normal(size=5).astype("float32")


def drawn(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype("float32")


def kinds_after(build, large: int = 1 << 20) -> list[str]:
    """operations of the merged graph of `build(x)`, x float [None, 6, 6, 3], once its answers were
    found to be the same.
    """
    value, graph = {"x:0": drawn(2, 6, 6, 3)}, tf.Graph()
    with graph.as_default(), tf.compat.v1.Session(graph=graph) as session:
        outputs = build(tf.compat.v1.placeholder(tf.float32, [None, 6, 6, 3], "x"))
        expected = session.run(outputs, value)
    names = [output.name for output in outputs]
    small, renamed, weights = merged(graph.as_graph_def(), ["x"], names, {}, large)
    assert not weights
    with tf.Graph().as_default() as again, tf.compat.v1.Session(graph=again) as session:
        tf.import_graph_def(small, name="")
        values = session.run([renamed[name] for name in names], value)
    for one, other in zip(values, expected):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    return [node.op for node in small.node if node.op not in ("Const", "Placeholder")]


def convolved(x, channels: int = 5):
    return tf.nn.conv2d(x, drawn(3, 3, 3, channels), 1, "SAME")


def enlarged(x):
    return tf.nn.conv2d_transpose(x, drawn(3, 3, 5, 3), [tf.shape(x)[0], 12, 12, 5], 2, "SAME")


def dense(x):
    return tf.matmul(tf.reshape(x, [-1, 108]), drawn(108, 5))


@pytest.mark.parametrize(
    "product, kind", [(convolved, "Conv2D"), (enlarged, "Conv2DBackpropInput"), (dense, "MatMul")]
)
def test_a_batch_norm_is_weights_and_a_bias(product, kind):
    kinds = kinds_after(
        lambda x: [
            tf.nn.relu(
                tf.nn.batch_normalization(product(x), SHIFT, SCALE, SHIFT[::-1], SCALE[::-1], 1e-3)
            )
        ]
    )
    assert kinds[-3:] == [kind, "BiasAdd", "Relu"] and not {"Mul", "AddV2", "Sub"} & set(kinds)


def test_scales_follow_each_other_and_may_stand_on_either_side():
    assert kinds_after(lambda x: [SHIFT + SCALE * (convolved(x) * SCALE.reshape(1, 1, 1, 5))]) == [
        "Conv2D",
        "BiasAdd",
    ]


def turned_product(x):
    return tf.matmul(tf.reshape(x, [-1, 108]), drawn(5, 108), transpose_b=True)


@pytest.mark.parametrize("build, left", {
    "others read the product": (lambda x: [(y := convolved(x)) * SCALE, tf.nn.relu(y)], "Mul"),
    "the product is asked for": (lambda x: [y := convolved(x), y * SCALE], "Mul"),
    "a number a column": (lambda x: [convolved(x, 1) * drawn(1, 6, 1)], "Mul"),
    "one number": (lambda x: [convolved(x) * 2.0], "Mul"),
    "numbers of the picture": (lambda x: [convolved(x, 3) * tf.reduce_mean(x, (0, 1, 2))], "Mul"),
    "an answer of another rank": (lambda x: [dense(x) + SHIFT.reshape(1, 1, 5)], "AddV2"),
    "weights that are turned": (lambda x: [turned_product(x) * SCALE], "Mul"),
}.values())  # fmt: skip
def test_what_weights_cannot_say_is_left(build, left):
    assert left in kinds_after(build)


def test_no_encoder_of_a_bundle_scales_or_shifts_its_convolutions():
    nodes = {node.name: node for node in BareModel(tiny_bundle()).graph.as_graph_def().node}
    after = [
        node.op
        for node in nodes.values()
        for text in node.input
        if nodes[text.lstrip("^").split(":")[0]].op == "Conv2D"
    ]
    assert after.count("BiasAdd") > 10 and not {"Mul", "AddV2"} & set(after)
