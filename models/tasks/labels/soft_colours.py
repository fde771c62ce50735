"""The label of colorization: for every block of 4 x 4 pixels the shares of the ten colour bins that
are nearest to its mean colour.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from models.tasks.arrays import Bytes, Floats, Integers
from models.tasks.labels.colour_neighbours import neighbours
from models.tasks.labels.colours import (
    BINS,
    NEIGHBOURS,
    TO_XYZ,
    WHITE,
    light_of_sixteenths,
    soft_shares,
)
from models.tasks.labels.sparse_shares import channel_numbers, sparse


@dataclass(frozen=True)
class SoftColours:
    """The map [side, side, 313] of a picture, uint8 [4 side or more, 4 side or more, 3]."""

    pixels: Bytes
    side: int

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.side, self.side, BINS

    def single(self) -> Floats:
        """Returns the map, float32 [side, side, 313], the numbers of the halves."""
        from models.tasks.labels.label_kernels import widen  # here: numba

        halves = np.empty(self.shape, "float16")
        self.write_half(halves)
        values = np.empty(self.shape, "float32")
        widen(halves.view("uint16").reshape(-1), values.reshape(-1))
        return values

    def write_half(self, halves: Floats) -> None:
        """Writes the map into a float16 array of its shape, or of the sparse form's, [side, side,
        20], whose numbers lie side by side.
        """
        from models.tasks.labels.label_kernels import write_halves  # here: numba

        table = neighbours()
        rest = np.empty(self.side**2, "int64")
        ab = np.empty((self.side**2, 2))
        count = write_halves(
            np.ascontiguousarray(self.pixels),
            light_of_sixteenths(),
            TO_XYZ / WHITE[:, None],
            table.index,
            table.complete,
            bin_numbers(),
            halves.view("uint16"),
            rest,
            ab,
        )
        if count:
            index, shares = soft_shares(ab[:count])
            rows = np.zeros((count, BINS), "float16")
            rows[np.arange(count)[:, None], index] = shares
            width = halves.shape[-1]
            blocks = rows if width == BINS else sparse(rows, NEIGHBOURS)
            halves.reshape(-1, width)[rest[:count]] = blocks


@functools.cache
def bin_numbers() -> Integers:
    """Returns [313] uint64, the bits of the halves of a bin's number, the lowest, and of the three
    behind it.
    """
    numbers = channel_numbers(BINS + 3, np.dtype("float16")).view("uint16").astype("uint64")
    words = np.zeros(BINS, "uint64")
    for k in range(4):
        words |= numbers[k : k + BINS] << np.uint64(16 * k)
    return words
