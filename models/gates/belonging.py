"""Checks whether labels belong to their pictures. A cheap predictor, ridge on pooled pixels, learns
a task's labels on training buildings; on other buildings its answer to a picture must fit this
picture's label better than labels of other pictures. Labels that changed places, and labels that
are noise, fit no better.
"""

from __future__ import annotations

import numpy as np

from models.examples.label_store import LabelStore
from models.examples.task_samples import evenly
from models.gates import summaries
from models.tasks import Task, building_of
from models.tasks.arrays import Array, Floats

# Samples that teach, and held-out samples that judge.
TAUGHT = 512
JUDGED = 128
SHUFFLES = 200
# Samples that are read at a time.
CHUNK = 16
RIDGE = 10.0
# What `fit_of` returns: {"samples", "loss", "shuffled", "z"}, plain numbers.
Belonging = dict[str, float]


def of_task(store: LabelStore, task: Task, cells: PictureCells) -> Belonging | None:
    """Returns how well a task's labels fit their pictures; None with fewer than three samples to
    learn from or to judge.
    """
    features, target, weight, _ = rows_of(store, task, "train", TAUGHT, cells)
    judged = [rows_of(store, task, split, JUDGED // 2, cells) for split in ("val", "test")]
    others, truth, mask, places = (np.concatenate(part) for part in zip(*judged))
    if len(truth) < 3 or len(target) < 3:
        return None
    if target.shape[-1] > summaries.CLASSES:
        largest = np.argsort(target.reshape(-1, target.shape[-1]).var(0))[-summaries.CLASSES :]
        target, truth = target[..., largest], truth[..., largest]
    answer = predicted(features, target, weight, others)
    return fit_of(answer, truth, mask, places)


class PictureCells:
    """What the predictor sees of the views of a store, computed once a view."""

    def __init__(self, store: LabelStore) -> None:
        self.store = store
        self.cache: dict[tuple[str, int], Floats] = {}

    def of(self, split: str, views: Array) -> Floats:
        """Returns [n, cells, cells, 7] of some views: means and deviations of colours, edges of
        brightness.
        """
        return np.stack([self.one(split, int(view)) for view in views])

    def one(self, split: str, view: int) -> Floats:
        """Returns [cells, cells, 7] of one view, from the cache if it is there."""
        if (split, view) not in self.cache:
            image = np.asarray(self.store.images(split)[view], "float64")[None] / 255
            mean = summaries.pooled(image)
            deviation = np.sqrt(np.maximum(summaries.pooled(image**2) - mean**2, 0))
            grey = image.mean(-1, keepdims=True)
            edges = np.abs(np.diff(grey, axis=1, append=grey[:, -1:])) + np.abs(
                np.diff(grey, axis=2, append=grey[:, :, -1:])
            )
            cells = np.concatenate([mean, deviation, summaries.pooled(edges)], -1)[0]
            self.cache[split, view] = cells
        return self.cache[split, view]


def rows_of(
    store: LabelStore, task: Task, split: str, limit: int, cells: PictureCells
) -> tuple[Floats, Floats, Floats, Array]:
    """Returns (features [n, cells, f], target [n, cells, k], weight [n, cells, 1], building [n]) of
    a split; one cell where the label is no map.
    """
    samples = store.samples(task.name, split)
    rows = evenly(len(samples), limit)
    views = np.asarray(samples.views[rows])
    parts = [
        summaries.in_cells(task, *samples.labels(some))
        for some in np.array_split(rows, max(1, len(rows) // CHUNK))
    ]
    target, weight = (np.concatenate(part) for part in zip(*parts))
    keys = store.views(split)
    places = np.array([building_of(keys[i]) for i in views[:, 0].tolist()])
    pictures = [cells.of(split, views[:, i]) for i in range(views.shape[1])]
    if task.output.dense:
        return around(pictures[0]), target, weight, places
    whole = np.concatenate([picture.reshape(len(rows), -1) for picture in pictures], -1)
    return whole[:, None], target, weight, places


def around(cells: Floats) -> Floats:
    """Converts cells [n, s, s, f] to features [n, s * s, 10 f + 5]: every cell with its eight
    neighbours, the mean of its picture, and its place.
    """
    count, side, _, width = cells.shape
    padded = np.pad(cells, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    near = [padded[:, i : i + side, j : j + side] for i in range(3) for j in range(3)]
    picture = np.broadcast_to(cells.mean((1, 2), keepdims=True), cells.shape)
    y, x = np.mgrid[:side, :side] / max(1, side - 1) - 0.5
    place = np.stack([x, y, x * x, y * y, x * y], -1)
    places = np.broadcast_to(place, (count, side, side, 5))
    return summaries.flat(np.concatenate([*near, picture, places], -1))


def predicted(features: Floats, target: Floats, weight: Floats, others: Floats) -> Floats:
    """Returns answers [m, cells, k] to `others`, by ridge regression of the weighted rows on
    standardised features.
    """
    width, channels = features.shape[-1], target.shape[-1]
    x, y = features.reshape(-1, width), target.reshape(-1, channels)
    w = weight.reshape(-1, 1)
    total = max(float(w.sum()), 1e-9)
    middle, level = (w * x).sum(0) / total, (w * y).sum(0) / total
    scale = np.sqrt((w * (x - middle) ** 2).sum(0) / total) + 1e-6
    x, y = (x - middle) / scale, y - level
    new = (others.reshape(-1, width) - middle) / scale
    if width <= len(x):
        gram = (x * w).T @ x + RIDGE * np.eye(width)
        answer = new @ np.linalg.solve(gram, (x * w).T @ y)
    else:  # fewer rows than features: the same ridge, by the rows' own products
        root = np.sqrt(w)
        rows = root * x
        gram = rows @ rows.T + RIDGE * np.eye(len(x))
        answer = (new @ rows.T) @ np.linalg.solve(gram, root * y)
    return np.asarray((answer + level).reshape(*others.shape[:2], channels))


def fit_of(answer: Floats, truth: Floats, cells: Floats, places: Array) -> Belonging:
    """Returns how well answers fit the labels of their own pictures: samples, their number; loss,
    mean squared error a known cell; shuffled, the same when labels are dealt out at random among
    the held-out pictures of a building (buildings differ in ways that pictures do not show); z, by
    how many deviations of `SHUFFLES` such deals the true one is better. The draws are always the
    same ones. answer, truth: [n, cells, k]; cells: [n, cells, 1], weights; places: [n], buildings.
    """
    count = len(truth)
    scale = truth.reshape(-1, truth.shape[-1]).std(0)
    # otherwise a number that hardly varies would weigh most
    scale = np.maximum(scale, 0.1 * scale.max() + 1e-9)
    weight = np.broadcast_to(cells, truth.shape).reshape(count, -1)
    answers, label = (answer / scale).reshape(count, -1), (truth / scale).reshape(count, -1)
    # [answer, label]: the loss of every answer against every label.
    # |answer - label|^2, multiplied out: one product of matrices for all pairs
    table = answers**2 @ weight.T - 2 * answers @ (weight * label).T + (weight * label**2).sum(1)
    table = table / np.maximum(weight.sum(1), 1e-9)
    rows = np.arange(count)
    random = np.random.default_rng(0)
    deals = np.array([table[rows, dealt(places, random)].mean() for _ in range(SHUFFLES)])
    loss = float(table[rows, rows].mean())
    spread = max(float(deals.std()), 1e-9)
    return {
        "samples": float(count),
        "loss": loss,
        "shuffled": float(deals.mean()),
        "z": float((deals.mean() - loss) / spread),
    }


def dealt(places: Array, random: np.random.Generator) -> Array:
    """Returns [n], positions in random order, each one exchanged only with others of its place."""
    rows = np.arange(len(places))
    for place in np.unique(places):
        own = np.flatnonzero(places == place)
        rows[own] = random.permutation(own)
    return rows
