"""Cuts a weighted graph in two again and again, by normalised cuts (Shi and Malik 2000).

A picture's graph is cut a hundred times, mostly into parts of a few regions, for which calls from
Python took longer than LAPACK. So all cuts of a graph are one compiled function, which calls
LAPACK's routine itself.
"""

from __future__ import annotations

import llvmlite.binding
import numba
import numpy as np
from numba import types
from numba.extending import get_cython_function_address

from models.tasks.arrays import Bools, Floats, Integers
from models.tasks.labels.regions import best_threshold, fill_subgraph

# scipy's own LAPACK, under a name by which compiled functions find it, those from the cache too:
# an address would be another one in every process.
llvmlite.binding.add_symbol(
    "taxonomy_dsyevr", get_cython_function_address("scipy.linalg.cython_lapack", "dsyevr")
)
_LETTER, _INTEGER, _REAL = map(types.CPointer, (types.uint8, types.int32, types.float64))
# fmt: off
_dsyevr = types.ExternalFunction("taxonomy_dsyevr", types.void(
    _LETTER, _LETTER, _LETTER,  # jobz, range, uplo
    _INTEGER, _REAL, _INTEGER,  # n, a, lda
    _REAL, _REAL, _INTEGER, _INTEGER, _REAL,  # vl, vu, il, iu, abstol
    _INTEGER, _REAL, _REAL, _INTEGER, _INTEGER,  # m, w, z, ldz, isuppz
    _REAL, _INTEGER, _INTEGER, _INTEGER, _INTEGER,  # work, lwork, iwork, liwork, info
))
# fmt: on


@numba.njit(cache=True, nogil=True, error_model="numpy")
def cut_apart(weights: Floats, threshold: float, steps: int) -> Integers:
    """Returns [n] int64, the number of the part that each node of a graph (weights [n, n]) ends in:
    a part is cut in two while its best cut, as `cut_in_two` finds it, costs less than `threshold`.
    """
    count = len(weights)
    part = np.empty(count, np.int64)
    nodes = np.arange(count)  # of every part one behind the other
    # where the parts that are still to be cut begin and end in `nodes`
    waiting = np.empty((count + 1, 2), np.int64)
    waiting[0, 0], waiting[0, 1] = 0, count
    depth, used = 1, 0
    while depth:
        depth -= 1
        first, last = waiting[depth]
        members = nodes[first:last].copy()
        # as scikit-image has it: two regions are not cut
        above = (
            cut_in_two(weights, members, threshold, steps)
            if len(members) > 2
            else np.zeros(len(members), np.bool_)
        )
        upper = above.sum()
        if upper == 0:
            part[members] = used
            used += 1
            continue
        middle = first + upper
        nodes[first:middle] = members[above]
        nodes[middle:last] = members[~above]
        waiting[depth, 0], waiting[depth, 1] = first, middle
        waiting[depth + 1, 0], waiting[depth + 1, 1] = middle, last
        depth += 2
    return part


@numba.njit(cache=True, nogil=True, error_model="numpy")
def cut_in_two(weights: Floats, members: Integers, threshold: float, steps: int) -> Bools:
    """Returns [n] bool, which of the members [n] of a graph lie on one side of the best cut among
    them, by the best of `steps` thresholds of the second eigenvector; none of them if no cut costs
    less than `threshold`.
    """
    n = len(members)
    # column by column, as LAPACK wants it
    part, degree, laplacian = np.empty((n, n)), np.empty(n), np.empty((n, n)).T
    fill_subgraph(weights, members, part, degree, laplacian)
    values, vectors = two_smallest(laplacian)
    whole = np.zeros(n, np.bool_)
    # no cut costs less than the second (Shi and Malik, section 2.1); the margin is rounding
    if values[1] > threshold + 1e-9:
        return whole
    cost, level = best_threshold(vectors[1], part, degree, steps)
    return whole if cost >= threshold else vectors[1] > level


@numba.njit(cache=True, nogil=True, error_model="numpy")
def two_smallest(matrix: Floats) -> tuple[Floats, Floats]:
    """Returns (the two smallest eigenvalues, followed by numbers without meaning [n]; their
    eigenvectors [2, n]) of a symmetric matrix [n, n] whose columns are contiguous, and overwrites
    it. Work spaces are as large as scipy.linalg.lapack.dsyevr's, on which the last bits depend.
    """
    n = len(matrix)
    values, vectors = np.empty(n), np.empty((2, n))
    # eigenvectors too; by their numbers (1 to 2); from the lower triangle
    letters = np.array([ord("V"), ord("I"), ord("L")], np.uint8)
    size, low, high = np.array([n], np.int32), np.array([1], np.int32), np.array([2], np.int32)
    count, info, support = np.empty(1, np.int32), np.empty(1, np.int32), np.empty(4, np.int32)
    work, spare = np.empty(26 * n), np.empty(10 * n, np.int32)
    sizes = np.array([26 * n, 10 * n], np.int32)
    unused = np.zeros(1)  # limits of values, which are not asked for, and the default tolerance
    # fmt: off
    _dsyevr(
        letters.ctypes, letters[1:].ctypes, letters[2:].ctypes,
        size.ctypes, matrix.ctypes, size.ctypes,
        unused.ctypes, unused.ctypes, low.ctypes, high.ctypes, unused.ctypes,
        count.ctypes, values.ctypes, vectors.ctypes, size.ctypes, support.ctypes,
        work.ctypes, sizes.ctypes, spare.ctypes, sizes[1:].ctypes, info.ctypes,
    )
    # fmt: on
    return values, vectors
