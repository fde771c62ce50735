"""LAPACK's Cholesky routines in float64 that let other threads run.

These are the compiled routines that scipy carries (`scipy.linalg.cython_lapack`), called through
ctypes, which gives Python's lock back for the time of a call; scipy's own wrappers hold it, so that
threads that factor matrices side by side take turns. Matrices are in Fortran's order (columns are
contiguous) and are overwritten; only lower triangles are read.
"""

from __future__ import annotations

import ctypes
import functools

import numpy as np
from scipy.linalg import cython_lapack


@functools.cache
def routine(name: str, arguments: int):
    """the compiled routine `name`, whose `arguments` parameters are all addresses."""
    pointer_of, name_of = ctypes.pythonapi.PyCapsule_GetPointer, ctypes.pythonapi.PyCapsule_GetName
    pointer_of.restype, pointer_of.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    name_of.restype, name_of.argtypes = ctypes.c_char_p, [ctypes.py_object]
    capsule = cython_lapack.__pyx_capi__[name]
    return ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * arguments)(
        pointer_of(capsule, name_of(capsule))
    )


def call(name: str, *arguments) -> int:
    """LAPACK's `info`; characters are bytes, numbers int, matrices float64 in Fortran's order."""
    info, passed = ctypes.c_int(0), []
    for value in arguments:
        if isinstance(value, np.ndarray):
            if value.dtype != np.float64 or not value.flags.f_contiguous:
                raise TypeError(
                    f"{name} takes float64 in Fortran's order; got {value.dtype}, strides "
                    f"{value.strides}"
                )
            passed.append(value.ctypes.data)
        else:
            passed.append(
                ctypes.byref(
                    ctypes.c_char(value) if isinstance(value, bytes) else ctypes.c_int(value)
                )
            )
    routine(name, len(passed) + 1)(*passed, ctypes.byref(info))
    return info.value


def inverse_root(matrix: np.ndarray) -> np.ndarray:
    """`matrix` [n, n], symmetric, is overwritten: lower triangular R, R' R its inverse. Raises
    LinAlgError if it is not positive definite.
    """
    n = len(matrix)
    failed = call("dpotrf", b"L", n, matrix, n)
    if failed:
        raise np.linalg.LinAlgError(f"of {n} leading minors number {failed} is not positive")
    call("dtrtri", b"L", b"N", n, matrix, n)
    np.copyto(matrix, 0, where=above_diagonal(n))
    return matrix


@functools.lru_cache(maxsize=8)
def above_diagonal(n: int) -> np.ndarray:
    """[n, n] bool in Fortran's order."""
    return np.tri(n, k=-1, dtype=bool).T
