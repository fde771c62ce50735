"""Heads: representations to answers. Maps by decoders, vectors and classes by dense layers on the
flattened, concatenated representations.
"""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras import layers

from models.networks.architecture.batch_norm import BatchNormalization
from models.networks.architecture.encoders import EPSILON, MOMENTUM
from models.networks.architecture.pair_difference import Compared
from models.networks.architecture.pose_composition import ComposedPoses
from models.networks.config import NetworkConfig
from models.networks.tensors import Tensor
from models.tasks import Task, by_kind

# Channels of the paper's decoder-256 (maps) and decoder-64 (colorization): convolutions at the
# representation's grid, then (enlarging, flat or none) pairs of layers.
PAPER_FLAT = (1024, 1024, 512, 256, 256, 128)
PAPER_UP = ((64, 64), (32, 32), (16, 32), (16, None))
PAPER_COLOUR_FLAT = (1024, 1024, 512, 512, 512, 512, 256, 256, 256)
PAPER_COLOUR_UP = ((256, 256), (256, None))
# channels of an answer from which the lean decoder's last layer reads one pixel, not two by two
WIDE = 8


def build_head(
    task: Task,
    config: NetworkConfig,
    representation: tuple[int, int, int],
    images: int,
    size: int,
    composing: bool = False,
) -> keras.Model:
    """keras.Model: [B, h, w, c] (one image) or [B, images, h, w, c] -> the task's output; logits
    where it has classes.

    images: representations a sample (9 tiles for jigsaw). size: side of the image in pixels.
    composing: egomotion by two heads and composition. Output is linear for all kinds: the released
    tanh cannot reach whitened or unbounded targets (docs/DEVIATIONS.md).
    """
    shape = representation if images == 1 else (images, *representation)
    source = keras.Input(shape, name="representation")
    # The one head that reads pairs of views and answers about three.
    answer = (
        pose_head(source, config)
        if composing
        else HEADS[task.output.kind](source, task, config, size)
    )
    return keras.Model(source, answer, name="head")


def composes_poses(task: Task, config: NetworkConfig) -> bool:
    """Returns whether the task network predicts poses 1-2 and 2-3 and composes 1-3 from them, as
    the paper's does.
    """
    return task.loss == "egomotion" and config.encoder == "resnet50"


def dense_head(source: Tensor, task: Task, config: NetworkConfig, size: int) -> Tensor:
    """Dense head: [B, h, w, c] or [B, images, h, w, c] -> [B, channels]. It reads all
    representations side by side, and their differences where views are compared (lean; the paper
    has no such head).
    """
    if task.compares and config.encoder == "lean":
        images = source.shape[1]
        return dense_layers(Compared()(layers.Reshape((images, -1))(source)), config, task)
    return dense_layers(layers.Flatten()(source), config, task)


def decoder(x: Tensor, task: Task, config: NetworkConfig, size: int) -> Tensor:
    """The paper's decoder, or the lean one: [B, h, w, c] -> [B, S/scale, S/scale, channels]."""
    if config.encoder == "resnet50":
        return paper_decoder(x, task)
    return lean_decoder(x, task, config.decoder_widths, size)


def paper_decoder(x: Tensor, task: Task) -> Tensor:
    """The paper's decoder-256, or decoder-64 for colorization, which is a quarter of the size; 3x3
    or 1x1 linear last.
    """
    small = task.output.scale == 4
    for width in PAPER_COLOUR_FLAT if small else PAPER_FLAT:
        x = conv_leaky(x, width)
    for up, flat in PAPER_COLOUR_UP if small else PAPER_UP:
        x = conv_leaky(x, up, transposed=True)
        x = conv_leaky(x, flat) if flat else x
    return linear_map(x, task)


def lean_decoder(x: Tensor, task: Task, widths: tuple[int, ...], size: int) -> Tensor:
    """The lean decoder: one convolution, then as many enlarging layers as the answer needs. The
    last layer enlarges too where it may: no map of the full size but the answer.
    """
    goal = size // task.output.scale
    folded = task.output.scale == 1 and x.shape[1] < goal
    side = goal // 2 if folded else goal
    x = conv_leaky(x, widths[0])
    for width in widths:
        if x.shape[1] >= side:
            break
        x = conv_leaky(x, width, size=4, transposed=True)
    if x.shape[1] > side:
        x = layers.AveragePooling2D(x.shape[1] // side)(x)
    if x.shape[1] < side:
        x = layers.UpSampling2D(side // x.shape[1], interpolation="bilinear")(x)
    return enlarging_map(x, task) if folded else linear_map(x, task)


def linear_map(x: Tensor, task: Task) -> Tensor:
    """Last layer of a decoder that answers at the size of x."""
    kernel = 1 if task.output.scale == 4 else 3
    # float32 under every policy of precision: losses are computed from it
    return layers.Conv2D(
        task.output.channels, kernel, padding="same", name="answer", dtype="float32"
    )(x)


def enlarging_map(x: Tensor, task: Task) -> Tensor:
    """Last layer of a decoder that answers at twice the size of x."""
    wide = task.output.channels >= WIDE
    return layers.Conv2DTranspose(
        task.output.channels,
        2 if wide else 4,
        2,
        "same",
        name="answer",
        kernel_initializer=AlikeInBlocks() if wide else "glorot_uniform",
        dtype="float32",
    )(x)


@keras.saving.register_keras_serializable("taskonomy")
class AlikeInBlocks(keras.initializers.Initializer):
    """Glorot uniform weights [h, w, out, in], the same at every place: the pixels that a transposed
    convolution makes of one begin alike, else a checkerboard stays wherever the loss asks little of
    single pixels (Aitken et al. 2017).
    """

    def __call__(self, shape: tuple[int, ...], dtype: str | None = None) -> Tensor:
        whole = keras.initializers.GlorotUniform()(shape, dtype)
        return keras.ops.broadcast_to(whole[:1, :1], shape)


def conv_leaky(x: Tensor, width: int, size: int = 3, transposed: bool = False) -> Tensor:
    """Convolution, batch norm, leaky ReLU 0.2: [B, h, w, c] -> [B, h, w, width], twice the side if
    transposed.
    """
    if transposed:
        x = layers.Conv2DTranspose(width, size, 2, "same", use_bias=False)(x)
    else:
        x = layers.Conv2D(width, size, 1, "same", use_bias=False)(x)
    x = BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON)(x)
    return layers.LeakyReLU(negative_slope=0.2)(x)


def dense_layers(x: Tensor, config: NetworkConfig, task: Task) -> Tensor:
    """[B, n] -> [B, channels]: dense, batch norm, ReLU, dropout 0.5, dense
    (encoder_multilayers_fc_bn). The paper's heads are as deep and as narrow as the entry says.
    """
    paper = config.encoder == "resnet50"
    width = config.head_width // task.head_narrowing if paper else config.head_width
    for _ in range(task.head_layers if paper else 1):
        x = layers.Dense(width, use_bias=False)(x)
        x = layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON)(x)
        x = layers.Dropout(0.5 if paper else 0.2)(layers.ReLU()(x))
    return layers.Dense(task.output.channels, name="answer", dtype="float32")(x)


def pose_head(source: Tensor, config: NetworkConfig) -> Tensor:
    """[B, 3, h, w, c] -> [B, 18]: two heads of three dense layers, no batch norm, each on two
    images' codes; 1-3 is composed (cycle_siamese_nets).
    """
    # 1,024 units, where the paper's other heads have 2,048
    width = config.head_width // 2
    parts = []
    for first in (0, 1):
        x = layers.Flatten()(source[:, first : first + 2])
        for _ in range(2):
            hidden = layers.Dense(width, activation="relu", kernel_initializer="he_normal")
            x = layers.Dropout(0.5)(hidden(x))
        parts.append(layers.Dense(6, dtype="float32")(x))
    return ComposedPoses(name="poses", dtype="float32")(parts)


HEADS: dict[str, Callable[[Tensor, Task, NetworkConfig, int], Tensor]] = by_kind(
    "head",
    {
        "pixels": decoder,
        "pixel_classes": decoder,
        "embedding": decoder,
        "classes": dense_head,
        "vector": dense_head,
    },
)
