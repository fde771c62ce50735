"""Jigsaw permutations that are far apart: chosen greedily by the largest minimum Hamming distance
(Noroozi and Favaro 2016).

The published table maximises the summed distance instead and holds pairs that differ in two tiles
only.
"""

from __future__ import annotations

import functools

import numpy as np

from models.tasks.arrays import Integers

JIGSAW_PERMUTATIONS = 100  # of the released configuration, classes of the jigsaw task


@functools.cache
def permutation_set(count: int = JIGSAW_PERMUTATIONS, seed: int = 0, tiles: int = 9) -> Integers:
    """Returns [count, tiles] int64 distinct permutations, the identity never among them; slot i of
    the input shows tile row[i]. Raises ValueError if there are not so many.
    """
    # in lexicographic order the identity is the first
    every = all_permutations(tiles)[1:]
    if not 1 <= count <= len(every):
        raise ValueError(
            f"between 1 and {len(every)} permutations of {tiles} tiles exist besides the "
            f"identity, asked for {count}"
        )
    # slot by slot: numpy's sums over a last axis of nine are slow
    slots = np.ascontiguousarray(every.T)
    selection = [int(np.random.default_rng(seed).integers(len(every)))]
    nearest = np.full(len(every), tiles + 1, "int8")
    for _ in range(count - 1):
        distance = (slots != slots[:, selection[-1], None]).sum(0, dtype="int8")
        np.minimum(nearest, distance, out=nearest)
        selection.append(int(nearest.argmax()))
    return every[selection].astype("int64")


def all_permutations(count: int) -> Integers:
    """Returns [count!, count] int8, in lexicographic order."""
    rows = np.zeros((1, 0), "int8")
    for size in range(1, count + 1):
        first = np.repeat(np.arange(size, dtype="int8"), len(rows))[:, None]
        others = np.tile(rows, (size, 1))
        # the others in order: those from the first on move up by one
        rows = np.concatenate([first, others + (others >= first)], 1, dtype="int8")
    return rows
