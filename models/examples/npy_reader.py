"""Reads array files from many threads: Beam's workers in memory, and those that feed training. The
header of an array file is a Python literal, which only one thread may parse at a time.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import numpy as np

from models.provenance.sources import PARSING
from models.tasks.arrays import Array


def map_npy(path: str | Path) -> Array:
    """Returns the array in a file, memory-mapped for reading. Raises as `numpy.load` does."""
    with PARSING:
        array: Array = np.load(path, mmap_mode="r")
    return array


def read_npy(file: IO[bytes]) -> Any:
    """Returns what is in an open file of unknown origin, pickled objects refused. Raises as
    `numpy.load` does.
    """
    with PARSING:
        return np.load(file, allow_pickle=False)
