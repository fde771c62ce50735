"""The sparse form of a map of shares, [..., channels], of which few are not 0: [..., 2 count], the
numbers of the channels that have a share, rising, and behind them these shares; zeros where there
are fewer. A pixel of 313 colours takes 20 numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from models.tasks.arrays import Floats, Integers


def sparse(values: Floats, count: int) -> Floats:
    """Returns the sparse form of shares [..., channels], float16 or float32, in their dtype. Raises
    ValueError where more than `count` of a pixel are not 0.
    """
    from models.tasks.labels.sparse_kernels import write_sparse  # here: numba

    channels = values.shape[-1]
    kind = "uint16" if values.dtype == np.float16 else values.dtype
    rows = np.ascontiguousarray(values).reshape(-1, channels).view(kind)
    goal = np.empty((len(rows), 2 * count), values.dtype)
    crowded = write_sparse(
        rows, channel_numbers(channels, values.dtype).view(kind), goal.view(kind)
    )
    if crowded >= 0:
        raise ValueError(
            f"at most {count} shares of a pixel are expected, got "
            f"{np.count_nonzero(rows[crowded])} of {channels}"
        )
    return goal.reshape(*values.shape[:-1], 2 * count)


def channel_numbers(channels: int, kind: np.dtype[Any]) -> Floats:
    """Returns 0 to channels - 1 in a dtype of floats, which of halves holds 2,048."""
    return np.arange(channels).astype(kind)


def strongest(values: Floats) -> Integers:
    """Returns the number of the channel with the largest share, of the first of several, int64
    [...]; values: sparse, [..., 2 count].
    """
    numbers, shares = np.split(values, 2, axis=-1)
    place = shares.argmax(-1)[..., None]
    return np.take_along_axis(numbers, place, -1)[..., 0].astype("int64")
