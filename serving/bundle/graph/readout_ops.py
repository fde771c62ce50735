"""A closed-form map readout said in few operations (`models/networks/transfers/edge.py`,
LocalReadout). Exact up to the rounding of floats.

One convolution a source gives its 3 x 3 neighbourhoods (a kernel that copies) and its random
features, standardised by weights that are divided before; one 1 x 1 convolution gives all blocks,
which unfold as `depth_to_space` does. Heads on one source name the same operations with the same
numbers, which `serving/bundle/graph/deduplicate.py` then runs once.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def readout(layer) -> Callable:
    """`layer` (a LocalReadout) as a function of representations [B, h, w, order c], sources side by
    side -> map [B, S, S, k]. Weights are read now.
    """
    import tensorflow as tf

    parts = {name: np.asarray(value, "float64") for name, value in layer.parts.items()}
    sources = [source_features(parts, i) for i in range(layer.order)]
    weights, bias = (
        tf.constant(value.astype("float32"))
        for value in (
            parts["weights"][None, None, :-1] * layer.factor,
            parts["weights"][-1] * layer.factor,
        )
    )
    side, enlarge = round((parts["weights"].shape[1] / layer.channels) ** 0.5), layer.enlarge

    def answer(maps):
        features = [
            given(maps[..., i * layer.width : (i + 1) * layer.width])
            for i, given in enumerate(sources)
        ]
        blocks = tf.nn.bias_add(tf.nn.conv2d(tf.concat(features, -1), weights, 1, "VALID"), bias)
        return repeated(tf.nn.depth_to_space(blocks, side) if side > 1 else blocks, enlarge)

    return answer


def source_features(parts: dict[str, np.ndarray], i: int) -> Callable:
    """source `i`'s representation [B, h, w, c] -> its neighbourhoods and random features [B, h, w,
    9 c + features].
    """
    import tensorflow as tf

    mean, deviation, kernel, bias = (
        parts["mean"][i],
        parts["deviation"][i],
        parts["kernel"],
        parts["bias"],
    )
    width = len(mean)
    both = (
        np.concatenate([np.eye(9 * width), kernel], 1).reshape(3, 3, width, -1) / deviation[:, None]
    )
    shift, least = (
        np.concatenate([np.full(9 * width, first), rest])
        for first, rest in ((0.0, bias), (-np.inf, np.zeros_like(bias)))
    )
    held = [tf.constant(value.astype("float32")) for value in (mean, both, shift, least)]

    def features(own):
        # the mean is subtracted before the border is padded: beyond it there is the average
        # representation, not zero
        seen = tf.nn.bias_add(tf.nn.conv2d(own - held[0], held[1], 1, "SAME"), held[2])
        return tf.maximum(seen, held[3])  # ReLU of the random features alone

    return features


def repeated(maps, times: int):
    """[B, h, w, k] -> [B, times h, times w, k]: every pixel `times` times each way. Copies of whole
    rows are quicker than TensorFlow's resizing is.
    """
    import tensorflow as tf

    if times == 1:
        return maps
    h, w, channels = maps.shape[1:]
    rows = tf.reshape(tf.concat([maps] * times, -1), [-1, h, w * times * channels])
    return tf.reshape(tf.concat([rows] * times, -1), [-1, h * times, w * times, channels])
