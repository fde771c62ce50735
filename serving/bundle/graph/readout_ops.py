"""Writes a closed-form map readout in few operations
(`models.networks.architecture.readout_layers.LocalReadout`). Exact up to the rounding of floats.

One convolution a source gives its 3 x 3 neighbourhoods (a kernel that copies) and its random
features, standardised by weights that are divided before; one 1 x 1 convolution gives all blocks,
which unfold as `depth_to_space` does. Heads on one source name the same operations with the same
numbers, which `serving/bundle/graph/deduplicate.py` then runs once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from models.networks.architecture.readout_features import channel_slices
from models.tasks.arrays import Array, Floats

# A function of tensors.
Step = Callable[[Any], Any]


def readout(layer: Any) -> Step:
    """Returns `layer` (a LocalReadout) as a function of representations [B, h, w, channels of all
    sources], sources side by side, to a map [B, S, S, k]. Weights are read now.
    """
    import tensorflow as tf

    parts = {name: np.asarray(value, "float64") for name, value in layer.parts.items()}
    places = channel_slices(layer.widths)
    sources = [source_features(parts, own) for own in places]
    solved = parts["weights"] * layer.factor
    # the last row is the bias
    weights = float_constant(solved[None, None, :-1])
    bias = float_constant(solved[-1])
    # a block of b x b pixels has b squared times the channels
    block = round((solved.shape[1] / layer.channels) ** 0.5)
    enlarge = layer.enlarge

    def answer(maps: Any) -> Any:
        features = [source(maps[..., own]) for source, own in zip(sources, places)]
        blocks = tf.nn.conv2d(tf.concat(features, -1), weights, 1, "VALID")
        blocks = tf.nn.bias_add(blocks, bias)
        unfolded = tf.nn.depth_to_space(blocks, block) if block > 1 else blocks
        return repeated(unfolded, enlarge)

    return answer


def source_features(parts: Mapping[str, Floats], own: slice) -> Step:
    """Returns a function from the representation [B, h, w, c] of the source whose channels are
    `own` to its neighbourhoods and random features [B, h, w, 9 c + features].
    """
    import tensorflow as tf

    mean = parts["mean"][own]
    width = len(mean)
    copies = 9 * width
    bias = parts[f"bias_{width}"]
    random = parts[f"kernel_{width}"]
    # an identity copies the neighbourhood; the random features stand behind it
    kernel = np.concatenate([np.eye(copies), random], 1).reshape(3, 3, width, -1)
    centre = float_constant(mean)
    # divided by the deviation here, once, in place of every pixel's
    weights = float_constant(kernel / parts["deviation"][own][:, None])
    shift = float_constant(np.concatenate([np.zeros(copies), bias]))
    # ReLU of the random features alone: copies may be as small as they like
    least = float_constant(np.concatenate([np.full(copies, -np.inf), 0 * bias]))

    def features(own: Any) -> Any:
        # the mean is subtracted before the border is padded: beyond it there is the average
        # representation, not zero
        maps = tf.nn.conv2d(own - centre, weights, 1, "SAME")
        return tf.maximum(tf.nn.bias_add(maps, shift), least)

    return features


def float_constant(value: Array) -> Any:
    """Returns an eager float32 tensor, so that an exporter finds it among a trace's captures."""
    import tensorflow as tf

    return tf.constant(np.asarray(value, "float32"))


def repeated(maps: Any, times: int) -> Any:
    """Converts [B, h, w, k] to [B, times h, times w, k]: every pixel `times` times each way. Copies
    of whole rows are quicker than TensorFlow's resizing is.
    """
    import tensorflow as tf

    if times == 1:
        return maps
    height, width, channels = maps.shape[1:]
    # channels twice over, read as twice the columns
    rows = tf.concat([maps] * times, -1)
    rows = tf.reshape(rows, [-1, height, width * times * channels])
    both = tf.concat([rows] * times, -1)
    return tf.reshape(both, [-1, height * times, width * times, channels])
