"""The compiled loop that looks for the shares of a map."""

from __future__ import annotations

from models.provenance.kernels import njit
from models.tasks.arrays import Array


@njit(cache=True, nogil=True, error_model="numpy")
def write_sparse(rows: Array, numbers: Array, goal: Array) -> int:
    """Writes the sparse form of rows [m, channels] into goal [m, 2 count]; all of one dtype, halves
    as the bits of theirs. numbers: [channels], of the channels. Returns the first row that has more
    than `count` shares, -1 if there is none.
    """
    channels, count = rows.shape[1], goal.shape[1] // 2
    for i in range(len(rows)):
        place = 0
        for channel in range(channels):
            if rows[i, channel] != 0:
                if place == count:
                    return i
                goal[i, place] = numbers[channel]
                goal[i, count + place] = rows[i, channel]
                place += 1
        for rest in range(place, count):
            goal[i, rest] = 0
            goal[i, count + rest] = 0
    return -1
