"""Heads: representations to answers. Maps by decoders, vectors and classes by dense layers on the
flattened, concatenated representations.
"""

from __future__ import annotations

import keras
from keras import layers

from models.networks.architecture.encoders import EPSILON, MOMENTUM
from models.networks.architecture.pair_difference import Compared
from models.networks.architecture.pose_composition import ComposedPoses
from models.networks.config import NetworkConfig
from models.tasks import Task

PAPER_FLAT, PAPER_COLOUR = (
    (1024, 1024, 512, 256, 256, 128),
    (1024, 1024, 512, 512, 512, 512, 256, 256, 256),
)
COMPARING = ("point_matching",)  # lean heads that read differences of codes too
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
    if task.output.dense:
        answer = decoder(source, task, config, size)
    elif composing:
        answer = poses(source, config)
    elif task.name in COMPARING and config.encoder == "lean":
        answer = dense(Compared()(layers.Reshape((images, -1))(source)), config, task)
    else:
        answer = dense(layers.Flatten()(source), config, task)
    return keras.Model(source, answer, name="head")


def composed(task: Task, config: NetworkConfig) -> bool:
    """does the task network predict poses 1-2 and 2-3 and compose 1-3 from them, as the paper's
    does?
    """
    return task.loss == "egomotion" and config.encoder == "resnet50"


def decoder(x, task: Task, config: NetworkConfig, size: int):
    """decoder-256 (or decoder-64 for colorization) of the paper, or the lean one; 1x1 or 3x3 linear
    last.
    """
    goal = size // task.output.scale
    if config.encoder == "resnet50":
        for width in PAPER_COLOUR if task.output.scale == 4 else PAPER_FLAT:
            x = rough(x, width)
        for up, flat in (
            ((256, 256), (256, None))
            if task.output.scale == 4
            else ((64, 64), (32, 32), (16, 32), (16, None))
        ):
            x = rough(x, up, transposed=True)
            x = rough(x, flat) if flat else x
        return layers.Conv2D(
            task.output.channels,
            1 if task.output.scale == 4 else 3,
            padding="same",
            name="answer",
            dtype="float32",
        )(x)
    folded = (
        2 if task.output.scale == 1 and x.shape[1] < goal else 1
    )  # the last layer enlarges too: no map of the full size but the answer
    x = rough(x, config.decoder_widths[0])
    for width in config.decoder_widths:
        if x.shape[1] >= goal // folded:
            break
        x = rough(x, width, size=4, transposed=True)
    if x.shape[1] > goal // folded:
        x = layers.AveragePooling2D(x.shape[1] * folded // goal)(x)
    if x.shape[1] < goal // folded:
        x = layers.UpSampling2D(goal // folded // x.shape[1], interpolation="bilinear")(x)
    if folded == 1:
        return layers.Conv2D(
            task.output.channels,
            1 if task.output.scale == 4 else 3,
            padding="same",
            name="answer",
            dtype="float32",
        )(x)
    size, start = (4, "glorot_uniform") if task.output.channels < WIDE else (2, AlikeInBlocks())
    return layers.Conv2DTranspose(
        task.output.channels,
        size,
        2,
        "same",
        name="answer",
        kernel_initializer=start,
        dtype="float32",
    )(x)


@keras.saving.register_keras_serializable("taskonomy")
class AlikeInBlocks(keras.initializers.Initializer):
    """Glorot uniform weights [h, w, out, in], the same at every place: the pixels that a transposed
    convolution makes of one begin alike, else a checkerboard stays wherever the loss asks little of
    single pixels (Aitken et al. 2017).
    """

    def __call__(self, shape, dtype=None):
        return keras.ops.broadcast_to(
            keras.initializers.GlorotUniform()(shape, dtype)[:1, :1], shape
        )


def rough(x, width: int, size: int = 3, transposed: bool = False):
    """convolution (transposed with stride 2), batch norm, leaky ReLU 0.2."""
    x = (
        layers.Conv2DTranspose(width, size, 2, "same", use_bias=False)(x)
        if transposed
        else layers.Conv2D(width, size, 1, "same", use_bias=False)(x)
    )
    return layers.LeakyReLU(negative_slope=0.2)(
        layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON)(x)
    )


def dense(x, config: NetworkConfig, task: Task):
    """dense, batch norm, ReLU, dropout 0.5, dense (encoder_multilayers_fc_bn); three layers where
    the paper has three, 256 units for point matching.
    """
    paper = config.encoder == "resnet50"
    width = config.head_width // 8 if paper and task.name == "point_matching" else config.head_width
    for _ in range(2 if paper and task.name in ("nonfixated_pose", "jigsaw", "egomotion") else 1):
        x = layers.Dense(width, use_bias=False)(x)
        x = layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON)(x)
        x = layers.Dropout(0.5 if paper else 0.2)(layers.ReLU()(x))
    return layers.Dense(task.output.channels, name="answer", dtype="float32")(x)


def poses(source, config: NetworkConfig):
    """[B, 3, h, w, c] -> [B, 18]: two heads of three dense layers, no batch norm, each on two
    images' codes; 1-3 is composed (cycle_siamese_nets).
    """
    parts = []
    for first in (0, 1):
        x = layers.Flatten()(source[:, first : first + 2])
        for _ in range(2):
            x = layers.Dropout(0.5)(
                layers.Dense(
                    config.head_width // 2, activation="relu", kernel_initializer="he_normal"
                )(x)
            )
        parts.append(layers.Dense(6, dtype="float32")(x))
    return ComposedPoses(name="poses", dtype="float32")(parts)
