"""Writes an array file row by row, so that nobody has to hold the whole array."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import DTypeLike

from models.examples.half_precision import to_half
from models.tasks.arrays import Array

# Bytes before the numbers: room for every dtype used here, aligned as numpy's format 1.0 asks.
HEADER = 256


class NpyWriter:
    """An array file that is being written; made by `npy_writer`."""

    def __init__(self, file: IO[bytes], dtype: DTypeLike, shape: tuple[int, ...]) -> None:
        self.file = file
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self.shape = shape
        self.count = 0

    def extend(self, rows: Array) -> None:
        """Adds rows, [n, *shape] of any dtype that can be cast. Raises ValueError for other
        shapes.
        """
        if rows.shape[1:] != self.shape:
            raise ValueError(f"rows of shape {self.shape} are expected, got {rows.shape[1:]}")
        if self.dtype == np.float16 and rows.dtype != np.float16:
            rows = to_half(rows)
        self.file.write(np.ascontiguousarray(rows, self.dtype).tobytes())
        self.count += len(rows)


@contextmanager
def npy_writer(
    path: str | Path, dtype: DTypeLike, shape: tuple[int, ...] = ()
) -> Iterator[NpyWriter]:
    """As a context, writes the `.npy` file `path`, [n, *shape] of `dtype`, whose n is known only at
    the block's end; a block that ends in an error leaves a file that cannot be read.
    """
    with open(path, "wb") as file:
        writer = NpyWriter(file, dtype, shape)
        file.write(bytes(HEADER))
        yield writer
        file.seek(0)
        file.write(header(writer.dtype, (writer.count, *shape)))


def header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """Returns the 256 bytes that say what follows."""
    facts = {
        "descr": dtype.descr if dtype.names else dtype.str,
        "fortran_order": False,
        "shape": shape,
    }
    # magic, version and length take 10 bytes, the end of the line one
    text = repr(facts).encode().ljust(HEADER - 11) + b"\n"
    if len(text) > HEADER - 10:
        raise ValueError(f"no room for {facts} before the numbers of a .npy file")
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", HEADER - 10) + text
