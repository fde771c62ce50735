"""Computes a bundle's losses on a label store's test samples, and its costs, which a gate compares
with those of the served version.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from models.examples.label_store import LabelStore
from models.examples.task_samples import evenly
from models.tasks import TASKS, building_of
from models.tasks.arrays import Array, Bytes, Floats
from serving.bundle.assets import read_extras
from serving.server.session import Version

SAMPLES = 256  # test samples a target, at most
BATCH = 16  # views a question
# Repetitions of one batch, of which the quickest counts: the slower ones say what else the machine
# did.
TIMED = 7


@dataclass(frozen=True)
class Bundle:
    """A bundle in a TensorFlow session of this process; a `with` block closes it. contract,
    lineage: from the bundle's assets.
    """

    folder: Path
    contract: dict[str, Any]
    lineage: dict[str, Any]
    version: Version

    @classmethod
    def open(cls, folder: str | Path) -> Self:
        """Opens a session on the bundle in `folder`. Raises OSError or ValueError for a bundle
        without assets, and what TensorFlow raises for a broken graph.
        """
        contract, lineage = read_extras(folder)
        return cls(Path(folder), contract, lineage, Version(Path(folder), 1))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.version.close()

    @property
    def size(self) -> int:
        """Side of the pictures, pixels."""
        return int(self.contract["size"])

    @property
    def targets(self) -> set[str]:
        """Names of the tasks that the bundle answers."""
        return set(self.contract["tasks"])

    @property
    def mib(self) -> float:
        """Size of the bundle's files on the disk, MiB."""
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        return sum(path.stat().st_size for path in files) / 2**20

    def answers(self, pictures: Floats, names: Iterable[str]) -> dict[str, Array]:
        """Returns the answers of the targets `names` as their networks give them, by target.
        pictures: float [N, S, S, 3] in [0, 1], or [N, k, S, S, 3] for targets about k views.
        """
        ending = "" if pictures.ndim == 4 else f"_{pictures.shape[1]}"
        # sorted: one set of outputs, compiled once
        return self.version.run(f"images{ending}", {"images": pictures}, sorted(names))

    def whitening(self, name: str) -> tuple[Array, Array]:
        """Returns (mean, deviation), [K] each, that a target's numbers are whitened by; (0, 1)
        where they are not.
        """
        mean, deviation = self.contract["tasks"][name].get("whitening", (0.0, 1.0))
        return np.asarray(mean), np.asarray(deviation)


def losses(bundle: Bundle, store: LabelStore, name: str) -> Floats:
    """Returns the losses of a bundle on at most SAMPLES test samples of a target, float [n], by the
    target's own loss. Vectors are compared in the store's whitening.
    """
    from models.networks.losses.losses import image_losses

    entry, samples = TASKS[name], store.samples(name, "test")
    rows = evenly(len(samples), SAMPLES)
    parts = []
    for start in range(0, len(rows), BATCH):
        some = rows[start : start + BATCH]
        pictures, target, mask = samples.take(some, store.images("test"))
        answer = bundle.answers(scaled(pictures), [name])[name]
        if entry.output.kind == "vector":
            # a candidate may be whitened by other data: losses are compared in the store's terms
            answer = change_whitening(answer, bundle.whitening(name), store.whitening(name))
        parts.append(image_losses(entry.loss, target, mask, answer))
    return np.concatenate(parts)


def scaled(pictures: Bytes) -> Floats:
    """Returns pictures as a signature takes them: uint8 [N, k, S, S, 3] become float32 in [0, 1],
    without the axis of views where there is one view a sample.
    """
    values = pictures.astype("float32") / 255
    return values[:, 0] if values.shape[1] == 1 else values


def change_whitening(answer: Array, own: tuple[Array, Array], other: tuple[Array, Array]) -> Array:
    """Converts an answer [..., K] that is whitened by `own` (mean, deviation) to one that is
    whitened by `other`.
    """
    return (answer * own[1] + own[0] - other[0]) / other[1]


def buildings(store: LabelStore, name: str) -> list[str]:
    """Returns the building of every sample of which `losses` has a loss, in its order."""
    samples, keys = store.samples(name, "test"), store.views("test")
    # the first view stands for a sample of several: they are of one building
    views = np.asarray(samples.views)[evenly(len(samples), SAMPLES), 0]
    return [building_of(keys[view]) for view in views.tolist()]


def batch_seconds(bundles: Iterable[Bundle], store: LabelStore) -> list[float]:
    """Returns the seconds that each bundle takes for a batch of test views, for all targets about
    one view that every bundle has. They are asked in turn, so that a busy machine is busy for each.
    """
    bundles = list(bundles)
    shared = set.intersection(*(bundle.targets for bundle in bundles))
    names = [name for name in shared if TASKS[name].images == 1]
    pictures = scaled(np.asarray(store.images("test")[:BATCH])[:, None])
    seconds: list[list[float]] = [[] for _ in bundles]
    for _ in range(TIMED):
        for i, bundle in enumerate(bundles):
            # `perf_counter`: single batches take milliseconds
            since = time.perf_counter()
            bundle.answers(pictures, names)
            seconds[i].append(time.perf_counter() - since)
    # the quickest: everything that is slower was the machine's doing
    return [min(row) for row in seconds]
