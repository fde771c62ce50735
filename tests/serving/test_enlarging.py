"""Repeats of maps become one operation with the same numbers; whatever else looks like one is left alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from tiny_bundle import tiny_bundle

from serving.enlarging import enlarged

FEED = {"x:0": np.random.default_rng(0).normal(size=(3, 4)).astype("float32")}


def check(build) -> int:
    """how many enlargements were found, after the answers were compared with the original's, bit for bit."""
    graph = tf.Graph()
    with graph.as_default():
        output = build(maps(tf.compat.v1.placeholder(tf.float32, [None, 4], "x"))).name
    made = enlarged(graph.as_graph_def())
    np.testing.assert_array_equal(run(graph.as_graph_def(), output), run(made, output))
    return count(made)


def run(graph_def, output: str) -> np.ndarray:
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(graph_def, name="")
        with tf.compat.v1.Session(graph=graph) as session:
            return session.run(output, FEED)


def count(graph_def) -> int:
    return sum(node.op == "ResizeNearestNeighbor" for node in graph_def.node)


def maps(x):
    """[N, 4] -> [N, 6, 5, 3] of different numbers."""
    return tf.reshape(tf.matmul(x, tf.constant(np.random.default_rng(1).normal(size=(4, 90)).astype("float32"))), [-1, 6, 5, 3])


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_repeats_along_both_sides_are_one_enlargement(factor):
    assert check(lambda value: keras.ops.repeat(keras.ops.repeat(value, factor, axis=1), factor, axis=2)) == 1


def test_the_layer_is_found_and_so_are_two_in_a_row():
    layer = keras.layers.UpSampling2D(2, interpolation="nearest")
    assert check(layer) == 1
    assert check(lambda value: layer(layer(value) + 1)) == 2


@pytest.mark.parametrize("axes, factors", [((1, 2), (2, 4)), ((2, 1), (2, 2)), ((1, 3), (2, 2)), ((1, 2), (3, 3)), ((1, 2), (1, 2))])
def test_other_repeats_are_left_alone(axes, factors):
    assert check(lambda value: keras.ops.repeat(keras.ops.repeat(value, factors[0], axis=axes[0]), factors[1], axis=axes[1])) == 0


def test_tiling_is_not_repeating():
    assert check(lambda value: tf.tile(value, [1, 2, 2, 1])) == 0


def test_a_bundle_enlarges_its_maps_so():
    bundle, graph = tiny_bundle(), tf.Graph()
    with tf.compat.v1.Session(graph=graph) as session:
        tf.compat.v1.saved_model.loader.load(session, ["serve"], str(bundle))
    assert count(graph.as_graph_def()) > 0
