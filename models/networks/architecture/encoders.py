"""Encoders: an image in [-1, 1] to a map of few channels, non-negative, which transfers read."""

from __future__ import annotations

import keras
from keras import layers

from models.networks.architecture.batch_norm import BatchNormalization
from models.networks.config import NetworkConfig
from models.networks.tensors import Tensor

# Of every batch norm: the share of the running statistics that a step keeps; added to variances.
# Both as released.
MOMENTUM = 0.9
EPSILON = 1e-5


def build_encoder(config: NetworkConfig, channels: int, name: str) -> keras.Model:
    """keras.Model [B, H, W, channels] -> [B, H/16, W/16, c] (resnet50) or [B, H/2^k, W/2^k, c]
    (lean, k stages of stride 2), c = representation_channels.
    """
    image = keras.Input((None, None, channels), name="image")
    trunk = resnet50(image) if config.encoder == "resnet50" else lean(image, config.encoder_widths)
    return keras.Model(image, conv_norm(trunk, config.representation_channels, 3), name=name)


def conv_norm(
    x: Tensor, filters: int, size: int, stride: int = 1, relu: bool = True, scale: str = "ones"
) -> Tensor:
    """Convolution without bias, batch norm, and ReLU if `relu`: [B, h, w, c] -> [B, h/stride,
    w/stride, filters]. scale: initializer of the batch norm's.
    """
    # no bias: batch norm would take it away again
    x = layers.Conv2D(
        filters, size, stride, "same", use_bias=False, kernel_initializer="he_normal"
    )(x)
    x = BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON, gamma_initializer=scale)(x)
    return layers.ReLU()(x) if relu else x


def resnet50(x: Tensor) -> Tensor:
    """ResNet-v1-50 to stride 16: units 3, 4, 6, 3; the stride of a block sits in its last unit,
    blocks 3 and 4 keep theirs at 1 (resnet_v1_50_16x16).
    """
    x = conv_norm(x, 64, 7, 2)
    x = layers.MaxPooling2D(3, 2, "same")(x)
    for width, units, stride in ((64, 3, 2), (128, 4, 2), (256, 6, 1), (512, 3, 1)):
        for unit in range(units):
            x = bottleneck(x, width, stride if unit == units - 1 else 1)
    return x


def bottleneck(x: Tensor, width: int, stride: int) -> Tensor:
    """Bottleneck unit: 1x1, 3x3, 1x1 to four times the width, with the shortcut that slim takes:
    pooled where channels agree, projected where not.
    """
    if x.shape[-1] == 4 * width:
        shortcut = x if stride == 1 else layers.MaxPooling2D(1, stride)(x)
    else:
        shortcut = conv_norm(x, 4 * width, 1, stride, relu=False)
    y = conv_norm(conv_norm(x, width, 1), width, 3, stride)
    return layers.ReLU()(layers.Add()([shortcut, conv_norm(y, 4 * width, 1, relu=False)]))


def lean(x: Tensor, widths: tuple[int, ...]) -> Tensor:
    """The lean encoder's trunk: a stem and one residual unit a stage, which adds nothing at first
    (Goyal et al. 2017); every stage but the last halves the side.
    """
    for i, width in enumerate(widths):
        x = conv_norm(x, width, 3, 2 if i < len(widths) - 1 else 1)
        if i:
            y = conv_norm(conv_norm(x, width, 3), width, 3, relu=False, scale="zeros")
            x = layers.ReLU()(layers.Add()([x, y]))
    return x
