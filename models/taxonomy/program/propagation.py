"""Derives what the rules of a program imply for single variables. A solver's presolving does more,
but GLPK's may never end, or may end the process, on rules that contradict each other.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix, vstack

from models.tasks.arrays import Bools, Floats
from models.taxonomy.program.program import SLACK, Program


def contradictory(program: Program) -> bool:
    """Returns True if the rules contradict each other for variables that are 0 or 1, as far as
    bounds show it. A variable is fixed if one of its values breaks a row even with all others at
    their best for that row; this repeats until nothing more is fixed. False does not promise that
    there is a policy.
    """
    # equalities are rows in both directions
    rows = vstack([program.a, program.c, -program.c]).tocsr()
    limits = np.concatenate([program.b, program.d, -program.d])
    limits = limits + SLACK * np.maximum(1.0, np.abs(limits))
    low, high = program.low.copy(), program.high.copy()
    adding, taking = rows.maximum(0).tocsr(), rows.minimum(0).tocsr()
    while True:
        least = adding @ low + taking @ high
        if (low > high).any() or (least > limits).any():
            return True
        open_ = high - low
        # a variable keeps its best value for a row if changing it would exceed the row's limit
        zero = passes(adding, open_, limits - least)
        one = passes(-taking, open_, limits - least)
        if not (zero.any() or one.any()):
            return False
        high = np.where(zero, low, high)
        low = np.where(one & ~zero, high, low)
        if (zero & one).any():
            return True


def passes(entries: csr_matrix, open_: Floats, room: Floats) -> Bools:
    """Returns a mask [variable] bool: whether some row has less room than an open variable's entry
    (>= 0) takes.
    """
    coo = entries.tocoo()
    too_large = np.zeros(entries.shape[1], bool)
    too_large[coo.col[coo.data * open_[coo.col] > room[coo.row]]] = True
    return too_large
