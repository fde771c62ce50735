"""The store of decoded labels of all tasks: memory-mapped images, samples, targets and masks that
all networks and transfers share. What takes more than a stated bound is not kept, but made from the
examples' records when it is used: the same numbers, without a second copy of the data set.

The store has a folder for each task, which holds the address of what its labels were made of (the
manifest of the examples, the task's entry in the dictionary, the code of its target function). So
one more task, or an edit of one target function, makes that task's labels and no others.
"""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np

from models.examples.index import FOLDER, Index, KeyTexts, SampleNames, read_described
from models.examples.kept_labels import kept_samples
from models.examples.label_sums import LabelSums
from models.examples.label_writer import PARTS, SUMS, LabelWork, write_labels
from models.examples.lazy_rows import LazyRows
from models.examples.npy_reader import map_npy
from models.examples.npy_writer import npy_writer
from models.examples.sound import sound_index
from models.examples.splits import SPLITS
from models.examples.task_samples import LazySamples, TaskSamples, lazy_samples
from models.examples.views import Memory, Views, views_of
from models.provenance.address import address_of
from models.provenance.atomic import write_json
from models.provenance.seals import reseal, sealed_folder, whole
from models.provenance.stores import lasting
from models.tasks import TASKS, Task
from models.tasks.addressing import rows_of, settings_of
from models.tasks.arrays import Array, Bytes

__all__ = ["LabelStore", "TaskSamples", "build_label_store"]

IMAGES = "images"
# Bytes that the decoded labels of a task, and the images, may each take on disk.
CACHE_BYTES = 4 << 30
# Bytes of whole views that stay decoded from one task to the next while a store is made.
DECODED = 1 << 30
# Views from which on tasks are written side by side, a process each core: one takes seconds to
# begin, and shares no decoded views.
MANY = 20_000
# A function that makes the labels of some tasks.
Writing = Callable[[Sequence[LabelWork]], None]


class LabelStore:
    """A store that `build_label_store` has written. Arrays are memory-mapped, or made from the
    examples' records where they are used.
    """

    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory)
        described = self.directory / IMAGES / "images.json"
        if not (self.directory / IMAGES / FOLDER).exists():
            raise FileNotFoundError(
                f"no label store at {directory}: build_label_store(examples, directory) makes one "
                "(one of an earlier layout is not read: run the pipeline again)"
            )
        self._images: dict[str, Any] = read_described(described)
        self._tasks: dict[str, dict[str, Any]] = {}
        self._samples: dict[tuple[str, str], TaskSamples] = {}
        index = Index(self.directory / IMAGES / FOLDER)
        # readers keep no decoded view: what they need again is on disk, or too large to keep
        self._views = {
            split: Views(self._images["examples"], index, split, Memory(0)) for split in SPLITS
        }

    @property
    def size(self) -> int:
        """Side of the images in pixels."""
        return int(self._images["size"])

    @property
    def manifest(self) -> str:
        """Hash of the manifest of the examples that the store was made of."""
        return str(self._images["manifest"])

    @property
    def views_address(self) -> str:
        """16 hex digits that change with the views and with how their images are decoded."""
        return str(self._images["address"])

    def address(self, task: str) -> str:
        """Returns 16 hex digits that change with what the labels of one task are made of, and with
        nothing of other tasks. Raises LookupError for a task that the store does not hold.
        """
        facts = self._facts(task)
        if not facts:
            raise LookupError(f"the store at {self.directory} holds no labels of {task}")
        return str(facts["address"])

    def views(self, split: str) -> Sequence[str]:
        """Returns the keys of the views of a split, in the order of `images`, made as they are
        asked for.
        """
        return KeyTexts(self._views[split].keys)

    def images(self, split: str) -> Bytes:
        """Returns the images of a split, uint8 [n, S, S, 3]; as `LazyRows` where they are not
        kept.
        """
        path = self.directory / IMAGES / f"{split}.npy"
        if path.exists():
            array: Bytes = map_npy(path)
            return array
        views = self._views[split]
        shape = (self.size, self.size, 3)
        rows = LazyRows(len(views), shape, "uint8", views.image, views.prefetch_images)
        return cast(Bytes, rows)

    def has(self, task: str) -> bool:
        """Returns whether every split holds samples of the task."""
        counts = self._facts(task).get("samples", {})
        return all(counts.get(split, 0) > 0 for split in SPLITS)

    def samples(self, task: str, split: str) -> TaskSamples:
        """Returns the samples of a task in a split. Raises LookupError if the split holds no
        labelled sample of the task.
        """
        if not self._facts(task).get("samples", {}).get(split, 0):
            labels = ", ".join(TASKS[task].labels) if task in TASKS else "unknown task"
            raise LookupError(
                f"no {split} view carries the labels of {task} ({labels}); "
                "leave the task out or add views with the label"
            )
        if (task, split) not in self._samples:
            self._samples[task, split] = self._opened(task, split)
        return self._samples[task, split]

    @contextmanager
    def keeping(self, task: str, split: str) -> Iterator[None]:
        """As a context: inside it, if the labels of a task and split are made from the records,
        `samples` returns samples whose labels are made once (`kept_labels.py`). Raises LookupError
        as `samples` does.
        """
        data = self.samples(task, split)
        if isinstance(data, LazySamples):
            self._samples[task, split] = kept_samples(data)
        try:
            yield
        finally:
            self._samples[task, split] = data

    def _opened(self, task: str, split: str) -> TaskSamples:
        folder = self.directory / task
        facts = self._facts(task)
        if facts["kept"]:
            arrays = [map_npy(folder / f"{split}.{part}.npy") for part in PARTS]
            return TaskSamples(*arrays)
        rows = map_npy(folder / f"{split}.views.npy")
        return lazy_samples(
            TASKS[task], self._views[split], rows, facts["seed"], self.whitening(task)
        )

    def sample_names(self, task: str, split: str) -> Sequence[str]:
        """Returns a name for each sample: the keys of its views joined by +."""
        return SampleNames(self._views[split].keys, self.samples(task, split).views)

    def whitening(self, task: str) -> tuple[Array, Array]:
        """Returns mean and standard deviation [k], float64, of a vector task's train targets before
        whitening; (0, 1) for tasks that are not whitened.
        """
        mean, deviation = self._facts(task).get("whitening") or (0.0, 1.0)
        return np.asarray(mean), np.asarray(deviation)

    def sums(self, task: str) -> LabelSums | None:
        """Returns the sums of the task's train labels, where they are kept (`sums_kept`); None for
        other tasks, and where there are no labels.
        """
        path = self.directory / task / SUMS
        return LabelSums.load(path) if path.exists() else None

    def __reduce__(self) -> tuple[type[LabelStore], tuple[Path]]:
        """Pickles as the folder alone: another process opens the store anew."""
        return LabelStore, (self.directory,)

    def _facts(self, task: str) -> dict[str, Any]:
        """Returns labels.json of a task, {} if the store has none of it."""
        if task not in self._tasks:
            described = self.directory / task / "labels.json"
            self._tasks[task] = read_described(described) if described.exists() else {}
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
    writing: Writing | None = None,
) -> LabelStore:
    """Makes a label store of the Examples artifact at `examples`: indexes it for all `tasks`, and
    decodes what fits. What is there of the same address is kept; what is there of other tasks is
    left alone.

    max_samples: most samples of a multi-view task and split.
    cache_bytes: most bytes that a task's decoded labels, or the images, take on disk; what would
    take more is made from the records when it is used. It is part of no address, since the numbers
    are the same: when the bound alone changes, what is there stays as it is kept (remove a task's
    folder to have it made by the new bound).
    skip_damaged: leave out views whose records cannot be read, and say how many; their absence is
    part of every address.
    writing: makes the labels that are lacking, by default `write_here`; a Beam job elsewhere.

    Each task appears whole or not at all; one record after the other is read. Raises DamagedRecord,
    FileNotFoundError, which name the shard.
    """
    whole_index = Index(Path(examples) / FOLDER)
    if not skip_damaged:
        return store_of(
            examples, whole_index, Path(directory), seed, max_samples, tasks, cache_bytes, writing
        )
    with sound_index(examples, whole_index) as (index, _):
        return store_of(
            examples, index, Path(directory), seed, max_samples, tasks, cache_bytes, writing
        )


def store_of(
    examples: str,
    index: Index,
    directory: Path,
    seed: int,
    max_samples: int,
    tasks: Mapping[str, Task],
    cache_bytes: int,
    writing: Writing | None,
) -> LabelStore:
    """Does the work of `build_label_store` for the views of an index."""
    trained = [entry for entry in tasks.values() if entry.trained]
    addresses = {
        entry.name: labels_address(entry, index.hash, seed, max_samples) for entry in trained
    }
    images = address_of(write_images, inputs=index.hash)
    views = views_of(examples, index, DECODED)
    if not there(directory / IMAGES, images):
        write_images(directory / IMAGES, views, images, cache_bytes)
    remember_examples(directory / IMAGES / "images.json", examples)
    work = [
        LabelWork(
            lasting(examples),
            (directory / IMAGES / FOLDER).absolute(),
            (directory / entry.name).absolute(),
            entry,
            addresses[entry.name],
            seed,
            max_samples,
            cache_bytes,
        )
        for entry in trained
        if not there(directory / entry.name, addresses[entry.name])
    ]
    for one in work:
        sweep_parts(one)
    if writing is not None and work:
        writing(work)
    else:
        write_here(work, views)
    return LabelStore(directory)


def write_here(work: Sequence[LabelWork], views: Mapping[str, Views]) -> None:
    """Makes all labels on this machine: one task after the other, or side by side where there are
    many views.
    """
    count = sum(map(len, views.values()))
    processes = min(1 if count < MANY else os.cpu_count() or 1, len(work))
    if processes < 2:
        for one in work:
            write_labels(one.folder, one.entry, views, one.facts, one.limit, one.cache_bytes)
        return
    # TensorFlow's threads, of whoever imported it, do not survive a fork
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(processes, spawn) as pool:
        list(pool.map(write_alone, work))


def write_alone(work: LabelWork) -> None:
    """Runs `write_labels` in a process of its own."""
    write_labels(work.folder, work.entry, work.views(), work.facts, work.limit, work.cache_bytes)


def sweep_parts(work: LabelWork) -> None:
    """Removes parts that an interrupted run left of other labels of a task."""
    for folder in work.folder.parent.glob(f".{work.entry.name}.parts-*"):
        if folder != work.parts:
            shutil.rmtree(folder)


def remember_examples(described: Path, examples: str) -> None:
    """Writes into the store where the records lie now: an ingest that ran again, with the same
    result, has put them elsewhere.
    """
    facts = read_described(described)
    if facts["examples"] != lasting(examples):
        write_json(described, {**facts, "examples": lasting(examples)})
        # the seal is of this file's content, too
        reseal(described.parent)


def labels_address(entry: Task, manifest: str, seed: int, max_samples: int) -> str:
    """Returns the address of one task's labels, 16 hex digits."""
    return address_of(
        write_labels,
        inputs=[manifest, seed, max_samples],
        settings=settings_of(entry),
        choices=rows_of(entry),
    )


def there(folder: Path, address: str) -> bool:
    """Returns whether a folder of the store holds what the address says, as it was written."""
    described = folder / ("images.json" if folder.name == IMAGES else "labels.json")
    return whole(folder) and read_described(described).get("address") == address


def write_images(folder: Path, views: Mapping[str, Views], address: str, cache_bytes: int) -> None:
    """Writes the index of the views, and the images of all splits if they fit."""
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
