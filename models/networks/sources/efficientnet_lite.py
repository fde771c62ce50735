"""EfficientNet-Lite0 (Tan and Le 2019, without squeeze and excitation, ReLU6 in place of swish) in
Keras, with the weights of a PyTorch state dict that names layers as lukemelas' EfficientNet does.

These weights came from TensorFlow: windows are padded as its "same" does (more below and right for
stride 2, unlike PyTorch's own padding), batch norm adds 1e-3 to variances. Pictures are (bytes -
127) / 128 (`--preprocess lite`).
"""

from __future__ import annotations

from collections.abc import Mapping

import keras
from keras import layers

from models.networks.sources.description import SourceError
from models.networks.tensors import Tensor
from models.tasks.arrays import Array

# (blocks, side of the kernel, stride of the first, expansion, channels) of each stage.
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
STEM, HEAD, CLASSES = 32, 1280, 1000
EPSILON = 1e-3
# Last layers of the stages that end before a stride, and of the last: strides 2, 4, 8, 16, 32.
ENDS = ("blocks_0_bn2", "blocks_2", "blocks_4", "blocks_10", "blocks_15_bn2")
# Counters that PyTorch keeps beside the statistics.
COUNTER = "num_batches_tracked"


def efficientnet_lite0(side: int | None = None) -> keras.Model:
    """[B, side, side, 3] -> logits [B, 1000] of ImageNet's classes; layers are named after those of
    the state dict, `blocks_i` being a block with a shortcut.
    """
    pictures = keras.Input((side, side, 3), name="pictures")
    x = convolved(pictures, STEM, 3, 2, "conv_stem", "bn0")
    channels, number = STEM, 0
    for repeats, kernel, stride, expansion, outputs in STAGES:
        for repeat in range(repeats):
            step = stride if repeat == 0 else 1
            x = block(x, f"blocks_{number}", channels, kernel, step, expansion, outputs)
            channels, number = outputs, number + 1
    x = convolved(x, HEAD, 1, 1, "conv_head", "bn1")
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(pictures, layers.Dense(CLASSES, name="fc")(x), name="efficientnet_lite0")


def block(
    x: Tensor, name: str, channels: int, kernel: int, stride: int, expansion: int, outputs: int
) -> Tensor:
    """Inverted residual: widened, filtered channel by channel, projected."""
    inside = x
    if expansion != 1:
        inside = convolved(x, channels * expansion, 1, 1, f"{name}_expand_conv", f"{name}_bn0")
    inside = layers.DepthwiseConv2D(
        kernel, stride, "same", use_bias=False, name=f"{name}_depthwise_conv"
    )(inside)
    inside = norm_relu6(inside, f"{name}_bn1")
    inside = layers.Conv2D(outputs, 1, use_bias=False, name=f"{name}_project_conv")(inside)
    inside = layers.BatchNormalization(epsilon=EPSILON, name=f"{name}_bn2")(inside)
    if stride == 1 and channels == outputs:
        return layers.Add(name=name)([x, inside])
    return inside


def convolved(
    x: Tensor, outputs: int, kernel: int, stride: int, convolution: str, norm: str
) -> Tensor:
    x = layers.Conv2D(outputs, kernel, stride, "same", use_bias=False, name=convolution)(x)
    return norm_relu6(x, norm)


def norm_relu6(x: Tensor, norm: str) -> Tensor:
    """Batch norm, then ReLU6."""
    x = layers.BatchNormalization(epsilon=EPSILON, name=norm)(x)
    return layers.ReLU(max_value=6.0)(x)


def load_state(model: keras.Model, state: Mapping[str, Array]) -> None:
    """Loads the arrays of a state dict into `efficientnet_lite0`. Raises SourceError for others
    than its layers have.
    """
    weights: dict[str, dict[str, Array]] = {}
    for name, value in state.items():
        layer, _, weight = name.rpartition(".")
        if weight != COUNTER:
            own = layer.replace("._", "_").replace(".", "_").lstrip("_")
            weights.setdefault(own, {})[weight] = value
    layers = {layer.name: layer for layer in model.layers if layer.weights}
    if layers.keys() != weights.keys():
        odd = sorted(layers.keys() ^ weights.keys())
        raise SourceError(f"expected the layers of EfficientNet-Lite0; differs in {odd[0]}")
    for name, layer in layers.items():
        values = arrays_for_keras(layer, weights[name])
        shapes = [tuple(weight.shape) for weight in layer.weights]
        if [value.shape for value in values] != shapes:
            raise SourceError(f"{name} has weights {shapes}, the file {[v.shape for v in values]}")
        layer.set_weights(values)


def arrays_for_keras(layer: keras.layers.Layer, arrays: Mapping[str, Array]) -> list[Array]:
    """Returns a layer's arrays as Keras orders them, from PyTorch's [outputs, inputs, h, w]."""
    if isinstance(layer, layers.BatchNormalization):
        return [arrays[name] for name in ("weight", "bias", "running_mean", "running_var")]
    kernel = arrays["weight"]
    if isinstance(layer, layers.Dense):
        return [kernel.T, arrays["bias"]]
    if isinstance(layer, layers.DepthwiseConv2D):
        return [kernel.transpose(2, 3, 0, 1)]
    return [kernel.transpose(2, 3, 1, 0)]
