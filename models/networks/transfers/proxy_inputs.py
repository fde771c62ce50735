"""What cheap predictors of transfer look at: pooled representations and pooled labels of a few
hundred training samples. No network is run or trained.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from models.tasks import TASKS

CELLS = 4  # representations are averaged to CELLS x CELLS cells, label maps to twice that


def proxy_inputs(
    store, representations, target: str, sources: Iterable[str], *, split: str, limit: int = 200
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """(source -> [sample, d] float32, labels [sample, k] float32) of at most `limit` samples of
    `target` in `split`, evenly spaced.

    Samples of several views have their views' representations side by side.
    """
    samples = store.samples(target, split)
    chosen = np.unique(
        np.linspace(0, len(samples.views) - 1, min(limit, len(samples.views))).astype(int)
    )
    views = np.asarray(samples.views)[chosen]
    features = {
        source: pooled(np.asarray(representations.read(source, split)), CELLS)[views].reshape(
            len(views), -1
        )
        for source in sources
    }
    return features, label_features(
        TASKS[target],
        np.asarray(samples.target[chosen], "float32"),
        np.asarray(samples.mask[chosen], "float32"),
    )


def label_features(task, target: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """[sample, k] float32: vectors and class probabilities as they are; maps averaged over cells
    where the mask holds; class ids as shares of each class; segment ids, which mean nothing by
    themselves, as the density of their borders.
    """
    if target.ndim == 2:
        return target * mask.reshape(len(mask), -1)[:, :1]
    if task.output.kind == "embedding":
        borders = np.zeros_like(target)
        borders[:, 1:] += target[:, 1:] != target[:, :-1]
        borders[:, :, 1:] += target[:, :, 1:] != target[:, :, :-1]
        target = borders
    elif task.output.kind == "pixel_classes" and target.shape[-1] == 1:
        target = (target == np.arange(task.output.channels)).astype("float32")
    valid = (mask > 0).astype("float32")
    cells = min(2 * CELLS, target.shape[1])
    return (pooled(target * valid, cells) / np.maximum(pooled(valid, cells), 1e-3)).reshape(
        len(target), -1
    )


def pooled(maps: np.ndarray, cells: int) -> np.ndarray:
    """[n, h, w, c] -> [n, cells, cells, c] float32 means; sides that are no multiple lose their
    last rows and columns; smaller maps stay as they are.
    """
    maps = np.asarray(maps, "float32")
    count, height, width, channels = maps.shape
    if height <= cells:
        return maps
    step = height // cells
    maps = maps[:, : step * cells, : width // cells * cells]
    return maps.reshape(count, cells, step, cells, width // cells, channels).mean((2, 4))
