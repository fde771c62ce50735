"""What follows for single variables from the rules of a program, by hand: a solver's presolving
does more, but GLPK's may loop for ever, or end the process, on rules that contradict each other.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix, vstack

from models.tasks.arrays import Bools, Floats
from models.taxonomy.program.program import SLACK, Program


def contradictory(program: Program) -> bool:
    """do rules contradict each other although each variable is 0 or 1? Found by bounds alone: what
    a row cannot have at 1 (or at 0), the others at their best for it, is fixed, until nothing
    follows; False is no promise that there is a policy.
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
        # a variable whose change from its best value for a row would pass the row's limit keeps it
        zero = passes(adding, open_, limits - least)
        one = passes(-taking, open_, limits - least)
        if not (zero.any() or one.any()):
            return False
        high = np.where(zero, low, high)
        low = np.where(one & ~zero, high, low)
        if (zero & one).any():
            return True


def passes(entries: csr_matrix, open_: Floats, room: Floats) -> Bools:
    """[variable] bool: has some row less room than an open variable's entry (>= 0) takes?"""
    coo = entries.tocoo()
    found = np.zeros(entries.shape[1], bool)
    found[coo.col[coo.data * open_[coo.col] > room[coo.row]]] = True
    return found
