"""Per-image test losses of predicted map blocks, by the task's own loss, for hundreds of transfers:
kernels on the readout's own layout.

A readout answers blocks: [view cell, r r k], each value standing for stride x stride pixels.
Targets are brought into that layout once a target, so that judging a transfer is one pass over
contiguous numbers; losses that have no kernel here go through `losses.py`, which the kernels must
equal. The closed form judges several transfers at a time, a thread each.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from models.examples.label_store import LabelStore
from models.networks.losses.block_kernels import class_entropies, distances, segment_entropies
from models.networks.losses.block_layout import SEGMENT_FEATURES, SHARPNESS, from_blocks
from models.networks.losses.losses import compared_pixels, image_losses
from models.tasks import DENSE, KINDS, TASKS, Task
from models.tasks.arrays import Array, Floats
from models.tasks.tables import complete

# (answers [view, cell, outputs], first column) -> [sample].
BlockLoss = Callable[[Floats, int], Floats]


class Judge:
    """Test losses of one map target. answers: [view, cell, outputs] float32, the target's blocks
    from column `start` on -> [sample] float32.

    Classes and embeddings are sharpened by a fixed factor. window: the test views that are
    answered, in order; the samples of the others are not judged.
    """

    def __init__(
        self, store: LabelStore, name: str, grid: int, stride: int, window: range | None = None
    ) -> None:
        data = store.samples(name, "test")
        self.task = TASKS[name]
        self.grid = grid
        self.stride = stride
        self.channels = block_channels(self.task)
        self.factor = np.float32(sharpness(self.task))
        views = np.asarray(data.views)[:, 0].astype("int64")
        window = range(int(views.max()) + 1) if window is None else window
        # Samples of single views come in the order of the views (`task_samples.candidates`).
        rows = slice(*np.searchsorted(views, (window.start, window.stop)).tolist())
        self.views = views[rows] - window.start
        target, mask = data.labels(rows)
        self.target = np.asarray(target, "float32")
        self.mask = np.asarray(mask, "float32")
        self.judge = JUDGES[self.task.loss](self)

    @staticmethod
    def bytes_a_view(store: LabelStore, name: str) -> int:
        """Returns the most bytes that are held of one test view's label: the target as it is, and
        with its weights in blocks, beside masks; of classes a number each for a pixel, or a whole
        answer.
        """
        _, height, width, values = store.samples(name, "test").target.shape
        return 4 * height * width * (3 * values + block_channels(TASKS[name]) + 6)

    def __call__(self, answers: Floats, start: int = 0) -> Floats:
        return self.judge(answers, start)

    def weights(self) -> Floats:
        """[sample, S, S, 1]: the mask, summing to 1 over each image (to 0 where nothing counts)."""
        return self.mask / np.maximum(self.mask.sum((1, 2, 3), keepdims=True), 1e-6)

    def regression(self) -> BlockLoss:
        """Judges by absolute or squared differences."""
        squared = self.task.loss == "l2"
        target = self.in_blocks(self.target)
        shares = self.weights() / self.channels
        weight = self.in_blocks(np.broadcast_to(shares, self.target.shape))

        def judge(answers: Floats, start: int) -> Floats:
            return distances(answers, start, self.views, target, weight, squared)

        return judge

    def classes(self) -> BlockLoss:
        """Judges by cross-entropies against class ids."""
        ids = self.in_blocks(self.target)  # [sample, cell, stride^2, r r]
        weight = self.in_blocks(self.weights())
        counts = np.zeros((*ids.shape[:2], ids.shape[3], self.channels), "float32")
        for c in range(self.channels):
            counts[..., c] = (weight * (ids == c)).sum(2)

        def judge(answers: Floats, start: int) -> Floats:
            return class_entropies(answers, start, self.views, counts, self.factor)

        return judge

    def segments(self) -> BlockLoss:
        """Judges by the pair metric, over the same pixels as `losses.pair_metric`."""
        side = self.target.shape[1]
        spots = compared_pixels(side)
        y = (spots // side) // self.stride
        x = (spots % side) // self.stride
        r = side // self.stride // self.grid
        cells = y // r * self.grid + x // r
        places = y % r * r + x % r
        ids = np.ascontiguousarray(self.target.reshape(len(self.target), -1)[:, spots])

        def judge(answers: Floats, start: int) -> Floats:
            return segment_entropies(answers, start, self.views, ids, cells, places, self.factor)

        return judge

    def stock(self) -> BlockLoss:
        """Judges by a loss without a kernel: maps are unfolded and given to `losses.py`."""
        width = self.channels * (self.target.shape[1] // self.stride // self.grid) ** 2

        def judge(answers: Floats, start: int) -> Floats:
            blocks = answers[self.views, :, start : start + width].reshape(-1, width)
            answer = from_blocks(blocks, self.grid, self.channels, self.stride) * self.factor
            return image_losses(self.task.loss, self.target, self.mask, answer)

        return judge

    def in_blocks(self, maps: Floats) -> Floats:
        """[m, S, S, k] -> [m, cell, stride^2, r r k]: the pixels that each value of a block stands
        for.
        """
        m, side, _, k = maps.shape
        g = self.grid
        s = self.stride
        r = side // s // g
        parts = maps.reshape(m, g, r, s, g, r, s, k).transpose(0, 1, 4, 3, 6, 2, 5, 7)
        return np.ascontiguousarray(parts.reshape(m, g * g, s * s, r * r * k), "float32")


# A map's judge, by loss: a kernel, or `stock` where none is written yet.
JUDGES: dict[str, Callable[[Judge], BlockLoss]] = complete(
    "judge of map blocks",
    dict.fromkeys(loss for kind in DENSE for loss in KINDS[kind].losses),
    {
        "l1": Judge.regression,
        "l2": Judge.regression,
        "weighted_cross_entropy": Judge.classes,
        "pair_metric": Judge.segments,
        "soft_cross_entropy": Judge.stock,
    },
)


def block_channels(task: Task) -> int:
    """Returns how many values a readout of maps has for one pixel."""
    return SEGMENT_FEATURES if task.output.kind == "embedding" else task.output.channels


def sharpness(task: Task) -> float:
    """Returns the fixed factor from what a readout of maps regresses to the answer (`SHARPNESS`);
    the exported network has it too.
    """
    return SHARPNESS[task.output.kind]


def sample_losses(name: str, target: Array, mask: Array, answer: Floats) -> Floats:
    """[B] float32: the losses of `losses.py` for vectors and classes [B, K] in numpy, whose calls
    cost less than Keras'; others go there. mask: [B], or [B, 1, ...].
    """
    target = np.asarray(target, "float32")
    mask = np.asarray(mask, "float32").reshape(len(target), -1)[:, 0]
    if target.ndim != 2 or name not in ("l2", "euclidean", "egomotion", "soft_cross_entropy"):
        return image_losses(name, target, mask, answer)
    if name == "soft_cross_entropy":
        top = answer.max(1, keepdims=True)
        logs = answer - top - np.log(np.exp(answer - top).sum(1, keepdims=True))
        return -np.einsum("ij,ij->i", target, logs) * mask
    square = (target - answer) ** 2
    if name == "l2":
        # as `losses.weighted_mean` computes it
        return square.sum(1) * mask / np.maximum(square.shape[1] * mask, 1e-6)
    if name == "euclidean":
        return np.sqrt(square.sum(1) + 1e-12) * mask
    norms = np.sqrt(square.reshape(-1, 3, 6).sum(2) + 1e-12)
    return norms @ np.array([1, 0.5, 1], "float32") * mask
