"""The best constant answers, which every network starts from and is compared with."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from models.examples.label_store import LabelStore, TaskSamples
from models.examples.label_sums import strongest, summed
from models.networks.architecture.heads import composes_poses
from models.networks.config import NetworkConfig
from models.networks.losses.losses import image_losses
from models.networks.training.batch_maker import colour_weights, rebalanced_mask
from models.tasks import Task
from models.tasks.arrays import Floats, Integers

# Samples at a time: of thousands of views at once, targets are gigabytes.
CHUNK = 256


@dataclass(frozen=True)
class Known:
    """The labels that a constant is made of: `rows` of the samples of a split, all if None."""

    split: str = "train"
    rows: Integers | None = None


TRAINING = Known()


def has_labels(store: LabelStore, task: Task, split: str) -> bool:
    """Returns whether any sample of a task in a split has any weight."""
    try:
        data = store.samples(task.name, split)
    except LookupError:
        return False
    # comes back at the first, which has: a store keeps no sample without weight
    return any(np.any(data.mask[i : i + CHUNK]) for i in range(0, len(data), CHUNK))


def average_losses(task: Task, store: LabelStore, known: Known = TRAINING) -> Floats:
    """Returns the test losses [sample] of the best constant answer to `known` labels."""
    test = store.samples(task.name, "test")
    answer = average_answer(task, store, known=known)
    parts = []
    for target, mask in chunks(test, size=64):
        constant = np.broadcast_to(answer, (len(target), *answer.shape[1:]))
        parts.append(image_losses(task.loss, target, mask, constant))
    return np.concatenate(parts)


def balance(task: Task, store: LabelStore, config: NetworkConfig) -> Floats | None:
    """Returns weights [bin] of colours where the recipe rebalances them, else None."""
    published = config.recipe == "published" and task.input == "lightness"
    return colour_weights(strongest_colours(task, store)) if published else None


def strongest_colours(task: Task, store: LabelStore) -> Integers:
    """Counts, [bins] int64, in how many pixels of train samples a bin is the strongest colour."""
    sums = store.sums(task.name)
    if sums is not None and sums.strongest is not None:
        return sums.strongest
    counts = np.zeros(task.output.channels, "int64")
    for target, _ in chunks(store.samples(task.name, "train")):
        counts += strongest(target)
    return counts


def average_answer(
    task: Task, store: LabelStore, weights: Floats | None = None, known: Known = TRAINING
) -> Floats:
    """Returns the best constant answer, [1, ...] float32: the known targets' mean (maps, vectors),
    log frequencies (classes), one point for all pixels (embeddings).
    """
    data = store.samples(task.name, known.split)
    if not task.output.facts.averaged:
        return np.zeros((1, *data.target.shape[1:3], 1), "float32")
    # not `known == TRAINING`: rows are an array, which equals None number by number
    all_of_train = known.split == TRAINING.split and known.rows is None
    sums = store.sums(task.name) if weights is None and all_of_train else None
    if sums is None:
        parts = (summed(task, *chunk) for chunk in chunks(data, weights, rows=known.rows))
        # as they come: a map's sums are as large as a map, and there is one a chunk
        sums = functools.reduce(operator.add, parts)
    total, weight = sums.total, sums.weight
    if task.loss == "weighted_cross_entropy":
        # a class that never occurs would have a logit of minus infinity
        shares = np.log(total / weight + 1e-4).astype("float32")
        return np.broadcast_to(shares, (1, *data.target.shape[1:3], task.output.channels))
    if task.loss == "soft_cross_entropy":
        return np.asarray(np.log(total / np.maximum(weight, 1e-6) + 1e-5)[None], "float32")
    # a place that no sample knows is answered by 0
    return np.asarray((total / np.maximum(weight, 1e-3))[None], "float32")


def standardises(task: Task, config: NetworkConfig) -> bool:
    """Returns whether the shared recipe learns a task's numbers standardised."""
    numbers = task.output.facts.numbers
    return config.recipe == "shared" and numbers and not composes_poses(task, config)


def standard_of(
    task: Task, store: LabelStore, config: NetworkConfig, known: Known = TRAINING
) -> tuple[Floats, Floats] | None:
    """Returns (mean, deviation) [channels] float32 of a task's known targets where it
    `standardises`, else None.
    """
    if not standardises(task, config):
        return None
    channels = task.output.channels
    sums = np.zeros((3, channels))
    for target, mask in chunks(store.samples(task.name, known.split), None, rows=known.rows):
        target = target.astype("float64")
        mask = mask.astype("float64")
        # a vector's mask is one number a sample
        weight = np.broadcast_to(mask if mask.ndim == target.ndim else mask[:, None], target.shape)
        terms = (weight, weight * target, weight * target**2)
        sums += [term.reshape(-1, channels).sum(0) for term in terms]
    mean = sums[1] / sums[0]
    deviation = np.sqrt(np.maximum(sums[2] / sums[0] - mean**2, 1e-8))
    return mean.astype("float32"), deviation.astype("float32")


def chunks(
    data: TaskSamples,
    weights: Floats | None = None,
    size: int = CHUNK,
    rows: Integers | None = None,
) -> Iterator[tuple[Floats, Floats]]:
    """Yields (target, mask) float32 of at most `size` samples after the other; of all, or of
    `rows`.
    """
    size = data.at_a_time(size)
    for start in range(0, len(data) if rows is None else len(rows), size):
        part = slice(start, start + size) if rows is None else rows[start : start + size]
        target, mask = (np.asarray(values, "float32") for values in data.labels(part))
        yield target, mask if weights is None else rebalanced_mask(target, mask, weights)
