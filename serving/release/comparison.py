"""A bundle's losses on a label store's test samples, and what it costs: what a gate compares with
the same of the served version.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.examples.label_store import LabelStore
from models.examples.task_samples import evenly
from models.tasks import TASKS, building_of
from models.tasks.arrays import Array, Bytes, Floats
from serving.bundle.assets import read_extras
from serving.server.session import Version

SAMPLES = 256
# Views that are asked at a time.
BATCH = 16
# Repetitions of one batch, of which the quickest counts: others only say what else the machine did.
TIMED = 7


@dataclass(frozen=True)
class Bundle:
    """A bundle in a session of this process. contract, lineage: of its assets."""

    folder: Path
    contract: dict[str, Any]
    lineage: dict[str, Any]
    version: Version

    @classmethod
    def opened(cls, folder: str | Path) -> Bundle:
        contract, lineage = read_extras(folder)
        return cls(Path(folder), contract, lineage, Version(Path(folder), 1))

    @property
    def size(self) -> int:
        """side of the pictures in pixels."""
        return int(self.contract["size"])

    @property
    def targets(self) -> set[str]:
        return set(self.contract["tasks"])

    @property
    def mib(self) -> float:
        """of graph and weights on the disk."""
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        return sum(path.stat().st_size for path in files) / 2**20

    def answers(self, pictures: Floats, names: Iterable[str]) -> dict[str, Array]:
        """target -> answers as its network gives them. pictures: float [N, S, S, 3] in [0, 1], or
        [N, k, S, S, 3] for targets about k views.
        """
        ending = "" if pictures.ndim == 4 else f"_{pictures.shape[1]}"
        # sorted: one set of outputs, compiled once
        return self.version.run(f"images{ending}", {"images": pictures}, sorted(names))

    def whitening(self, name: str) -> tuple[Array, Array]:
        mean, deviation = self.contract["tasks"][name].get("whitening", (0.0, 1.0))
        return np.asarray(mean), np.asarray(deviation)


def losses(bundle: Bundle, store: LabelStore, name: str) -> Floats:
    """[n] of at most SAMPLES of a target's test samples, by its own loss, vectors in the store's
    whitening.
    """
    from models.networks.losses.losses import image_losses

    entry, samples = TASKS[name], store.samples(name, "test")
    rows = evenly(len(samples), SAMPLES)
    parts = []
    for start in range(0, len(rows), BATCH):
        some = rows[start : start + BATCH]
        pictures, target, mask = samples.take(some, store.images("test"))
        answer = bundle.answers(as_asked(pictures), [name])[name]
        if entry.output.kind == "vector":
            # a candidate may be whitened by other data: losses are compared in the store's terms
            answer = rewhitened(answer, bundle.whitening(name), store.whitening(name))
        parts.append(image_losses(entry.loss, target, mask, answer))
    return np.concatenate(parts)


def as_asked(pictures: Bytes) -> Floats:
    """uint8 [N, k, S, S, 3] -> float32 in [0, 1]; [N, S, S, 3] of one view a sample."""
    values = pictures.astype("float32") / 255
    return values[:, 0] if values.shape[1] == 1 else values


def rewhitened(answer: Array, own: tuple[Array, Array], other: tuple[Array, Array]) -> Array:
    """an answer whitened by `own` (mean, deviation), whitened by `other`."""
    return (answer * own[1] + own[0] - other[0]) / other[1]


def places(store: LabelStore, name: str) -> list[str]:
    """the building of every sample that `losses` asks."""
    samples, keys = store.samples(name, "test"), store.views("test")
    # the first view stands for a sample of several: they are of one building
    views = np.asarray(samples.views)[evenly(len(samples), SAMPLES), 0]
    return [building_of(keys[view]) for view in views.tolist()]


def seconds(bundles: Iterable[Bundle], store: LabelStore) -> list[float]:
    """what each takes to answer a batch of test views, all targets about one view that all have;
    asked in turn, so that a busy machine is busy for each.
    """
    bundles = list(bundles)
    shared = set.intersection(*(bundle.targets for bundle in bundles))
    names = [name for name in shared if TASKS[name].images == 1]
    pictures = as_asked(np.asarray(store.images("test")[:BATCH])[:, None])
    taken: list[list[float]] = [[] for _ in bundles]
    for _ in range(TIMED):
        for i, bundle in enumerate(bundles):
            # `perf_counter`: single batches take milliseconds
            since = time.perf_counter()
            bundle.answers(pictures, names)
            taken[i].append(time.perf_counter() - since)
    # the quickest: everything that is slower was the machine's doing
    return [min(row) for row in taken]
