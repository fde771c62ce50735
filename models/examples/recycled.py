"""Memory of large arrays that is used again when nobody holds them any more.

The C library gives blocks of more than 32 MiB back to the system at once, and the system clears
every page of the next one: for a batch of colours, 84 MB, that is a third of all that it takes.
"""

from __future__ import annotations

import weakref

import numpy as np
from numpy.typing import DTypeLike

from models.tasks.arrays import Array

# Bytes from which on the C library keeps no block (M_MMAP_THRESHOLD goes no higher).
LARGE = 32 << 20
# Most bytes of blocks that wait for the next array, in this process.
MOST = 256 << 20
# Blocks whose arrays are gone, by their size. Threads share them, and an array may end anywhere:
# each change is one call, which nothing interrupts.
WAITING: dict[int, list[memoryview]] = {}


def empty(shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    """Returns an array of any content, as `np.empty` does; a large one in the memory of another of
    as many bytes, if one has been let go.
    """
    kind = np.dtype(dtype)
    size = int(np.prod(shape, dtype=np.int64)) * kind.itemsize
    if size < LARGE:
        return np.empty(shape, kind)
    block = block_of(size)
    # views of an array refer to the first that has no memory of its own: this one
    whole = np.frombuffer(block, "uint8")
    weakref.finalize(whole, let_wait, block).atexit = False
    return whole.view(kind).reshape(shape)


def block_of(size: int) -> memoryview:
    """Returns `size` bytes: a block that waits, if there is one."""
    try:
        return WAITING[size].pop()
    except (KeyError, IndexError):
        return np.empty(size, "uint8").data


def let_wait(block: memoryview) -> None:
    """Keeps a block for the next array of its size; all others go where they would be too many."""
    if sum(size * len(blocks) for size, blocks in list(WAITING.items())) + len(block) > MOST:
        WAITING.clear()
    if len(block) <= MOST:
        WAITING.setdefault(len(block), []).append(block)
