"""The samples of one task among the views of a split: which views form them, and the target of
each, made from the records when it is asked for.
"""

from __future__ import annotations

import functools
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from models.examples import recycled
from models.examples.half_precision import to_half
from models.examples.lazy_rows import LazyRows
from models.examples.npy_reader import map_npy
from models.examples.npy_writer import npy_writer
from models.examples.views import Cameras, Views, read_by
from models.tasks import Task, View
from models.tasks.arrays import Array, Bytes, Floats, Integers
from models.tasks.code_tables import Coded, hide
from models.tasks.labels.soft_colours import SoftColours
from models.tasks.labels.sparse_shares import sparse
from models.tasks.samples import samples
from models.tasks.targets import (
    SURFACE_LIMIT,
    depth_codes,
    everywhere,
    made_target,
    target,
)

MASK = "float16"
# Bytes of float32 targets that are held at a time: one of 313 colours at 256 pixels has 82 MB.
TARGETS = 2 << 30
# Samples of a batch whose records are read before the first is decoded: some megabytes.
TOGETHER = 16
# Bytes of samples that are remembered where targets and masks are asked for one after the other.
REMEMBERED = 64 << 20


# (target, mask) of a sample; positions of samples; (pictures, targets, masks) of some samples.
Label = tuple[Floats, Floats]
Rows = slice | Sequence[int] | Integers
Taken = tuple[Bytes, Floats, Floats]


@dataclass(frozen=True)
class TaskSamples:
    """The samples of a task in a split. views: [m, images] int32 positions in `LabelStore.images`;
    target: [m, ...]; mask: [m, S, S, 1] or [m], float16. Where labels are made when they are used,
    target and mask are `LazyRows`.
    """

    views: Integers
    target: Floats
    mask: Floats

    def __len__(self) -> int:
        return len(self.views)

    def at_a_time(self, most: int) -> int:
        """Returns how many samples to hold at a time: `most`, fewer where their targets are
        large.
        """
        return max(1, min(most, TARGETS // (4 * int(np.prod(self.target.shape[1:])))))

    def take(self, rows: Rows, pictures: Bytes, shares: int = 0) -> Taken:
        """Returns (pictures uint8 [B, images, S, S, 3], targets, masks) of some rows. pictures:
        those of the split, as `LabelStore.images` gives them. shares: `Task.shares` for targets in
        the sparse form, 0 for all channels. This is the one way to feed a network: where labels are
        made when they are used, each record is read and parsed once, and no more of it is decoded
        than the task reads.
        """
        target, mask = self.labels(rows)
        if shares:
            target = sparse(target, shares)
        return np.asarray(pictures[self.views[rows]]), target, mask

    def labels(self, rows: Rows) -> Label:
        """Returns (targets, masks) of some rows."""
        return np.asarray(self.target[rows]), np.asarray(self.mask[rows])

    def prefetch(self, rows: Rows, pictures: Bytes | None) -> None:
        """Has the system fetch what `take` will read of the records for some rows, and does not
        wait for it. pictures: as `take` will be given them, None where `labels` will be called.
        """
        if isinstance(pictures, LazyRows) and pictures.prefetch is not None:
            pictures.prefetch(np.unique(self.views[rows]).tolist())


@dataclass(frozen=True)
class LazySamples(TaskSamples):
    """Samples whose targets and masks are made from the records.
    write: writes the label of a row, of its views, into a target, in whichever form it has the
    shape of, and a mask. read: reads views by their positions; their pictures into arrays, if they
    are given. fetch: called with the positions of views that will be read, and with whether their
    pictures will be, too.
    """

    write: Callable[[int, Sequence[View], Floats, Floats], None]
    read: Callable[[Sequence[int], Sequence[Bytes | None]], Iterator[View]]
    fetch: Callable[[Sequence[int], bool], None]

    def take(self, rows: Rows, pictures: Bytes, shares: int = 0) -> Taken:
        positions = np.asarray(self.views[rows])
        if not isinstance(pictures, LazyRows):
            return np.asarray(pictures[positions]), *self._labels(rows, None, shares)
        shown = recycled.empty((*positions.shape, *pictures.shape[1:]), "uint8")
        return shown, *self._labels(rows, shown, shares)

    def labels(self, rows: Rows) -> Label:
        return self._labels(rows, None)

    def prefetch(self, rows: Rows, pictures: Bytes | None) -> None:
        self.fetch(np.unique(self.views[rows]).tolist(), isinstance(pictures, LazyRows))

    def _labels(self, rows: Rows, shown: Bytes | None, shares: int = 0) -> Label:
        """Returns (targets, masks) of some rows; their pictures go into `shown` if it is given.
        shares: as of `take`.
        """
        positions = np.asarray(self.views[rows])
        every = np.arange(*rows.indices(len(self))) if isinstance(rows, slice) else rows
        numbers = np.asarray(every)
        shape = (*self.target.shape[1:-1], 2 * shares) if shares else self.target.shape[1:]
        target = recycled.empty((len(numbers), *shape), self.target.dtype)
        mask = recycled.empty((len(numbers), *self.mask.shape[1:]), self.mask.dtype)
        # A view may stand in several samples of a batch. After the last it is let go, so that the
        # next one's pixels find its memory, which is still in the processor's cache.
        left = Counter(positions.ravel().tolist())
        view_at: dict[int, View] = {}
        coming: Iterator[View] = iter(())
        for k, (number, row) in enumerate(zip(numbers.tolist(), positions.tolist())):
            if k % TOGETHER == 0:
                places = first_places(positions[k : k + TOGETHER], view_at)
                goals = [None if shown is None else shown[k:][place] for place in places.values()]
                coming = self.read(list(places), goals)
            for place, i in enumerate(row):
                if i not in view_at:
                    view_at[i] = next(coming)
                elif shown is not None:
                    shown[k, place] = view_at[i].rgb
            # `...`: a number, too, as an array that can be written into
            self.write(number, [view_at[i] for i in row], target[k, ...], mask[k, ...])
            for i in row:
                left[i] -= 1
                if not left[i]:
                    del view_at[i]
        return target, mask


def first_places(positions: Integers, view_at: Mapping[int, View]) -> dict[int, tuple[int, int]]:
    """Returns position -> (row, place) where it stands first in positions [n, images], in their
    order, of those that are not there yet.
    """
    places: dict[int, tuple[int, int]] = {}
    for k, row in enumerate(positions.tolist()):
        for place, i in enumerate(row):
            if i not in view_at:
                places.setdefault(i, (k, place))
    return places


def evenly(count: int, most: int) -> Integers:
    """Returns [n] int64, at most `most` rising positions among `count`, evenly spread, the first
    and last among them.
    """
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(int))


def candidates(entry: Task, views: Views, seed: int, limit: int) -> Integers:
    """Returns [m, images] int32, the positions that `samples` draws from all views of the split,
    one building held at a time; labels may be lacking.
    """
    draw = np.random.default_rng([seed, name_number(entry)])
    if entry.sampling == "matching":  # its draws go across buildings
        everywhere = range(len(views))
        return samples(entry, views.keys, Cameras(views, everywhere), draw, limit)
    if entry.images == 1:
        return np.arange(len(views), dtype="int32")[:, None]
    with tempfile.TemporaryDirectory(prefix="samples-") as scratch:
        path = Path(scratch) / "rows.npy"  # pairs of millions of views are gigabytes
        with npy_writer(path, "int32", (entry.images,)) as file:
            for span in views.spans():
                keys = views.keys[span.start : span.stop]
                # all of a building: the limit is drawn from all buildings together, below
                rows = samples(entry, keys, Cameras(views, span), draw, sys.maxsize)
                # the sampler counts from the building's first view
                file.extend(rows + np.int32(span.start))
        # Keys of a building stand side by side: buildings in order are rows in order.
        every: Integers = map_npy(path)
        if len(every) > limit:
            # sorted: a draw keeps the order of keys
            return np.array(every[np.sort(draw.choice(len(every), limit, replace=False))])
        # copied: the file goes with its folder
        return np.array(every)


def name_number(entry: Task) -> int:
    """Returns the number of a task, for the seeds of its draws."""
    return zlib.crc32(entry.name.encode())


def label_of(entry: Task, views: Sequence[View], row: Sequence[int], seed: int) -> Label | None:
    """Returns (target, mask) of a sample, float32, not whitened; None where nothing of it is known.
    views: those at the positions `row`.
    """
    label = target(entry, views, draws_of(entry, row, seed))
    if label is None:
        return None
    mask = label[1]
    # of one number, a fortieth of the time
    counts = mask.max() > 0 if mask.ndim else mask.item() > 0
    return label if counts else None


def draws_of(entry: Task, row: Sequence[int], seed: int) -> Callable[[], np.random.Generator]:
    """Returns what makes the generator of a sample, drawn from the sample itself: the same,
    whichever others are made.
    """
    return functools.partial(generator_of, (seed, name_number(entry), *row))


def generator_of(numbers: tuple[int, ...]) -> np.random.Generator:
    """Returns `default_rng` of numbers that are not negative. Handed over as the words that it
    makes of them, they cost it half the time.
    """
    words = max(numbers) < 1 << 32
    return np.random.default_rng(np.array(numbers, "uint32") if words else numbers)


def write_map(
    entry: Task, views: Sequence[View], row: Sequence[int], seed: int, target: Floats, mask: Floats
) -> bool:
    """Writes the label of a sample of maps into two float16 arrays, target [S, S, C], or in the
    sparse form where the task has one, and mask [S, S, 1]: the numbers of `label_of`, rounded.
    Returns False where nothing of it is known.
    """
    label = made_target(entry, views, draws_of(entry, row, seed))
    if label is None:
        return False
    depth = depth_codes(views[0]) if entry.mask == "surface" else None
    for part, halves in zip(label, (target, mask)):
        if isinstance(part, Coded | SoftColours):
            part.write_half(halves)
        elif part is everywhere(len(halves)):
            halves[...] = 1
        else:
            halves[...] = to_half(np.asarray(part, "float32"))
    if depth is not None:
        hide(depth, SURFACE_LIMIT, mask)
    elif label[1] is everywhere(len(mask)):
        return True
    # weights are not negative, and their halves in the order of their bits; numpy compares halves
    # one by one
    return bool(mask.view("int16").max() > 0)


def labelled(
    entry: Task, views: Views, rows: Integers, seed: int
) -> Iterator[tuple[list[int], Label]]:
    """Yields (row, label) of those candidates, rows [m, images], that have a label."""
    for row in rows.tolist():
        label = label_of(entry, [views.view(i, entry) for i in row], row, seed)
        if label is not None:
            yield row, label


def stored(entry: Task, value: Array, whitening: tuple[Array, Array]) -> Floats:
    """Returns targets [...] as the store has them: whitened where the task is, by its mean and
    deviation [k], in its dtype.
    """
    if entry.whitened:
        mean, deviation = whitening
        value = (value - mean) / deviation
    kind = np.dtype(entry.output.facts.stored)
    return to_half(value) if kind == np.float16 else value.astype(kind)


def lazy_samples(
    entry: Task, views: Views, rows: Integers, seed: int, whitening: tuple[Array, Array]
) -> TaskSamples:
    """Returns samples whose targets and masks are made from the records when they are asked for;
    the same numbers as those that are kept. rows: [m, images] int32, the samples' views; whitening:
    mean and deviation [k].
    """
    rows = rows.view(np.ndarray)  # of class memmap a row takes several times as long
    shape = entry.target_shape(views.index.size)
    kind = np.dtype(entry.output.facts.stored)
    mask_shape = (*shape[:-1], 1) if entry.output.dense else ()

    def write(i: int, several: Sequence[View], target: Floats, mask: Floats) -> None:
        row = rows[i].tolist()
        if entry.output.dense and kind == np.float16:
            complete = write_map(entry, several, row, seed, target, mask)
        elif complete := (label := label_of(entry, several, row, seed)) is not None:
            target[...] = stored(entry, label[0], whitening)
            mask[...] = label[1]
        if not complete:
            raise ValueError(
                f"sample {i} of {entry.name} in {views.split} has lost its label: the store is of "
                "other examples; remove it and run again"
            )

    def read(positions: Sequence[int], pictures: Sequence[Bytes | None]) -> Iterator[View]:
        return views.several(positions, entry, pictures)

    def fetch(positions: Sequence[int], pictured: bool) -> None:
        views.prefetch(positions, functools.partial(read_by, entry, pictured))

    def alone(i: int) -> Label:
        label = np.empty(shape, kind), np.empty(mask_shape, MASK)
        write(i, [views.view(position, entry) for position in rows[i].tolist()], *label)
        return label

    # what a sample takes is known once one is made; others of the task take the same
    first = alone(0)
    size = first[0].nbytes + first[1].nbytes
    recent = remembered(alone, max(64, REMEMBERED // size))
    return LazySamples(
        rows,
        cast(Floats, LazyRows(len(rows), shape, first[0].dtype, lambda i: recent(i)[0])),
        cast(Floats, LazyRows(len(rows), first[1].shape, MASK, lambda i: recent(i)[1])),
        write,
        read,
        fetch,
    )


def remembered(make: Callable[[int], Label], count: int) -> Callable[[int], Label]:
    """Returns `make` with its last `count` results kept."""
    return functools.lru_cache(maxsize=count)(make)
