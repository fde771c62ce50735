"""Every label decoded once: memory-mapped images, samples, targets and masks that all networks and
transfers share.
"""

from __future__ import annotations

import json
import os
import shutil
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.examples.example import parse_view, records
from models.examples.splits import SPLITS
from models.tasks import TASKS, Task, ViewKey
from models.tasks.samples import samples
from models.tasks.targets import target


@dataclass(frozen=True)
class TaskSamples:
    """views [m, images] int32 positions in `LabelStore.images`; target [m, ...]; mask [m, S, S, 1]
    or [m], float16.
    """

    views: np.ndarray
    target: np.ndarray
    mask: np.ndarray

    def __len__(self) -> int:
        return len(self.views)


class LabelStore:
    """A store that `build_label_store` has written; arrays are memory-mapped, nothing is copied
    until it is used.
    """

    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory)
        described = self.directory / "store.json"
        if not described.exists():
            raise FileNotFoundError(
                f"no label store at {directory}: build_label_store(examples, directory) makes one"
            )
        self.facts = json.loads(described.read_text())

    @property
    def size(self) -> int:
        """side of the images in pixels."""
        return self.facts["size"]

    @property
    def hash(self) -> str:
        """16 hex digits: changes with the views, the seed, and the sample limit."""
        return self.facts["hash"]

    def views(self, split: str) -> list[str]:
        """keys of the views of a split, in the order of `images`."""
        return self.facts["views"][split]

    def images(self, split: str) -> np.ndarray:
        """uint8 [n, S, S, 3]."""
        return np.load(self.directory / split / "images.npy", mmap_mode="r")

    def has(self, task: str) -> bool:
        """does every split hold samples of the task?"""
        return all(self.facts["samples"].get(task, {}).get(split, 0) > 0 for split in SPLITS)

    def samples(self, task: str, split: str) -> TaskSamples:
        """Raises LookupError if the split holds no labelled sample of the task."""
        if not self.facts["samples"].get(task, {}).get(split, 0):
            raise LookupError(
                f"no {split} view carries the labels of {task} "
                f"({', '.join(TASKS[task].labels) if task in TASKS else 'unknown task'}); "
                "leave the task out or add views with the label"
            )
        return TaskSamples(
            *(
                np.load(self.directory / split / f"{task}.{part}.npy", mmap_mode="r")
                for part in ("views", "target", "mask")
            )
        )

    def sample_names(self, task: str, split: str) -> list[str]:
        """a name a sample: the keys of its views joined by +."""
        keys = self.views(split)
        return ["+".join(keys[i] for i in row) for row in self.samples(task, split).views]

    def whitening(self, task: str) -> tuple[np.ndarray, np.ndarray]:
        """mean and standard deviation of a vector task's train targets, before whitening; (0, 1)
        for tasks that are not whitened.
        """
        mean, std = self.facts["whitening"].get(task, (0.0, 1.0))
        return np.asarray(mean), np.asarray(std)


def build_label_store(
    examples: str,
    directory: str | Path,
    *,
    seed: int,
    max_samples: int,
    tasks: Mapping[str, Task] = TASKS,
) -> LabelStore:
    """decode the Examples artifact at `examples` for all `tasks`; a complete store of the same
    content is kept.

    max_samples: most samples of a multi-view task and split. Written beside `directory` and renamed
    when complete.
    """
    directory = Path(directory)
    manifest = json.loads((Path(examples) / "manifest.json").read_text())
    content = f"{manifest['hash']}-{seed}-{max_samples}-{','.join(tasks)}"
    identity = f"{zlib.crc32(content.encode()):08x}{manifest['hash'][:8]}"
    if (directory / "store.json").exists() and LabelStore(directory).hash == identity:
        return LabelStore(directory)
    scratch = directory.with_name(f".{directory.name}.{os.getpid()}")
    shutil.rmtree(scratch, ignore_errors=True)
    facts = {
        "hash": identity,
        "size": manifest["size"],
        "manifest": manifest["hash"],
        "views": {},
        "samples": {name: {} for name in tasks},
        "whitening": {},
    }
    for split in SPLITS:
        (scratch / split).mkdir(parents=True)
        views = sorted(
            (parse_view(record) for record in records(examples, split)), key=lambda view: view.key
        )
        facts["views"][split] = [str(view.key) for view in views]
        np.save(scratch / split / "images.npy", np.stack([view.rgb for view in views]))
        cameras = {view.key: view.camera for view in views if view.camera is not None}
        for entry in tasks.values():
            if entry.trained:
                facts["samples"][entry.name][split] = decode_task(
                    entry, views, cameras, scratch / split, facts, seed, max_samples
                )
    (scratch / "store.json").write_text(json.dumps(facts))
    shutil.rmtree(directory, ignore_errors=True)
    directory.parent.mkdir(parents=True, exist_ok=True)
    os.replace(scratch, directory)
    return LabelStore(directory)


def decode_task(
    entry: Task,
    views: list,
    cameras: dict[ViewKey, object],
    folder: Path,
    facts: dict,
    seed: int,
    limit: int,
) -> int:
    """write one task's samples of one split; how many there are. Whitening statistics come from the
    first split, train.
    """
    draw = np.random.default_rng([seed, zlib.crc32(entry.name.encode())])
    rows = samples(
        entry,
        [view.key for view in views],
        cameras,
        draw,
        max(limit, len(views)) if entry.images == 1 else limit,
    )
    made = [
        (
            row,
            target(
                entry,
                [views[i] for i in row],
                np.random.default_rng([seed, zlib.crc32(entry.name.encode()), *row.tolist()]),
            ),
        )
        for row in rows
    ]
    made = [(row, *pair) for row, pair in made if pair is not None and np.any(pair[1] > 0)]
    if not made:
        return 0
    rows, values, masks = (np.stack(part) for part in zip(*made))
    if entry.whitened:
        mean, std = facts["whitening"].setdefault(
            entry.name, (values.mean(0).tolist(), np.maximum(values.std(0), 1e-3).tolist())
        )
        values = (values - mean) / std
    np.save(folder / f"{entry.name}.views.npy", rows.astype("int32"))
    np.save(
        folder / f"{entry.name}.target.npy",
        values.astype("float32" if entry.output.kind == "vector" else "float16"),
    )
    np.save(folder / f"{entry.name}.mask.npy", masks.astype("float16"))
    return len(rows)
