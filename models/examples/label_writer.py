"""Writes the labels of one task: all of its samples in one go, or part by part on any machine, to
the same bytes.
"""

from __future__ import annotations

import functools
import operator
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.examples.half_precision import to_half
from models.examples.index import Index
from models.examples.label_sums import Adding, LabelSums, sums_kept
from models.examples.npy_reader import map_npy
from models.examples.npy_writer import npy_writer
from models.examples.splits import SPLITS
from models.examples.task_samples import MASK, candidates, labelled, stored
from models.examples.views import Views, views_of
from models.provenance.atomic import atomic_path, write_json
from models.provenance.seals import sealed_folder, whole
from models.tasks import Task
from models.tasks.arrays import Array, Floats, Integers

PARTS = ("views", "target", "mask")
# The split from whose labels constants are computed, and the file of their sums.
TRAINED_ON = "train"
SUMS = "train.sums.npz"
# Name of targets before whitening, which takes the statistics of all.
RAW = "raw"
# Samples that are whitened, or copied, at a time.
CHUNK = 4096
# Candidates of a part: half a minute at 64 pixels, some minutes at 256.
PART = 2048


@dataclass(frozen=True)
class LabelWork:
    """The labels of one task that a store lacks, described so that any process can make them.
    examples: where the records lie (a store's address where there is one). index: folder of the
    index of the views. folder: where the labels go. limit, cache_bytes: as in `build_label_store`.
    """

    examples: str
    index: Path
    folder: Path
    entry: Task
    address: str
    seed: int
    limit: int
    cache_bytes: int

    @property
    def parts(self) -> Path:
        """Folder in which parts lie until all are there; other labels have other parts."""
        return self.folder.parent / f".{self.entry.name}.parts-{self.address}.partial"

    @property
    def facts(self) -> dict[str, Any]:
        """What labels.json says from the start."""
        return {"address": self.address, "seed": self.seed}

    def views(self) -> dict[str, Views]:
        """Returns the views of every split; none stays decoded."""
        return views_of(self.examples, Index(self.index), 0)

    def candidates(self, split: str) -> Path:
        """Returns the path of the file that `draw` writes."""
        return self.parts / f"{split}.npy"


@dataclass(frozen=True)
class LabelPart:
    """Candidates [start, stop) of a split. in_cache: whether targets and masks are written."""

    work: LabelWork
    split: str
    start: int
    stop: int
    in_cache: bool

    @property
    def folder(self) -> Path:
        return self.work.parts / f"{self.split}-{self.start:010d}-{self.stop:010d}"


def write_labels(
    folder: Path,
    entry: Task,
    views: Mapping[str, Views],
    facts: dict[str, Any],
    limit: int,
    cache_bytes: int,
) -> None:
    """Writes one task's samples of all splits, in one go."""
    rows = {split: candidates(entry, views[split], facts["seed"], limit) for split in SPLITS}
    size = views[SPLITS[0]].index.size
    # decided before any label is made: candidates without one are counted, too
    in_cache = fits(entry, sum(map(len, rows.values())), size, cache_bytes)
    with labels_folder(folder, {**facts, "kept": in_cache}) as (scratch, described):
        for split in SPLITS:
            write_samples(scratch, entry, views[split], rows[split], described["seed"], in_cache)
            finish(scratch, entry, split, described)


@contextmanager
def labels_folder(folder: Path, facts: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """As a context, yields (the folder where the labels of a task are written, what labels.json
    will say of them); they appear at the block's end.
    """
    described = {**facts, "samples": {}, "whitening": None}
    with sealed_folder(folder) as scratch:
        yield scratch, described
        write_json(scratch / "labels.json", described)


def draw(work: LabelWork, split: str) -> int:
    """Writes the candidates of a split and returns how many they are. A file that is there is
    taken: it appears whole.
    """
    path = work.candidates(split)
    if not path.exists():
        rows = candidates(work.entry, work.views()[split], work.seed, work.limit)
        with atomic_path(path) as scratch:
            np.save(scratch, rows)
    return len(map_npy(path))


def parts_of(work: LabelWork, counts: Mapping[str, int], most: int) -> list[LabelPart]:
    """Returns the parts of a task, `most` candidates each. counts: number of candidates of each
    split.
    """
    size = Index(work.index).size
    in_cache = fits(work.entry, sum(counts.values()), size, work.cache_bytes)
    return [
        LabelPart(work, split, start, min(start + most, counts[split]), in_cache)
        for split in SPLITS
        for start in range(0, max(counts[split], 1), most)
    ]


def write_part(part: LabelPart) -> None:
    """Writes the samples of a part; a part that is there, and whole, is kept."""
    if whole(part.folder):
        return
    work = part.work
    rows = map_npy(work.candidates(part.split))[part.start : part.stop]
    with sealed_folder(part.folder) as scratch:
        views = work.views()[part.split]
        write_samples(scratch, work.entry, views, rows, work.seed, part.in_cache)


def join_parts(work: LabelWork, parts: Sequence[LabelPart]) -> None:
    """Writes the labels of a task from all of its parts, and removes these."""
    facts = {**work.facts, "kept": parts[0].in_cache}
    with labels_folder(work.folder, facts) as (scratch, described):
        for split in SPLITS:
            ours = sorted((part for part in parts if part.split == split), key=lambda p: p.start)
            for name in sorted(path.name for path in ours[0].folder.glob("*.npy")):
                append([part.folder / name for part in ours], scratch / name)
            finish(scratch, work.entry, split, described)
        there = [part.folder / SUMS for part in parts if (part.folder / SUMS).exists()]
        if there:
            sum_of(there).save(scratch / SUMS)
    shutil.rmtree(work.parts)


def sum_of(paths: Sequence[Path]) -> LabelSums:
    """Returns the sums of all parts together; only one part's are in memory at a time."""
    return functools.reduce(operator.add, map(LabelSums.load, paths))


def append(paths: Sequence[Path], goal: Path) -> None:
    """Writes one array file from several, one after the other."""
    first: Array = map_npy(paths[0])
    with npy_writer(goal, first.dtype, first.shape[1:]) as file:
        for path in paths:
            rows: Array = map_npy(path)
            for start in range(0, len(rows), CHUNK):
                file.extend(rows[start : start + CHUNK])


def fits(entry: Task, count: int, size: int, cache_bytes: int) -> bool:
    """Returns whether `count` samples of views of `size` pixels take at most `cache_bytes`."""
    return count * bytes_of(entry, size) <= cache_bytes


def bytes_of(entry: Task, size: int) -> int:
    """Returns the bytes of one sample in the store: its target and its mask."""
    numbers = int(np.prod(entry.target_shape(size))) * np.dtype(entry.output.facts.stored).itemsize
    return numbers + int(np.prod(mask_shape(entry, size))) * np.dtype(MASK).itemsize


def mask_shape(entry: Task, size: int) -> tuple[int, ...]:
    """Returns the shape of a sample's mask: a map's pixels and one channel; () for a sample as a
    whole.
    """
    return (*entry.target_shape(size)[:-1], 1) if entry.output.dense else ()


def write_samples(
    scratch: Path, entry: Task, views: Views, rows: Integers, seed: int, in_cache: bool
) -> None:
    """Writes samples of a split as they come, not whitened yet: positions of their views and, where
    they are kept, targets and masks. Targets that will be whitened are written in any case. rows:
    [m, images] int32, the candidates.
    """
    shape = entry.target_shape(views.index.size)
    part = RAW if entry.whitened else "target"
    # rounded once only: after whitening, which makes other numbers of them
    kind = "float32" if entry.whitened else entry.output.facts.stored
    files = {name: scratch / f"{views.split}.{name}.npy" for name in (*PARTS, RAW)}
    adding = Adding(entry) if views.split == TRAINED_ON and sums_kept(entry) else None
    with (
        npy_writer(files["views"], "int32", (entry.images,)) as positions,
        npy_writer(files[part], kind, shape) as targets,
        npy_writer(files["mask"], MASK, mask_shape(entry, views.index.size)) as masks,
    ):
        for row, (value, mask) in labelled(entry, views, rows, seed):
            positions.extend(np.array([row]))
            # whitening takes the statistics of all targets, also where none is kept
            if in_cache or entry.whitened:
                targets.extend(value[None])
            if in_cache:
                masks.extend(mask[None])
            if adding is not None:
                adding.add(to_half(value), to_half(mask))
    if adding is not None and adding.sums is not None:
        adding.sums.save(scratch / SUMS)


def finish(scratch: Path, entry: Task, split: str, facts: dict[str, Any]) -> None:
    """Turns what `write_samples` wrote into the samples of a split as the store has them.
    facts: "kept" says what stays; "whitening" is set by the first split that has samples, train.
    """
    files = {name: scratch / f"{split}.{name}.npy" for name in (*PARTS, RAW)}
    count = len(map_npy(files["views"]))
    if entry.whitened and count:
        raw = files[RAW]
        facts["whitening"] = facts["whitening"] or statistics(map_npy(raw))
        if facts["kept"]:
            write_whitened(raw, files["target"], entry, facts["whitening"])
    files[RAW].unlink(missing_ok=True)
    if not (facts["kept"] and count):
        # a whitened task's targets have gone to `raw`
        files["target"].unlink(missing_ok=True)
        files["mask"].unlink()
    facts["samples"][split] = count


def write_whitened(raw: Path, path: Path, entry: Task, whitening: list[list[float]]) -> None:
    """Writes the targets of `raw` as the store has them."""
    values = map_npy(raw)
    mean, deviation = map(np.asarray, whitening)
    with npy_writer(path, entry.output.facts.stored, values.shape[1:]) as file:
        for start in range(0, len(values), CHUNK):
            file.extend(stored(entry, values[start : start + CHUNK], (mean, deviation)))


def statistics(values: Floats) -> list[list[float]]:
    """Returns [mean, deviation] of each channel, the deviation at least 0.001."""
    return [values.mean(0).tolist(), np.maximum(values.std(0), 1e-3).tolist()]
