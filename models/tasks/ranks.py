"""Ranks and rank correlation, for every package. scipy.stats takes longer to load than a program
takes to solve, so it is loaded only when ranks of a long row are asked for.
"""

from __future__ import annotations

import numpy as np

from models.tasks.arrays import Array, Floats

# Values a row up to which comparing all pairs beats sorting row by row (seven times at 26: rankings
# of sources are drawn again a thousand times), and how many pairs are held at once.
SHORT = 64
COMPARISONS = 1 << 24


def ranks_of(values: Array) -> Floats:
    """Returns [..., n] ranks along the last axis, 1 for the smallest; ties share their mean
    rank.
    """
    values = np.asarray(values)
    count = values.shape[-1]
    if count > SHORT:
        from scipy.stats import rankdata

        return np.asarray(rankdata(values, axis=-1))
    rows = values.reshape(-1, count)
    step = max(1, COMPARISONS // max(1, count * count))
    parts = [ranks_of_rows(rows[i : i + step]) for i in range(0, len(rows), step)]
    return np.concatenate(parts).reshape(values.shape) if parts else np.zeros(values.shape)


def ranks_of_rows(rows: Array) -> Floats:
    """Returns [row, n] ranks in each row by comparing all pairs: one for each smaller value, half a
    rank for each equal other.
    """
    own = rows[:, :, None]
    # all pairs at once: how many are smaller, and half of the equal ones (itself among them)
    other = rows[:, None, :]
    return np.asarray((other < own).sum(-1) + ((other == own).sum(-1) + 1) / 2)


def correlation(first: Floats, second: Floats) -> Floats:
    """Returns [...], Pearson's correlation along the last axis of two arrays [..., n], each of mean
    0 there; NaN where one side is constant.
    """
    norm = np.sqrt((first**2).sum(-1) * (second**2).sum(-1))
    # a constant side has no norm: NaN says that there is no correlation
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((first * second).sum(-1) / norm)


def spearman(pair: Array) -> Floats:
    """Returns [...], the rank correlation of a pair [2, ..., n] along the last axis; NaN if one
    side is constant.
    """
    ranks = ranks_of(pair)
    first, second = ranks - ranks.mean(-1, keepdims=True)
    return correlation(first, second)
