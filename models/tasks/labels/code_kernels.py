"""Compiled loops over the codes of a map: what they stand for is written where it belongs, without
an array in between.
"""

from __future__ import annotations

from models.provenance.kernels import njit
from models.tasks.arrays import Array, Bytes, Integers


@njit(cache=True, nogil=True)
def look_up(codes: Integers, table: Array, numbers: Array) -> None:
    """Writes table[codes] into numbers; codes and numbers [n]."""
    for i in range(len(codes)):
        numbers[i] = table[codes[i]]


@njit(cache=True, nogil=True)
def look_up_channels(codes: Integers, table: Array, numbers: Array) -> None:
    """Writes a table [channels, levels] of its own for each of the first channels of codes [n,
    channels or more] into numbers [n, channels].
    """
    for channel in range(len(table)):
        row = table[channel]
        for i in range(len(codes)):
            numbers[i, channel] = row[codes[i, channel]]


@njit(cache=True, nogil=True)
def hide_from(codes: Integers, limit: int, numbers: Array) -> None:
    """Writes 0 into numbers [n] where codes [n] reach the limit."""
    for i in range(len(codes)):
        numbers[i] = 0 if codes[i] >= limit else numbers[i]


@njit(cache=True, nogil=True)
def known_normals(codes: Bytes, known: Bytes) -> None:
    """Writes into known [S, S] 0 where codes [S, S, 3] are black or middle grey, else 1."""
    height, width = known.shape
    for y in range(height):
        for x in range(width):
            red = codes[y, x, 0]
            unknown = (red == 0) | (red == 128)
            unknown &= (codes[y, x, 1] == red) & (codes[y, x, 2] == red)
            known[y, x] = 0 if unknown else 1
