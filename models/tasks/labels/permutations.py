"""Jigsaw permutations far apart: greedy choice by the largest smallest Hamming distance (Noroozi
and Favaro 2016).

The published table maximises the summed distance instead and holds pairs that differ in two tiles
only.
"""

from __future__ import annotations

import functools
import itertools

import numpy as np

from models.tasks.arrays import Integers

JIGSAW_PERMUTATIONS = 100  # of the released configuration, classes of the jigsaw task


@functools.cache
def permutation_set(count: int = JIGSAW_PERMUTATIONS, seed: int = 0, tiles: int = 9) -> Integers:
    """[count, tiles] int64 distinct permutations, the identity never among them; slot i of the
    input shows tile row[i].
    """
    # in lexicographic order the identity is the first
    every = np.array(list(itertools.permutations(range(tiles))), "int8")[1:]
    if not 1 <= count <= len(every):
        raise ValueError(
            f"between 1 and {len(every)} permutations of {tiles} tiles exist besides the "
            f"identity, asked for {count}"
        )
    chosen = [int(np.random.default_rng(seed).integers(len(every)))]
    nearest = np.full(len(every), tiles + 1, "int8")
    for _ in range(count - 1):
        np.minimum(nearest, (every != every[chosen[-1]]).sum(1, dtype="int8"), out=nearest)
        chosen.append(int(nearest.argmax()))
    return every[chosen].astype("int64")
