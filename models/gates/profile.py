"""Describes the labels of a data set in numbers, task by task and split by split; a later data set
is compared with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from models.examples.label_store import LabelStore
from models.examples.splits import SPLITS
from models.examples.task_samples import evenly
from models.gates import belonging, summaries
from models.tasks import TASKS, Task, building_of
from models.tasks.arrays import Array, Floats

# Samples of a task and split that are looked at, spread evenly.
LIMIT = 512
# Samples that are read at a time: shares of classes at 256 pixels a side take 9 MB each.
CHUNK = 16
IMAGES = "images"
# {task: {split: row}} of JSON values, with "belongs" beside the splits.
Profile = dict[str, dict[str, Any]]


def profile(store: LabelStore, limit: int = LIMIT) -> Profile:
    """Returns the profile of all tasks of the store whose labels somebody gave, and of the pictures
    themselves (`images`), from which all other labels follow.

    A split's row: samples; buildings; mean, deviation [k] of `summaries.of_samples`; by_building
    {name: [k]}; masked (share without weight); of maps constant (share) and smoothness (median).
    belongs: `belonging.Belonging` of the task's labels, where enough is known.
    """
    rows: Profile = {IMAGES: {split: of_images(store, split, limit) for split in SPLITS}}
    cells = belonging.PictureCells(store)
    for name, task in TASKS.items():
        if set(task.labels) - {"rgb"} and store.has(name):
            rows[name] = {split: of_split(store, task, split, limit) for split in SPLITS}
            fit = belonging.of_task(store, task, cells)
            rows[name] |= {"belongs": fit} if fit else {}
    return rows


def of_images(store: LabelStore, split: str, limit: int) -> dict[str, Any]:
    images, keys = store.images(split), store.views(split)
    rows = evenly(len(keys), limit)
    means = [np.asarray(images[i], "float64").mean((0, 1)) / 255 for i in rows.tolist()]
    return described(np.array(means), [building_of(keys[i]) for i in rows.tolist()], len(keys))


def of_split(store: LabelStore, task: Task, split: str, limit: int) -> dict[str, Any]:
    """Returns one task's row of a split."""
    samples, keys = store.samples(task.name, split), store.views(split)
    rows = evenly(len(samples), limit)
    parts: list[Floats] = []
    masked: list[Floats] = []
    smooth: list[Floats] = []
    constant: list[Array] = []
    mean, deviation = store.whitening(task.name)
    for start in range(0, len(rows), CHUNK):
        some = rows[start : start + CHUNK]
        target, mask = (np.asarray(part, "float32") for part in samples.labels(some))
        # As it is measured: whitened numbers of a training split always have mean 0.
        value = target * deviation + mean if task.whitened else target
        parts.append(summaries.of_samples(task, value, mask))
        masked.append((mask <= 0).reshape(len(some), -1).mean(1))
        if task.output.dense:
            smooth.append(summaries.smoothness(task, target, mask))
            constant.append(summaries.is_constant(task, target, mask))
    values = np.concatenate(parts)
    places = [building_of(keys[i]) for i in np.asarray(samples.views[rows])[:, 0].tolist()]
    row = described(values, places, len(samples))
    row["masked"] = float(np.concatenate(masked).mean())
    if task.output.dense:
        agreed = np.concatenate(smooth)
        agreed = agreed[np.isfinite(agreed)]
        row["constant"] = float(np.concatenate(constant).mean())
        row["smoothness"] = float(np.median(agreed)) if len(agreed) else None
    return row


def described(values: Floats, places: Sequence[str], count: int) -> dict[str, Any]:
    """Returns the row of a split that is made of its values. values: [n, k]; places: building of
    every row; count: of all samples, seen or not.
    """
    if values.shape[1] > summaries.CLASSES * 4:  # logits and probabilities of many classes
        values = likeliest(values)
    return {
        "samples": count,
        "mean": numbers(mean_of(values)),
        "deviation": numbers(np.sqrt(mean_of((values - mean_of(values)) ** 2))),
        "by_building": {
            place: numbers(mean_of(values[[each == place for each in places]]))
            for place in sorted(set(places))
        },
    }


def likeliest(values: Floats) -> Floats:
    """Converts scores [n, classes] to [n, CLASSES] shares: the likeliest class, by its id modulo
    CLASSES. NaN where scores are unknown.
    """
    finite = np.isfinite(values).all(1)
    ids = np.where(finite, np.nan_to_num(values).argmax(1) % summaries.CLASSES, 0)
    return np.where(finite[:, None], np.eye(summaries.CLASSES)[ids], np.nan)


def mean_of(values: Floats) -> Floats:
    """Returns [k], the mean of the rows that are known; NaN if none is."""
    finite = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        means: Floats = np.where(finite, values, 0).sum(0) / finite.sum(0)
    return means


def numbers(values: Floats) -> list[float | None]:
    """Returns values [n] for JSON, which has no NaN: None in its place."""
    return [float(value) if np.isfinite(value) else None for value in values]


def array_of(row: Sequence[float | None]) -> Floats:
    """Returns the array [n] of what `numbers` made: NaN for None."""
    return np.array([np.nan if value is None else value for value in row], float)


def splits_of(rows: Mapping[str, Any]) -> list[str]:
    """Returns the splits that a task's rows are of."""
    return [split for split in SPLITS if split in rows]
