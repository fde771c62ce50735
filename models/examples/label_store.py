"""Every label decoded once: memory-mapped images, samples, targets and masks that all networks and
transfers share.

The store is a ledger, a folder a task: each holds the address of what it was made of (the manifest
of the examples, what its entry says, the code of its target function), so that one more task, or an
edit of one target function, makes that task's labels and no others.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.examples.example import parse_view, records
from models.examples.splits import SPLITS
from models.provenance.address import address_of
from models.provenance.atomic import atomic_folder, write_json
from models.tasks import TASKS, Camera, Task, View, ViewKey
from models.tasks.addressing import rows_of, settings_of
from models.tasks.arrays import Array, Bytes, Floats, Integers
from models.tasks.samples import samples
from models.tasks.targets import target

PARTS = ("views", "target", "mask")
IMAGES = "images"


@dataclass(frozen=True)
class TaskSamples:
    """views [m, images] int32 positions in `LabelStore.images`; target [m, ...]; mask [m, S, S, 1]
    or [m], float16.
    """

    views: Integers
    target: Floats
    mask: Floats

    def __len__(self) -> int:
        return len(self.views)


class LabelStore:
    """A store that `build_label_store` has written; arrays are memory-mapped, nothing is copied
    until it is used.
    """

    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory)
        described = self.directory / IMAGES / "images.json"
        if not described.exists():
            raise FileNotFoundError(
                f"no label store at {directory}: build_label_store(examples, directory) makes one "
                "(an earlier layout, with store.json, is not read: run the pipeline again)"
            )
        self._images: dict[str, Any] = json.loads(described.read_text())
        self._tasks: dict[str, dict[str, Any]] = {}

    @property
    def size(self) -> int:
        """side of the images in pixels."""
        return int(self._images["size"])

    @property
    def manifest(self) -> str:
        """hash of the manifest of the examples that the store was made of."""
        return str(self._images["manifest"])

    @property
    def views_address(self) -> str:
        """16 hex digits: changes with the views and with how their images are decoded."""
        return str(self._images["address"])

    def address(self, task: str) -> str:
        """16 hex digits: changes with what the labels of one task are made of, and with nothing of
        other tasks. Raises LookupError for a task that the store does not hold.
        """
        facts = self._facts(task)
        if not facts:
            raise LookupError(f"the store at {self.directory} holds no labels of {task}")
        return str(facts["address"])

    def views(self, split: str) -> list[str]:
        """keys of the views of a split, in the order of `images`."""
        return list(self._images["views"][split])

    def images(self, split: str) -> Bytes:
        """uint8 [n, S, S, 3]."""
        array: Bytes = np.load(self.directory / IMAGES / f"{split}.npy", mmap_mode="r")
        return array

    def has(self, task: str) -> bool:
        """does every split hold samples of the task?"""
        counts = self._facts(task).get("samples", {})
        return all(counts.get(split, 0) > 0 for split in SPLITS)

    def samples(self, task: str, split: str) -> TaskSamples:
        """Raises LookupError if the split holds no labelled sample of the task."""
        if not self._facts(task).get("samples", {}).get(split, 0):
            labels = ", ".join(TASKS[task].labels) if task in TASKS else "unknown task"
            raise LookupError(
                f"no {split} view carries the labels of {task} ({labels}); "
                "leave the task out or add views with the label"
            )
        folder = self.directory / task
        arrays = [np.load(folder / f"{split}.{part}.npy", mmap_mode="r") for part in PARTS]
        return TaskSamples(*arrays)

    def sample_names(self, task: str, split: str) -> list[str]:
        """a name a sample: the keys of its views joined by +."""
        keys = self.views(split)
        return ["+".join(keys[i] for i in row) for row in self.samples(task, split).views]

    def whitening(self, task: str) -> tuple[Array, Array]:
        """mean and standard deviation of a vector task's train targets, before whitening; (0, 1)
        for tasks that are not whitened.
        """
        mean, deviation = self._facts(task).get("whitening") or (0.0, 1.0)
        return np.asarray(mean), np.asarray(deviation)

    def _facts(self, task: str) -> dict[str, Any]:
        """labels.json of a task, {} if the store has none of it."""
        if task not in self._tasks:
            described = self.directory / task / "labels.json"
            self._tasks[task] = json.loads(described.read_text()) if described.exists() else {}
        return self._tasks[task]


def build_label_store(
    examples: str,
    directory: str | Path,
    *,
    seed: int,
    max_samples: int,
    tasks: Mapping[str, Task] = TASKS,
) -> LabelStore:
    """decode the Examples artifact at `examples` for all `tasks`; what is there of the same address
    is kept, what is there of other tasks is left alone.

    max_samples: most samples of a multi-view task and split. Each task appears whole or not at all.
    """
    directory = Path(directory)
    manifest = json.loads((Path(examples) / "manifest.json").read_text())
    trained = [entry for entry in tasks.values() if entry.trained]
    wanted = {
        entry.name: labels_address(entry, manifest["hash"], seed, max_samples) for entry in trained
    }
    images = address_of(write_images, inputs=manifest["hash"])
    missing = [entry for entry in trained if not there(directory / entry.name, wanted[entry.name])]
    if missing or not there(directory / IMAGES, images):
        views = {split: read_views(examples, split) for split in SPLITS}
        if not there(directory / IMAGES, images):
            write_images(directory / IMAGES, views, images, manifest)
        for entry in missing:
            facts = {"address": wanted[entry.name]}
            write_labels(directory / entry.name, entry, views, facts, seed, max_samples)
    return LabelStore(directory)


def labels_address(entry: Task, manifest: str, seed: int, max_samples: int) -> str:
    """16 hex digits of one task's labels."""
    return address_of(
        write_labels,
        inputs=[manifest, seed, max_samples],
        settings=settings_of(entry),
        choices=rows_of(entry),
    )


def there(folder: Path, address: str) -> bool:
    """does a folder of the store hold what the address says?"""
    described = folder / ("images.json" if folder.name == IMAGES else "labels.json")
    return described.exists() and json.loads(described.read_text()).get("address") == address


def read_views(examples: str, split: str) -> list[View]:
    """all views of a split, in order of their keys."""
    return sorted((parse_view(record) for record in records(examples, split)), key=key_of)


def key_of(view: View) -> ViewKey:
    return view.key


def write_images(
    folder: Path, views: Mapping[str, Sequence[View]], address: str, manifest: Mapping[str, Any]
) -> None:
    """the images of all splits, and which views they are."""
    facts = {
        "address": address,
        "size": manifest["size"],
        "manifest": manifest["hash"],
        "views": {split: [str(view.key) for view in views[split]] for split in SPLITS},
    }
    with atomic_folder(folder) as scratch:
        for split in SPLITS:
            np.save(scratch / f"{split}.npy", np.stack([view.rgb for view in views[split]]))
        write_json(scratch / "images.json", facts)


def write_labels(
    folder: Path,
    entry: Task,
    views: Mapping[str, Sequence[View]],
    facts: dict[str, Any],
    seed: int,
    limit: int,
) -> None:
    """one task's samples of all splits. Whitening statistics come from the first split, train."""
    facts = {**facts, "samples": {}, "whitening": None}
    with atomic_folder(folder) as scratch:
        for split in SPLITS:
            data = decoded(entry, views[split], seed, limit)
            facts["samples"][split] = 0 if data is None else len(data)
            if data is None:
                continue
            values = data.target
            if entry.whitened:
                facts["whitening"] = facts["whitening"] or statistics(values)
                mean, deviation = facts["whitening"]
                values = (values - mean) / deviation
            np.save(scratch / f"{split}.views.npy", data.views)
            np.save(scratch / f"{split}.target.npy", values.astype(entry.output.facts.stored))
            np.save(scratch / f"{split}.mask.npy", data.mask.astype("float16"))
        write_json(scratch / "labels.json", facts)


def statistics(values: Floats) -> list[list[float]]:
    """[mean, deviation] a channel, the deviation at least 0.001."""
    return [values.mean(0).tolist(), np.maximum(values.std(0), 1e-3).tolist()]


def decoded(entry: Task, views: Sequence[View], seed: int, limit: int) -> TaskSamples | None:
    """the labelled samples of one task among the views of a split, targets not whitened; None if
    there are none.
    """
    name = zlib.crc32(entry.name.encode())
    most = max(limit, len(views)) if entry.images == 1 else limit
    draw = np.random.default_rng([seed, name])
    keys = [view.key for view in views]
    rows = samples(entry, keys, cameras_of(views), draw, most)
    labelled = []
    for row in rows:
        random = np.random.default_rng([seed, name, *row.tolist()])
        label = target(entry, [views[i] for i in row], random)
        if label is not None and np.any(label[1] > 0):
            labelled.append((row, *label))
    if not labelled:
        return None
    positions, values, masks = (np.stack(part) for part in zip(*labelled))
    return TaskSamples(positions.astype("int32"), values, masks)


def cameras_of(views: Sequence[View]) -> dict[ViewKey, Camera]:
    """the cameras that are known."""
    return {view.key: view.camera for view in views if view.camera is not None}
