"""Which sets of sources are measured: all singles and pairs, and larger sets by the rule of the
released study.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence

# Sets of so many sources are drawn from so many best ones (the released study's rule; larger sets
# are the best ones together).
TOP = {2: 5, 3: 5, 4: 6}


def first_wave(count: int, order: int, rule: str) -> list[tuple[int, ...]]:
    """Returns the sets that need no ranking: singles, and all pairs under "all_pairs"."""
    most = min(order, 2 if rule == "all_pairs" else 1)
    return [
        subset
        for size in range(1, most + 1)
        for subset in itertools.combinations(range(count), size)
    ]


def second_wave(
    ranked: Sequence[int], order: int, rule: str, controls: Collection[int] = ()
) -> list[tuple[int, ...]]:
    """Returns the larger sets of sources for one target. ranked: its sources by first-order loss,
    best first. controls: those of them that nobody trained.

    Orders 2 to 4: all subsets of the best five (order 4: six); from 5 on the beam of one, the best
    `n` together, controls left out as in the released study. Each subset is sorted by index.
    """
    trained = [source for source in ranked if source not in controls]
    subsets: list[tuple[int, ...]] = []
    for size in range(3 if rule == "all_pairs" else 2, order + 1):
        best = ranked[: TOP[size]] if size in TOP else trained[:size]
        subsets += [tuple(sorted(subset)) for subset in itertools.combinations(best, size)]
    return subsets
