"""Labels of all tasks, decoded once: memory-mapped images, samples, targets and masks that all
networks and transfers share. What takes more than a stated bound is not kept, but made of the
examples' records when it is used: the same numbers, without a second copy of the data set.

The store is a ledger, a folder a task: each holds the address of what it was made of (the manifest
of the examples, what its entry says, the code of its target function), so that one more task, or an
edit of one target function, makes that task's labels and no others.
"""

from __future__ import annotations

import concurrent.futures
import functools
import json
import multiprocessing
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from models.examples.index import FOLDER, Index, KeyTexts, SampleNames
from models.examples.lazy_rows import LazyRows
from models.examples.npy_writer import npy_writer
from models.examples.sound import sound_index
from models.examples.splits import SPLITS
from models.examples.task_samples import (
    MASK,
    TaskSamples,
    candidates,
    labelled,
    lazy_samples,
    stored,
)
from models.examples.views import Memory, Views
from models.provenance.address import address_of
from models.provenance.atomic import write_json
from models.provenance.seals import reseal, sealed_folder, whole
from models.provenance.stores import lasting
from models.tasks import TASKS, Task
from models.tasks.addressing import rows_of, settings_of
from models.tasks.arrays import Array, Bytes, Floats, Integers

__all__ = ["LabelStore", "TaskSamples", "build_label_store"]

PARTS = ("views", "target", "mask")
IMAGES = "images"
# Bytes that the decoded labels of a task, and the images, may each take on disk.
CACHE_BYTES = 4 << 30
# Bytes of whole views that stay decoded from one task to the next while a store is made.
DECODED = 1 << 30
# Views from which on tasks are written side by side, a process each core: one takes seconds to
# begin, and shares no decoded views.
MANY = 20_000
# Samples that are whitened at a time.
CHUNK = 4096


class LabelStore:
    """A store that `build_label_store` has written; arrays are memory-mapped, or made of the
    examples' records, where they are used.
    """

    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory)
        described = self.directory / IMAGES / "images.json"
        if not (self.directory / IMAGES / FOLDER).exists():
            raise FileNotFoundError(
                f"no label store at {directory}: build_label_store(examples, directory) makes one "
                "(one of an earlier layout is not read: run the pipeline again)"
            )
        self._images: dict[str, Any] = json.loads(described.read_text())
        self._tasks: dict[str, dict[str, Any]] = {}
        self._samples: dict[tuple[str, str], TaskSamples] = {}
        index = Index(self.directory / IMAGES / FOLDER)
        # readers keep no decoded view: what they need again is on disk, or too large to keep
        self._views = {
            split: Views(self._images["examples"], index, split, Memory(0)) for split in SPLITS
        }

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

    def views(self, split: str) -> Sequence[str]:
        """keys of the views of a split, in the order of `images`, made as they are asked for."""
        return KeyTexts(self._views[split].keys)

    def images(self, split: str) -> Bytes:
        """uint8 [n, S, S, 3]; `LazyRows` where they are not kept."""
        path = self.directory / IMAGES / f"{split}.npy"
        if path.exists():
            array: Bytes = np.load(path, mmap_mode="r")
            return array
        views = self._views[split]
        return cast(Bytes, LazyRows(len(views), (self.size, self.size, 3), "uint8", views.image))

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
        if (task, split) not in self._samples:
            self._samples[task, split] = self._opened(task, split)
        return self._samples[task, split]

    def _opened(self, task: str, split: str) -> TaskSamples:
        folder = self.directory / task
        facts = self._facts(task)
        if facts["kept"]:
            arrays = [np.load(folder / f"{split}.{part}.npy", mmap_mode="r") for part in PARTS]
            return TaskSamples(*arrays)
        rows = np.load(folder / f"{split}.views.npy", mmap_mode="r")
        return lazy_samples(
            TASKS[task], self._views[split], rows, facts["seed"], self.whitening(task)
        )

    def sample_names(self, task: str, split: str) -> Sequence[str]:
        """a name a sample: the keys of its views joined by +."""
        return SampleNames(self._views[split].keys, self.samples(task, split).views)

    def whitening(self, task: str) -> tuple[Array, Array]:
        """mean and standard deviation of a vector task's train targets, before whitening; (0, 1)
        for tasks that are not whitened.
        """
        mean, deviation = self._facts(task).get("whitening") or (0.0, 1.0)
        return np.asarray(mean), np.asarray(deviation)

    def __reduce__(self) -> tuple[type[LabelStore], tuple[Path]]:
        """to another process goes where the store lies, and nothing of it."""
        return LabelStore, (self.directory,)

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
    cache_bytes: int = CACHE_BYTES,
    skip_damaged: bool = False,
) -> LabelStore:
    """index the Examples artifact at `examples` for all `tasks`, and decode what fits; what is
    there of the same address is kept, what is there of other tasks is left alone.

    max_samples: most samples of a multi-view task and split. cache_bytes: most bytes that a task's
    decoded labels, or the images, take on disk; what would take more is made of the records when
    it is used. It is part of no address, since the numbers are the same: what is there stays as it
    is kept when the bound alone changes (remove a task's folder to have it made by the new bound).
    skip_damaged: leave out views whose records cannot be read, and say how many; their absence is
    part of every address. Each task appears whole or not at all; one record after the other is
    read. Raises DamagedRecord, FileNotFoundError, which name the shard.
    """
    whole_index = Index(Path(examples) / FOLDER)
    if not skip_damaged:
        return store_of(
            examples, whole_index, Path(directory), seed, max_samples, tasks, cache_bytes
        )
    with sound_index(examples, whole_index) as (index, _):
        return store_of(examples, index, Path(directory), seed, max_samples, tasks, cache_bytes)


def store_of(
    examples: str,
    index: Index,
    directory: Path,
    seed: int,
    max_samples: int,
    tasks: Mapping[str, Task],
    cache_bytes: int,
) -> LabelStore:
    """`build_label_store` of the views of an index."""
    trained = [entry for entry in tasks.values() if entry.trained]
    wanted = {entry.name: labels_address(entry, index.hash, seed, max_samples) for entry in trained}
    images = address_of(write_images, inputs=index.hash)
    views = views_of(examples, index, DECODED)
    if not there(directory / IMAGES, images):
        write_images(directory / IMAGES, views, images, cache_bytes)
    remember_examples(directory / IMAGES / "images.json", examples)
    lacking = [entry for entry in trained if not there(directory / entry.name, wanted[entry.name])]
    work = [
        (directory / entry.name, entry, {"address": wanted[entry.name], "seed": seed})
        for entry in lacking
    ]
    count = sum(map(len, views.values()))
    processes = min(1 if count < MANY else os.cpu_count() or 1, len(work))
    if processes < 2:
        for folder, entry, facts in work:
            write_labels(folder, entry, views, facts, max_samples, cache_bytes)
        return LabelStore(directory)
    alone = functools.partial(write_alone, examples, index.folder, max_samples, cache_bytes)
    # TensorFlow's threads do not survive a fork
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(processes, spawn) as pool:
        list(pool.map(alone, *zip(*work)))
    return LabelStore(directory)


def views_of(examples: str, index: Index, decoded: int) -> dict[str, Views]:
    """the views of every split, of which `decoded` bytes together may stay decoded."""
    memory = Memory(decoded)
    return {split: Views(examples, index, split, memory) for split in SPLITS}


def write_alone(
    examples: str,
    index: Path,
    limit: int,
    cache_bytes: int,
    folder: Path,
    entry: Task,
    facts: dict[str, Any],
) -> None:
    """`write_labels` in a process of its own."""
    write_labels(folder, entry, views_of(examples, Index(index), 0), facts, limit, cache_bytes)


def remember_examples(described: Path, examples: str) -> None:
    """where the records lie that the store was made of: an ingest that ran again, to the same end,
    has put them elsewhere.
    """
    facts = json.loads(described.read_text())
    if facts["examples"] != lasting(examples):
        write_json(described, {**facts, "examples": lasting(examples)})
        # the seal is of this file's content, too
        reseal(described.parent)


def labels_address(entry: Task, manifest: str, seed: int, max_samples: int) -> str:
    """16 hex digits of one task's labels."""
    return address_of(
        write_labels,
        inputs=[manifest, seed, max_samples],
        settings=settings_of(entry),
        choices=rows_of(entry),
    )


def there(folder: Path, address: str) -> bool:
    """does a folder of the store hold what the address says, as it was written?"""
    described = folder / ("images.json" if folder.name == IMAGES else "labels.json")
    return whole(folder) and json.loads(described.read_text()).get("address") == address


def write_images(folder: Path, views: Mapping[str, Views], address: str, cache_bytes: int) -> None:
    """the index of the views, and the images of all splits if they fit."""
    some = views[SPLITS[0]]
    shape = (some.index.size, some.index.size, 3)
    count = sum(len(views[split]) for split in SPLITS)
    facts = {
        "address": address,
        "size": some.index.size,
        "manifest": some.index.hash,
        "examples": lasting(some.examples),
    }
    with sealed_folder(folder) as scratch:
        (scratch / FOLDER).mkdir()
        some.index.copy_to(scratch / FOLDER)
        if count * int(np.prod(shape)) <= cache_bytes:
            for split in SPLITS:
                with npy_writer(scratch / f"{split}.npy", "uint8", shape) as file:
                    for i in range(len(views[split])):
                        file.extend(views[split].image(i)[None])
        write_json(scratch / "images.json", facts)


def write_labels(
    folder: Path,
    entry: Task,
    views: Mapping[str, Views],
    facts: dict[str, Any],
    limit: int,
    cache_bytes: int,
) -> None:
    """one task's samples of all splits. Whitening statistics come from the first split, train."""
    rows = {split: candidates(entry, views[split], facts["seed"], limit) for split in SPLITS}
    size = views[SPLITS[0]].index.size
    # decided before any label is made: candidates without one are counted, too
    kept = sum(map(len, rows.values())) * bytes_of(entry, size) <= cache_bytes
    facts = {**facts, "samples": {}, "whitening": None, "kept": kept}
    with sealed_folder(folder) as scratch:
        for split in SPLITS:
            count = write_samples(scratch, entry, views[split], rows[split], facts)
            facts["samples"][split] = count
        write_json(scratch / "labels.json", facts)


def bytes_of(entry: Task, size: int) -> int:
    """of one sample of the store: its target and its mask."""
    numbers = int(np.prod(entry.target_shape(size))) * np.dtype(entry.output.facts.stored).itemsize
    return numbers + int(np.prod(mask_shape(entry, size))) * np.dtype(MASK).itemsize


def mask_shape(entry: Task, size: int) -> tuple[int, ...]:
    """of a map's pixels; () for a sample as a whole."""
    return (*entry.target_shape(size)[:-1], 1) if entry.output.dense else ()


def write_samples(
    scratch: Path, entry: Task, views: Views, rows: Integers, facts: dict[str, Any]
) -> int:
    """one split's samples as they come; how many. facts: "seed" and "kept" say what is written,
    "whitening" is set by the first split that has samples.
    """
    shape = entry.target_shape(views.index.size)
    files = {part: scratch / f"{views.split}.{part}.npy" for part in PARTS}
    raw = scratch / "raw.npy"  # whitening takes the statistics of all
    # rounded once only: after whitening, which makes other numbers of them
    kind = "float32" if entry.whitened else entry.output.facts.stored
    with (
        npy_writer(files["views"], "int32", (entry.images,)) as positions,
        npy_writer(raw if entry.whitened else files["target"], kind, shape) as targets,
        npy_writer(files["mask"], MASK, mask_shape(entry, views.index.size)) as masks,
    ):
        for row, (value, mask) in labelled(entry, views, rows, facts["seed"]):
            positions.extend(np.array([row]))
            # whitening takes the statistics of all targets, also where none is kept
            if facts["kept"] or entry.whitened:
                targets.extend(value[None])
            if facts["kept"]:
                masks.extend(mask[None])
    if entry.whitened and positions.count:
        facts["whitening"] = facts["whitening"] or statistics(np.load(raw, mmap_mode="r"))
        if facts["kept"]:
            write_whitened(raw, files["target"], entry, facts["whitening"])
    raw.unlink(missing_ok=True)
    if not (facts["kept"] and positions.count):
        # a whitened task's targets have gone to `raw`
        files["target"].unlink(missing_ok=True)
        files["mask"].unlink()
    return positions.count


def write_whitened(raw: Path, path: Path, entry: Task, whitening: list[list[float]]) -> None:
    """the targets of `raw` as the store has them."""
    values = np.load(raw, mmap_mode="r")
    mean, deviation = map(np.asarray, whitening)
    with npy_writer(path, entry.output.facts.stored, values.shape[1:]) as file:
        for start in range(0, len(values), CHUNK):
            file.extend(stored(entry, values[start : start + CHUNK], (mean, deviation)))


def statistics(values: Floats) -> list[list[float]]:
    """[mean, deviation] a channel, the deviation at least 0.001."""
    return [values.mean(0).tolist(), np.maximum(values.std(0), 1e-3).tolist()]
