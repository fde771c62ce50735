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
    """Returns the array in a file, of whatever shape and dtype it has there [...], memory-mapped
    for reading. Raises ValueError, which names the file, for one that was cut, FileNotFoundError
    for one that is gone.
    """
    try:
        with PARSING:
            array: Array = np.load(path, mmap_mode="r")
    except (ValueError, EOFError) as error:
        raise cut(path, error) from error
    return array


def cut(path: str | Path, why: object) -> ValueError:
    """Returns the error of a file that does not hold what was written there."""
    return ValueError(f"{path} is cut or changed ({why}); copy it anew, or make it again")


def read_npy(file: IO[bytes]) -> Any:
    """Returns what is in an open file of unknown origin, pickled objects refused. Raises as
    `numpy.load` does.
    """
    with PARSING:
        return np.load(file, allow_pickle=False)
