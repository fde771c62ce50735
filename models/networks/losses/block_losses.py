"""Per-image test losses of predicted map blocks, by the task's own loss, for hundreds of transfers:
kernels on the readout's own layout.

Every kernel runs on the thread that calls it and lets other threads run: `closed_form.py` judges
several transfers at a time. A readout answers blocks: [view cell, r r k], each value standing for
stride x stride pixels. Targets are brought into that layout once a target, so that judging a
transfer is one pass over contiguous numbers; losses that have no kernel here go through
`losses.py`, which the kernels must equal.
"""

from __future__ import annotations

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from models.networks.losses.block_layout import SEGMENT_FEATURES, from_blocks
from models.networks.losses.losses import PAIRS, image_losses
from models.tasks import TASKS, Task

LOG2E, LN2_HIGH, LN2_LOW = (
    np.float32(1.44269504),
    np.float32(0.693359375),
    np.float32(-2.12194440e-4),
)
SERIES = tuple(
    np.float32(c)
    for c in (
        1.9875691500e-4,
        1.3981999507e-3,
        8.3334519073e-3,
        4.1665795894e-2,
        1.6666665459e-1,
        0.5,
    )
)  # Cephes expf
HALF, ONE, TWO, FAR, TINY = (np.float32(c) for c in (0.5, 1.0, 2.0, 80.0, 1e-7))
TILE = 32  # pixels whose pairs with one pixel are judged at once
LOOSE = {
    "nnan",
    "ninf",
    "nsz",
    "contract",
    "arcp",
}  # not "reassoc": it would undo the two-step reduction in `exp32`

# error_model="numpy" below: the default checks every division for zero, and loops with checks are
# not vectorised


@intrinsic
def float_of_bits(context, bits):
    """the float32 whose bits an int32 holds; numba has no such cast for scalars."""
    return types.float32(
        types.int32
    ), lambda context, builder, signature, arguments: builder.bitcast(arguments[0], ir.FloatType())


@numba.njit(fastmath=LOOSE, error_model="numpy")
def exp32(x):
    """e^x to about 1e-7, without a call, so that loops over it become vector instructions (libm's
    does not).
    """
    x = min(max(x, -FAR), FAR)
    n = np.floor(x * LOG2E + HALF)
    r = x - n * LN2_HIGH
    r = r - n * LN2_LOW
    p = SERIES[0]
    p = p * r + SERIES[1]
    p = p * r + SERIES[2]
    p = p * r + SERIES[3]
    p = p * r + SERIES[4]
    p = p * r + SERIES[5]
    return (p * r * r + r + ONE) * float_of_bits((np.int32(n) + np.int32(127)) << np.int32(23))


@numba.njit(nogil=True, fastmath=True, cache=True, error_model="numpy")
def distances(answers, start, views, target, weight, squared):
    """[sample]: weighted sums of |target - answer| or its square. answers [view, cell, all
    outputs]; target, weight [sample, cell, stride^2, width].
    """
    samples, cells, repeats, width = target.shape
    losses = np.empty(samples, np.float32)
    for i in range(samples):
        total = 0.0
        for cell in range(cells):
            answer = answers[views[i], cell, start : start + width]
            part = np.float32(0)
            for q in range(repeats):
                t, w = target[i, cell, q], weight[i, cell, q]
                if squared:
                    for j in range(width):
                        part += w[j] * (t[j] - answer[j]) * (t[j] - answer[j])
                else:
                    for j in range(width):
                        part += w[j] * abs(t[j] - answer[j])
            total += part
        losses[i] = total
    return losses


@numba.njit(nogil=True, fastmath=True, cache=True, error_model="numpy")
def class_entropies(answers, start, views, counts, factor):
    """[sample]: cross-entropy of logits factor * answer. counts [sample, cell, r r, classes]:
    weight of each class among the pixels of a value.
    """
    samples, cells, inner, classes = counts.shape
    losses = np.empty(samples, np.float32)
    for i in range(samples):
        total, powers = 0.0, np.empty(inner * classes, np.float32)
        for cell in range(cells):
            answer = answers[views[i], cell, start : start + inner * classes]
            for j in range(inner * classes):
                powers[j] = exp32(factor * answer[j])
            for q in range(inner):
                mass, weight, hit = np.float32(0), np.float32(0), np.float32(0)
                for c in range(classes):
                    mass += powers[q * classes + c]
                    weight += counts[i, cell, q, c]
                    hit += counts[i, cell, q, c] * answer[q * classes + c]
                total += weight * np.log(mass) - factor * hit
        losses[i] = total
    return losses


@numba.njit(fastmath=True, error_model="numpy")
def likelihood(tile, own):
    """product over the pixels of a tile of 2 / (1 + e^square), the similarity to one pixel, where
    both are of one segment, else of what it lacks to 1.

    tile [features + 1, TILE]: embeddings, then the segments' numbers; own [features + 1]. The
    product is at least 1e-7^TILE, which is a float64.
    """
    product = 1.0
    for b in range(
        TILE
    ):  # of constant length, over arrays that are only read: what the compiler makes vector instructions of, without a remainder
        square = np.float32(0)
        for k in range(SEGMENT_FEATURES):
            square += (tile[k, b] - own[k]) * (tile[k, b] - own[k])
        similar = min(max(TWO / (ONE + exp32(square)), TINY), ONE - TINY)
        product *= similar if tile[SEGMENT_FEATURES, b] == own[SEGMENT_FEATURES] else ONE - similar
    return product


@numba.njit(fastmath=True, error_model="numpy")
def multiplied(running, factor):
    """(product, sum of logarithms) times a factor of at least 1e-224. A logarithm of a product
    costs less than logarithms: taken where float64 would end.
    """
    product, total = running[0] * factor, running[1]
    return (1.0, total + np.log(product)) if product < 1e-80 else (product, total)


@numba.njit(nogil=True, fastmath=True, cache=True, error_model="numpy")
def segment_entropies(answers, start, views, ids, cells, places, factor):
    """[sample]: the pair metric of `losses.pair_metric` over the pixels in `cells` at `places` of
    their block. ids [sample, pixel] float32, none negative.
    """
    samples, pixels = ids.shape
    losses, tiles = np.empty(samples, np.float32), (pixels + TILE - 1) // TILE
    points, own = (
        np.empty((tiles, SEGMENT_FEATURES + 1, TILE), np.float32),
        np.empty(SEGMENT_FEATURES + 1, np.float32),
    )
    points[:, :SEGMENT_FEATURES], points[:, SEGMENT_FEATURES] = (
        np.float32(1e4),
        np.float32(-1),
    )  # the last tile is filled up with what is far from everything
    for i in range(samples):
        for p in range(pixels):
            for k in range(SEGMENT_FEATURES):
                points[p // TILE, k, p % TILE] = (
                    factor * answers[views[i], cells[p], start + places[p] * SEGMENT_FEATURES + k]
                )
            points[p // TILE, SEGMENT_FEATURES, p % TILE] = ids[i, p]
        within, beyond = (1.0, 0.0), (1.0, 0.0)
        for p in range(pixels):
            own[:] = points[p // TILE, :, p % TILE]
            within = multiplied(
                within, likelihood(points[p // TILE], own)
            )  # its own tile, where both pixels of a pair meet the other
            for tile in range(p // TILE + 1, tiles):
                beyond = multiplied(beyond, likelihood(points[tile], own))
        losses[i] = -(within[1] + np.log(within[0]) + 2 * (beyond[1] + np.log(beyond[0]))) / (
            pixels * pixels
        )
    return losses


class Judge:
    """Test losses of one map target. answers: [view, cell, outputs] float32, the target's blocks
    from column `start` on -> [sample] float32.

    Classes and embeddings are sharpened by a fixed factor.
    """

    def __init__(self, store, name: str, grid: int, stride: int) -> None:
        self.task, self.grid, self.stride = TASKS[name], grid, stride
        data = store.samples(name, "test")
        self.views, self.channels, self.factor = (
            np.asarray(data.views)[:, 0].astype("int64"),
            block_channels(self.task),
            np.float32(sharpness(self.task)),
        )
        self.target, self.mask = (
            np.asarray(data.target, "float32"),
            np.asarray(data.mask, "float32"),
        )
        prepare = {
            "l1": self.regression,
            "l2": self.regression,
            "weighted_cross_entropy": self.classes,
            "pair_metric": self.segments,
        }
        self.judge = prepare.get(self.task.loss, self.stock)()

    def __call__(self, answers: np.ndarray, start: int = 0) -> np.ndarray:
        return self.judge(answers, start)

    def weights(self) -> np.ndarray:
        """[sample, S, S, 1]: the mask, summing to 1 over each image (to 0 where nothing counts)."""
        return self.mask / np.maximum(self.mask.sum((1, 2, 3), keepdims=True), 1e-6)

    def regression(self):
        squared = self.task.loss == "l2"
        target, weight = (
            self.in_blocks(self.target),
            self.in_blocks(np.broadcast_to(self.weights() / self.channels, self.target.shape)),
        )
        return lambda answers, start: distances(answers, start, self.views, target, weight, squared)

    def classes(self):
        ids = self.in_blocks(self.target)  # [sample, cell, stride^2, r r]
        weight, counts = (
            self.in_blocks(self.weights()),
            np.zeros((*ids.shape[:2], ids.shape[3], self.channels), "float32"),
        )
        for c in range(self.channels):
            counts[..., c] = (weight * (ids == c)).sum(2)
        return lambda answers, start: class_entropies(
            answers, start, self.views, counts, self.factor
        )

    def segments(self):
        side = self.target.shape[1]
        spots = np.random.default_rng(0).choice(
            side * side, min(PAIRS, side * side), replace=False
        )  # the draw of `losses.pair_metric`
        y, x = (spots // side) // self.stride, (spots % side) // self.stride
        r = side // self.stride // self.grid
        cells, places = y // r * self.grid + x // r, y % r * r + x % r
        ids = np.ascontiguousarray(self.target.reshape(len(self.target), -1)[:, spots])
        return lambda answers, start: segment_entropies(
            answers, start, self.views, ids, cells, places, self.factor
        )

    def stock(self):
        """losses without a kernel: maps unfolded and judged by `losses.py`."""
        width = self.channels * (self.target.shape[1] // self.stride // self.grid) ** 2

        def judge(answers: np.ndarray, start: int) -> np.ndarray:
            blocks = answers[self.views, :, start : start + width].reshape(-1, width)
            return image_losses(
                self.task.loss,
                self.target,
                self.mask,
                from_blocks(blocks, self.grid, self.channels, self.stride) * self.factor,
            )

        return judge

    def in_blocks(self, maps: np.ndarray) -> np.ndarray:
        """[m, S, S, k] -> [m, cell, stride^2, r r k]: the pixels that each value of a block stands
        for.
        """
        m, side, _, k = maps.shape
        g, s = self.grid, self.stride
        r = side // s // g
        parts = maps.reshape(m, g, r, s, g, r, s, k).transpose(0, 1, 4, 3, 6, 2, 5, 7)
        return np.ascontiguousarray(parts.reshape(m, g * g, s * s, r * r * k), "float32")


def block_channels(task: Task) -> int:
    """values of a readout for one pixel."""
    return SEGMENT_FEATURES if task.output.kind == "embedding" else task.output.channels


def sharpness(task: Task) -> float:
    """fixed factor from regressed shares to logits, and from mean colour and place to embedding
    distance; part of the exported network too.
    """
    return {"pixel_classes": 6.0, "embedding": 3.0}.get(task.output.kind, 1.0)


def sample_losses(
    name: str, target: np.ndarray, mask: np.ndarray, answer: np.ndarray
) -> np.ndarray:
    """[B] float32: the losses of `losses.py` for vectors and classes [B, K] in numpy, whose calls
    cost less than Keras'; others go there.
    """
    target, mask = (
        np.asarray(target, "float32"),
        np.asarray(mask, "float32").reshape(len(target), -1)[:, 0],
    )
    if target.ndim != 2 or name not in ("l2", "euclidean", "egomotion", "soft_cross_entropy"):
        return image_losses(name, target, mask, answer)
    if name == "soft_cross_entropy":
        top = answer.max(1, keepdims=True)
        logs = answer - top - np.log(np.exp(answer - top).sum(1, keepdims=True))
        return -np.einsum("ij,ij->i", target, logs) * mask
    square = (target - answer) ** 2
    if name == "l2":
        return square.sum(1) * mask / np.maximum(square.shape[1] * mask, 1e-6)
    if name == "euclidean":
        return np.sqrt(square.sum(1) + 1e-12) * mask
    return (
        np.sqrt(square.reshape(-1, 3, 6).sum(2) + 1e-12) @ np.array([1, 0.5, 1], "float32") * mask
    )
