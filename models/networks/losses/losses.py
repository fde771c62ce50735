"""Losses of one image each: pure functions (target, mask, answer) -> [B], in keras.ops.

target, answer: as `models.tasks.targets` and the heads make them; mask: [B, S, S, 1] weights, or
[B].
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from keras import ops

from models.networks.tensors import Tensor
from models.tasks import KINDS
from models.tasks.arrays import Array, Floats
from models.tasks.tables import complete

# (target, mask, answer) -> [B].
ImageLoss = Callable[[Tensor, Tensor, Tensor], Tensor]

PAIRS = 300  # pixels an image that the pair metric compares (released segment2d config)


def weighted_mean(values: Tensor, mask: Tensor) -> Tensor:
    """[B]: mean of values [B, ...] where mask (same rank, broadcast) weighs them; 0 for an image
    without weight.
    """
    mask = ops.broadcast_to(mask, ops.shape(values))
    axes = tuple(range(1, len(values.shape)))
    return ops.sum(values * mask, axis=axes) / ops.maximum(ops.sum(mask, axis=axes), 1e-6)


def mean_weight(mask: Tensor) -> Tensor:
    """[B]: mean of those weights of an image's mask [B, S, S, 1] that are not 0; 0 without any.
    Times this, a `weighted_mean` is slim's: the weighted sum over the count of entries with a
    weight.
    """
    count = ops.sum(ops.cast(mask != 0, mask.dtype), axis=(1, 2, 3))
    return ops.sum(mask, axis=(1, 2, 3)) / ops.maximum(count, 1)


def l1(target: Tensor, mask: Tensor, answer: Tensor) -> Tensor:
    """Mean absolute difference over unmasked entries."""
    return weighted_mean(ops.abs(target - answer), mask)


def l2(target: Tensor, mask: Tensor, answer: Tensor) -> Tensor:
    """Mean squared difference over unmasked entries; of a vector, over its elements."""
    mask = ops.reshape(mask, (-1, 1)) if len(target.shape) == 2 else mask
    return weighted_mean(ops.square(target - answer), mask)


def euclidean(target: Tensor, mask: Tensor, answer: Tensor) -> Tensor:
    """Norm of the difference, not squared (siamese_nets)."""
    # the slope of a root at 0 is infinite
    return ops.sqrt(ops.sum(ops.square(target - answer), axis=-1) + 1e-12) * mask


def egomotion(target: Tensor, mask: Tensor, answer: Tensor) -> Tensor:
    """|e12| + 0.5 |e13| + |e23| (cycle_siamese_nets)."""
    parts = ops.reshape(ops.square(target - answer), (-1, 3, 6))
    norms = ops.sqrt(ops.sum(parts, axis=-1) + 1e-12)
    return ops.sum(norms * ops.convert_to_tensor(np.array([1, 0.5, 1], "float32")), axis=-1) * mask


def log_softmax(logits: Tensor) -> Tensor:
    """Logits [..., K] -> log probabilities [..., K]."""
    return logits - ops.logsumexp(logits, axis=-1, keepdims=True)


def soft_cross_entropy(target: Tensor, mask: Tensor, answer: Tensor) -> Tensor:
    """cross-entropy against shares, of an image ([B, K]) or of its pixels ([B, S, S, K])."""
    entropy = -ops.sum(target * log_softmax(answer), axis=-1)
    return entropy * mask if len(entropy.shape) == 1 else weighted_mean(entropy[..., None], mask)


def weighted_cross_entropy(target: Tensor, mask: Tensor, answer: Tensor) -> Tensor:
    """cross-entropy against class ids [B, S, S, 1], pixels weighed by the mask."""
    classes = answer.shape[-1]
    picked = ops.one_hot(ops.cast(target[..., 0], "int32"), classes, dtype=answer.dtype)
    return weighted_mean(-ops.sum(picked * log_softmax(answer), axis=-1, keepdims=True), mask)


def pair_metric(target: Tensor, mask: Tensor, answer: Tensor) -> Tensor:
    """Pairwise metric learning (Fathi et al. 2017): -log s for two pixels of one segment, -log(1 -
    s) else, s = 2/(1 + exp(d^2)).

    The same PAIRS pixels of every image (a fixed draw), so that losses of different networks
    compare image by image.
    """
    side = target.shape[1]
    channels = answer.shape[-1]
    spots = compared_pixels(side)
    ids = ops.take(ops.reshape(target, (-1, side * side)), spots, axis=1)
    points = ops.take(ops.reshape(answer, (-1, side * side, channels)), spots, axis=1)
    square = ops.sum(ops.square(points), axis=-1)
    distance = (
        square[:, :, None]
        + square[:, None]
        - 2 * ops.matmul(points, ops.transpose(points, (0, 2, 1)))
    )
    # both clips are the released ones
    similar = ops.clip(2 / (1 + ops.exp(ops.clip(distance, 0, 80))), 1e-7, 1 - 1e-7)
    # ids are floats here
    same = ops.cast(ops.abs(ops.expand_dims(ids, 2) - ops.expand_dims(ids, 1)) < 0.5, answer.dtype)
    return -ops.mean(same * ops.log(similar) + (1 - same) * ops.log(1 - similar), axis=(1, 2))


def compared_pixels(side: int) -> Array:
    """[min(PAIRS, side^2)] int, flat positions in a map of side x side: one draw for all images."""
    return np.random.default_rng(0).choice(side * side, min(PAIRS, side * side), replace=False)


# Spelled out, so that an address can follow one row (`models.provenance.closure`).
LOSSES: dict[str, ImageLoss] = {
    "l1": l1,
    "l2": l2,
    "euclidean": euclidean,
    "egomotion": egomotion,
    "soft_cross_entropy": soft_cross_entropy,
    "weighted_cross_entropy": weighted_cross_entropy,
    "pair_metric": pair_metric,
}
# Every loss that some kind of output names, and no other.
complete("losses", dict.fromkeys(loss for kind in KINDS.values() for loss in kind.losses), LOSSES)


def image_losses(name: str, target: Array, mask: Array, answer: Array) -> Floats:
    """[B] float32: the loss called `name` of arrays, as the functions above take them."""
    tensors = [ops.convert_to_tensor(np.asarray(x, "float32")) for x in (target, mask, answer)]
    losses: Floats = ops.convert_to_numpy(LOSSES[name](*tensors))
    return losses
