"""LAPACK's Cholesky routines in float64 that let other threads run.

These are the compiled routines that scipy carries (`scipy.linalg.cython_lapack`), called through
ctypes, which gives Python's lock back for the time of a call; scipy's own wrappers hold it, so that
threads that factor matrices side by side take turns. Matrices are in Fortran's order (columns are
contiguous) and are overwritten; only lower triangles are read.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable

import numpy as np
from scipy.linalg import cython_lapack

from models.tasks.arrays import Bools, Floats


@functools.cache
def routine(name: str, arguments: int) -> Callable[..., None]:
    """Returns the compiled routine `name`, whose `arguments` parameters are all addresses."""
    pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
    pointer_of.restype = ctypes.c_void_p
    pointer_of.argtypes = [ctypes.py_object, ctypes.c_char_p]
    name_of = ctypes.pythonapi.PyCapsule_GetName
    name_of.restype = ctypes.c_char_p
    name_of.argtypes = [ctypes.py_object]
    # the capsule's name is the routine's signature in C, without which it gives no address
    capsule = cython_lapack.__pyx_capi__[name]
    address = pointer_of(capsule, name_of(capsule))
    return ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * arguments)(address)


def call(name: str, *arguments: bytes | int | Floats) -> int:
    """LAPACK's `info`; characters are bytes, numbers int, matrices [m, n] float64 in Fortran's
    order. Raises TypeError for another matrix.
    """
    info = ctypes.c_int(0)
    addresses: list[object] = []
    for value in arguments:
        if isinstance(value, np.ndarray):
            if value.dtype != np.float64 or not value.flags.f_contiguous:
                raise TypeError(
                    f"{name} takes float64 in Fortran's order; got {value.dtype}, strides "
                    f"{value.strides}"
                )
            addresses.append(value.ctypes.data)
        elif isinstance(value, bytes):
            addresses.append(ctypes.byref(ctypes.c_char(value)))
        else:
            addresses.append(ctypes.byref(ctypes.c_int(value)))
    routine(name, len(addresses) + 1)(*addresses, ctypes.byref(info))
    return info.value


def inverse_root(matrix: Floats) -> Floats:
    """Overwrites `matrix` [n, n], symmetric, with R, lower triangular, of which R' R is the
    inverse, and returns it. Raises LinAlgError if the matrix is not positive definite.
    """
    n = len(matrix)
    failed = call("dpotrf", b"L", n, matrix, n)
    if failed:
        raise np.linalg.LinAlgError(f"of {n} leading minors number {failed} is not positive")
    call("dtrtri", b"L", b"N", n, matrix, n)
    # above the diagonal LAPACK leaves what was there
    np.copyto(matrix, 0, where=above_diagonal(n))
    return matrix


@functools.lru_cache(maxsize=8)
def above_diagonal(n: int) -> Bools:
    """Returns [n, n] bool in Fortran's order: the places above the diagonal."""
    return np.tri(n, k=-1, dtype=bool).T
