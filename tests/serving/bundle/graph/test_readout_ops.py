"""A readout in few operations gives its layer's answers, borders and means included."""

import numpy as np
import pytest
import tensorflow as tf

from models.networks.architecture.readout_layers import LocalReadout
from serving.bundle.graph.readout_ops import readout


def layer_of(
    order: int, block: int, enlarge: int, channels: int = 2, width: int = 3, features: int = 7
) -> LocalReadout:
    rng = np.random.default_rng(0)
    shapes = {"mean": (order * width,), "kernel_3": (9 * width, features), "bias_3": (features,)}
    shapes["weights"] = (order * (9 * width + features) + 1, block * block * channels)
    arrays = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    arrays["deviation"] = rng.uniform(0.5, 2, order * width)
    return LocalReadout(arrays, [width] * order, channels, enlarge, 0.7)


@pytest.mark.parametrize("order, block, enlarge", [(1, 1, 1), (2, 2, 1), (3, 1, 2), (2, 4, 3)])
def test_a_readout_keeps_its_answers_and_loses_operations(order, block, enlarge):
    layer = layer_of(order, block, enlarge)
    maps = np.random.default_rng(1).normal(1.0, 1.0, (2, 4, 5, 3 * order)).astype("float32")
    expected, answer = np.asarray(layer(maps)), np.asarray(readout(layer)(tf.constant(maps)))
    assert (
        expected.shape == answer.shape == (2, 4 * block * enlarge, 5 * block * enlarge, 2)
        and expected.std() > 0
    )
    np.testing.assert_allclose(answer, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
    plain, short = (
        len(
            tf.function(call)
            .get_concrete_function(tf.TensorSpec([None, 4, 5, 3 * order]))
            .graph.get_operations()
        )
        for call in (layer, readout(layer))
    )
    assert short < 0.6 * plain
