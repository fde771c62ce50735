"""Losses of a tournament, [transfer, image] float32: an array if they fit in memory, otherwise rows
that stay in their files. Code that needs all of them reads some images at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.tasks.arrays import Floats, Integers

# Bytes of losses that are held at a time.
HELD = 512 << 20
FLOAT = 4


@dataclass(frozen=True)
class Place:
    """The position in a file at which a row of losses begins."""

    path: Path
    offset: int


@dataclass(frozen=True)
class StoredLosses:
    """Losses that are read from files when they are asked for. places: where the rows begin.
    images: numbers in one stored row. chosen: increasing positions of the images that count; None
    means all.
    """

    places: tuple[Place, ...]
    images: int
    chosen: Integers | None = None

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.places), self.images if self.chosen is None else len(self.chosen)

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, row: int) -> Floats:
        return self.read(row, 0, self.shape[1])

    def __iter__(self) -> Iterator[Floats]:
        return (self[row] for row in range(len(self)))

    def read(self, row: int, start: int, stop: int) -> Floats:
        """Returns the losses [stop - start] of a row, from image `start` to image `stop`. Raises
        ValueError for a file that is too short.
        """
        place = self.places[row]
        if self.chosen is None:
            first, last = start, stop
        else:
            first, last = int(self.chosen[start]), int(self.chosen[stop - 1]) + 1
        losses: Floats = np.fromfile(
            place.path, "float32", last - first, offset=place.offset + FLOAT * first
        )
        if len(losses) != last - first:
            raise ValueError(f"{place.path} was cut; measure the transfers again")
        return losses if self.chosen is None else losses[self.chosen[start:stop] - first]


Losses = Floats | StoredLosses


def rows_of(losses: Losses, rows: Sequence[int]) -> Losses:
    """Returns the losses of some rows; stored ones stay in their files."""
    if isinstance(losses, StoredLosses):
        places = tuple(losses.places[row] for row in rows)
        return StoredLosses(places, losses.images, losses.chosen)
    return losses[list(rows)]


def images_of(losses: Losses, images: Sequence[int]) -> Losses:
    """Returns the losses of some images, which are given as increasing positions."""
    if isinstance(losses, StoredLosses):
        every = np.arange(losses.images) if losses.chosen is None else losses.chosen
        return StoredLosses(losses.places, losses.images, every[list(images)])
    return losses[:, list(images)]


def array_of(losses: Losses) -> Floats:
    """Returns all losses as an array [transfer, image]; meant for few rows."""
    return np.stack(list(losses)) if isinstance(losses, StoredLosses) else losses


def parts_of(losses: Losses, most: int | None = None) -> Iterator[tuple[slice, Floats]]:
    """Yields (images as a slice, their losses [transfer, some images]) part by part. An array is
    one part. most: most bytes of a part of stored losses.
    """
    count, images = losses.shape
    if not isinstance(losses, StoredLosses):
        yield slice(0, images), losses
        return
    step = max(1, (HELD if most is None else most) // (FLOAT * max(1, count)))
    for start in range(0, images, step):
        stop = min(start + step, images)
        part = np.empty((count, stop - start), "float32")
        for row in range(count):
            part[row] = losses.read(row, start, stop)
        yield slice(start, stop), part


def place_of(path: Path, row: int) -> Place:
    """Returns the place of a row in a .npy file of float32 in C order. Raises ValueError for other
    files.
    """
    array: Any = np.load(path, mmap_mode="r")
    if array.dtype != np.float32 or not array.flags.c_contiguous:
        raise ValueError(f"{path} holds {array.dtype}, float32 rows are expected")
    return Place(path, int(array.offset) + FLOAT * row * array.shape[1])
