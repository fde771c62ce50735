"""Keeps labels in a temporary file from the first time that they are asked for: what teaches
hundreds of transfers for many epochs is decoded once.
"""

from __future__ import annotations

import mmap
import os
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np

from models.examples.lazy_rows import LazyRows
from models.examples.task_samples import Label, Rows, TaskSamples
from models.tasks.arrays import Array, Bools, Bytes, Floats, Integers


class KeptRows:
    """An array [n, ...] in a file without a name, in TMPDIR. A row takes disk space once it is
    written, and the system may drop its pages from memory.
    """

    def __init__(self, like: Floats) -> None:
        self.row = int(np.prod(like.shape[1:], dtype=np.int64)) * like.dtype.itemsize
        self.number, path = tempfile.mkstemp(prefix="labels-")
        weakref.finalize(self, os.close, self.number)
        os.unlink(path)
        os.ftruncate(self.number, len(like) * self.row)
        mapped = mmap.mmap(self.number, len(like) * self.row, access=mmap.ACCESS_READ)
        self.values: Array = np.frombuffer(mapped, like.dtype).reshape(like.shape)

    def write(self, row: int, value: Floats) -> None:
        """Writes row number `row`; value: [...], of the array's dtype. Not through the memory map,
        where a full disk would end the process. Raises OSError.
        """
        rest = memoryview(value.tobytes())
        place = row * self.row
        while rest:
            written = os.pwrite(self.number, rest, place)
            rest = rest[written:]
            place += written


class KeptLabels:
    """Targets and masks of `data`, made when they are first asked for. Threads may share it."""

    def __init__(self, data: TaskSamples) -> None:
        self.data = data
        self.parts = (KeptRows(data.target), KeptRows(data.mask))
        # [m] whether a row has been written.
        self.present: Bools = np.zeros(len(data), bool)
        # True once the disk had no room for more.
        self.full = False
        self.lock = threading.Lock()

    def labels(self, rows: Rows) -> Label:
        """Returns (targets, masks) of some rows."""
        places = np.arange(*rows.indices(len(self.present))) if isinstance(rows, slice) else rows
        with self.lock:
            lacking = np.unique(np.asarray(places)[~self.present[places]])
            if len(lacking) and not self.full:
                self.write(lacking, self.data.labels(lacking))
            if not self.present[places].all():
                return self.data.labels(rows)
        target, mask = (part.values[places] for part in self.parts)
        return target, mask

    def prefetch(self, rows: Rows) -> None:
        """Has the system fetch what `labels` will read of the records for some rows."""
        lacking = np.flatnonzero(~self.present[rows])
        if len(lacking):
            self.data.prefetch(np.arange(len(self.present))[rows][lacking], None)

    def write(self, rows: Integers, labels: Label) -> None:
        """Writes labels of some rows into the files; where the disk has no room for them, says so
        on standard error and keeps no more. rows: [n]; labels: target and mask, [n, ...] each.
        """
        try:
            for part, values in zip(self.parts, labels):
                for row, value in zip(rows.tolist(), values):
                    part.write(row, value)
        except OSError as error:
            self.full = True
            print(
                f"  labels are made anew whenever they are used, since {tempfile.gettempdir()} "
                f"has no room to keep them ({error.strerror}); TMPDIR names another folder",
                file=sys.stderr,
                flush=True,
            )
        else:
            self.present[rows] = True


@dataclass(frozen=True)
class KeptSamples(TaskSamples):
    """Samples whose labels are made once."""

    store: KeptLabels

    def labels(self, rows: Rows) -> Label:
        return self.store.labels(rows)

    def prefetch(self, rows: Rows, pictures: Bytes | None) -> None:
        super().prefetch(rows, pictures)
        self.store.prefetch(rows)


def kept_samples(data: TaskSamples) -> KeptSamples:
    """Returns `data` as samples whose labels are made when they are first asked for, and not
    again.
    """
    store = KeptLabels(data)

    def part(number: int) -> Callable[[int], Floats]:
        return lambda i: store.labels(np.array([i]))[number][0]

    target = LazyRows(len(data), data.target.shape[1:], data.target.dtype, part(0))
    mask = LazyRows(len(data), data.mask.shape[1:], data.mask.dtype, part(1))
    return KeptSamples(data.views, cast(Floats, target), cast(Floats, mask), store)
