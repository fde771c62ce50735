"""What cheap predictors of transfer look at: pooled representations and pooled labels of a few
hundred training samples. No network is run or trained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from models.examples.label_store import LabelStore
from models.examples.task_samples import evenly
from models.networks.task_networks.representations import RepresentationStore
from models.tasks import DENSE, TASKS, Task, by_kind
from models.tasks.arrays import Array, Floats

CELLS = 4  # representations are averaged to CELLS x CELLS cells, label maps to twice that


def proxy_inputs(
    store: LabelStore,
    representations: RepresentationStore,
    target: str,
    sources: Iterable[str],
    *,
    split: str,
    limit: int = 200,
) -> tuple[dict[str, Floats], Floats]:
    """Returns (source -> [sample, d] float32, labels [sample, k] float32) of at most `limit`
    samples of `target` in `split`, evenly spaced.

    Samples of several views have their views' representations side by side.
    """
    samples = store.samples(target, split)
    count = len(samples.views)
    indices = evenly(count, limit)
    views = np.asarray(samples.views)[indices]
    # a view is read and pooled once, however many samples it stands in
    pictures, places = np.unique(views, return_inverse=True)
    # numpy 1 gives the inverse flat, numpy 2 in the views' own shape
    places = places.reshape(views.shape)
    features = {}
    for source in sources:
        cells = pooled(representations.read(source, split)[pictures], CELLS)
        features[source] = cells[places].reshape(len(views), -1)
    labels, mask = (np.asarray(part, "float32") for part in samples.labels(indices))
    return features, label_features(TASKS[target], labels, mask)


def label_features(task: Task, target: Floats, mask: Floats) -> Floats:
    """[sample, k] float32: vectors and class probabilities as they are; maps averaged over cells
    where the mask holds; class ids as shares of each class; segment ids, which mean nothing by
    themselves, as the density of their borders.
    """
    if not task.output.dense:
        return target * mask.reshape(len(mask), -1)[:, :1]
    maps = MAPS[task.output.kind](task, target)
    valid = (mask > 0).astype("float32")
    cells = min(2 * CELLS, maps.shape[1])
    means = pooled(maps * valid, cells) / np.maximum(pooled(valid, cells), 1e-3)
    return means.reshape(len(target), -1)


def pixel_map(task: Task, target: Floats) -> Floats:
    """Returns a map [n, S, S, C] as it is."""
    return target


def class_map(task: Task, target: Floats) -> Floats:
    """[m, S, S, classes]: shares, also where the label is an id."""
    if not task.labelled_by_ids:
        return target
    return (target == np.arange(task.output.channels)).astype("float32")


def border_map(task: Task, target: Floats) -> Floats:
    """Counts, [m, S, S, 1], how many of the upper and the left neighbour are of another segment."""
    borders = np.zeros_like(target)
    borders[:, 1:] += target[:, 1:] != target[:, :-1]
    borders[:, :, 1:] += target[:, :, 1:] != target[:, :, :-1]
    return borders


MAPS: dict[str, Callable[[Task, Floats], Floats]] = by_kind(
    "map that labels are averaged of",
    {"pixels": pixel_map, "pixel_classes": class_map, "embedding": border_map},
    DENSE,
)


def pooled(maps: Array, cells: int) -> Floats:
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
