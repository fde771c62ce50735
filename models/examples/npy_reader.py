"""Array files, read by many threads: Beam's workers in memory, and those that feed training.

The header of a `.npy` file is a Python literal, and in CPython before 3.11.8 two threads that
parse may fail each other (`SystemError: AST constructor recursion depth mismatch`,
https://github.com/python/cpython/issues/106905).
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import IO, Any

import numpy as np

from models.tasks.arrays import Array

PARSING = threading.Lock()


def map_npy(path: str | Path) -> Array:
    """the array in a file, memory-mapped for reading. Raises as `numpy.load` does."""
    with PARSING:
        array: Array = np.load(path, mmap_mode="r")
    return array


def read_npy(file: IO[bytes]) -> Any:
    """what is in a stranger's open file, pickled objects refused. Raises as `numpy.load` does."""
    with PARSING:
        return np.load(file, allow_pickle=False)
