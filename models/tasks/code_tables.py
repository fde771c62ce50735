"""Maps whose numbers follow from their codes alone, pixel by pixel: the table is made once, and a
map is written from it in one pass, in whichever width it is asked for.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from models.tasks.arrays import Array, Floats, Integers


class CodeTable:
    """The numbers that codes stand for. rows: an array [levels] for each channel of the map; of
    one row alone, for every channel. They are kept as float32.
    """

    def __init__(self, *rows: Array) -> None:
        self.single: Floats = np.stack(rows).astype("float32")

    @functools.cached_property
    def half(self) -> Integers:
        """The bits of the table's numbers in half precision, int16 [rows, levels]; compiled loops
        have no halves.
        """
        return self.single.astype("float16").view("int16")

    @functools.cached_property
    def half_pairs(self) -> Integers:
        """What two codes of a byte each, read as one number, stand for: two of `half` as one
        number, uint32 [65536]. A picture is written in two thirds of the time.
        """
        two_codes = np.arange(1 << 16, dtype="uint16").view("uint8")
        return self.half[0].take(two_codes).view("uint32")


@dataclass(frozen=True)
class Coded:
    """A map [S, S, channels] as codes [S, S] or [S, S, channels or more] (uint8, uint16) and what
    they stand for.
    """

    codes: Integers
    table: CodeTable

    @property
    def shape(self) -> tuple[int, int, int]:
        height, width = self.codes.shape[:2]
        channels = len(self.table.single)
        if channels == 1 and self.codes.ndim == 3:
            channels = self.codes.shape[2]
        return height, width, channels

    def single(self) -> Floats:
        """Returns the map, float32 [S, S, C]."""
        numbers = np.empty(self.shape, "float32")
        self._write(self.table.single, numbers)
        return numbers

    def write_half(self, halves: Floats) -> None:
        """Writes the map into a float16 array of its shape [S, S, C], whose numbers lie side by
        side.
        """
        codes = self.codes.reshape(-1)
        if len(self.table.single) == 1 and codes.itemsize == 1 and codes.size % 2 == 0:
            from models.tasks.labels.code_kernels import look_up  # here: numba

            pairs = halves.reshape(-1).view("uint32")
            look_up(codes.view("uint16"), self.table.half_pairs, pairs)
        else:
            self._write(self.table.half, halves.view("int16"))

    def _write(self, table: Array, numbers: Array) -> None:
        from models.tasks.labels.code_kernels import look_up, look_up_channels  # here: numba

        rows, _ = table.shape
        if rows == 1:
            look_up(self.codes.reshape(-1), table[0], numbers.reshape(-1))
        else:
            look_up_channels(
                self.codes.reshape(-1, self.codes.shape[2]), table, numbers.reshape(-1, rows)
            )


def every_code(bits: int) -> Integers:
    """Returns [2^bits] int64, all codes of so many bits, rising."""
    return np.arange(1 << bits)


def hide(codes: Integers, limit: int, halves: Floats) -> None:
    """Writes 0 into a float16 mask [...] where codes [...] reach a limit; both have as many
    numbers.
    """
    from models.tasks.labels.code_kernels import hide_from

    hide_from(codes.reshape(-1), limit, halves.view("int16").reshape(-1))
