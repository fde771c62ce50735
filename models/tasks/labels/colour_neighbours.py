"""Where a colour's ten nearest bins are: a table of the lattice, by cell and by how a colour is
folded.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from models.tasks.arrays import Bools, Integers
from models.tasks.labels.colours import BINS, lattice

# In steps from the centre that is nearest, what can be among the ten nearest to a folded colour
# (`block_kernels`): three by three without a corner, and a far one, the nine that always are; and
# three of which one is, that corner first.
FAR = (2, 0)
TENTHS = ((-1, -1), (0, 2), (2, 1))
# Points of the lattice, along a and along b, to which a colour of sRGB can be nearest: from -REACH,
# CELLS of them. Two more on each side, since bins are looked up that far.
REACH = 13
CELLS = 2 * REACH + 1


@dataclass(frozen=True)
class Neighbours:
    """For every point of the lattice (a first, from -REACH), and each of the eight ways in which a
    colour beside it is folded, where its ten bins are. index: [CELLS^2 8, 7] uint16, the first of
    three neighbours along b, a step down, none and a step up along a; the far one; the three of
    `TENTHS`; zeros where one of them is no bin. complete: [CELLS^2 8], whether all of them are.
    """

    index: Integers
    complete: Bools


@functools.cache
def neighbours() -> Neighbours:
    """Returns the table of all bins' neighbours."""
    centres = lattice() + REACH
    numbers = np.full((CELLS, CELLS), BINS)
    numbers[tuple(centres.T)] = np.arange(BINS)
    square = np.stack(np.meshgrid([-1, 0, 1], [-1, 0, 1], indexing="ij"), -1).reshape(9, 2)
    index = np.zeros((CELLS, CELLS, 8, 3 + 1 + len(TENTHS)), "uint16")
    complete = np.zeros((CELLS, CELLS, 8), "bool")
    for octant in range(8):
        around = centres[:, None] + np.concatenate([square, unfolded(octant)])
        bins = numbers[around[..., 0], around[..., 1]]
        # four numbers are written from the first of three
        whole = (bins < BINS).all(1) & (bins[:, 6] + 4 <= BINS)
        row, column = centres[whole].T
        complete[row, column, octant] = True
        index[row, column, octant] = bins[whole][:, [0, 3, 6, 9, 10, 11, 12]]
    return Neighbours(index.reshape(-1, index.shape[-1]), complete.reshape(-1))


def unfolded(octant: int) -> Integers:
    """Returns FAR and TENTHS, [4, 2], as they lie around a colour that was folded: 1 for a mirrored
    a, and 2 for a mirrored b, and 4 where they changed places.
    """
    offsets = np.array([FAR, *TENTHS])
    if octant & 4:
        offsets = offsets[:, ::-1]
    return offsets * [-1 if octant & 1 else 1, -1 if octant & 2 else 1]
