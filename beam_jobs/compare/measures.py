"""Measures of how alike two maps are."""

from __future__ import annotations

import numpy as np

from models.tasks.arrays import Array, Floats


def correlation(ours: Array, label: Array) -> float:
    """Returns Pearson's correlation of two arrays [...] of one shape. Where it is not defined,
    since a map has one value throughout: 1 if both have (they differ by an offset alone, which the
    correlation does not see), 0 if one has.
    """
    constant = [bool((values == values.flat[0]).all()) for values in (ours, label)]
    if any(constant):
        return float(all(constant))
    return float(np.corrcoef(ours.ravel().astype("float64"), label.ravel().astype("float64"))[0, 1])


def adjusted_rand(ours: Array, label: Array) -> float:
    """Returns Hubert and Arabie's adjusted Rand index of two maps of ids [S, S]: 1 for the same
    partition, 0 for chance. Where chance alone gives the same partition (both of one segment, or
    both of single pixels) it is 1 by definition.
    """
    together = np.zeros((int(ours.max()) + 1, int(label.max()) + 1))
    np.add.at(together, (ours.ravel(), label.ravel()), 1)
    both = pairs(together)
    first = pairs(together.sum(1))
    second = pairs(together.sum(0))
    most = pairs(np.array([float(ours.size)]))
    if first == second and first in (0, most):
        return 1.0
    # pairs that two partitions of these sizes have in common by chance
    chance = first * second / most
    return float((both - chance) / ((first + second) / 2 - chance))


def pairs(counts: Floats) -> float:
    """Returns how many pairs can be drawn from within groups of these sizes [...]."""
    return float((counts * (counts - 1) / 2).sum())
