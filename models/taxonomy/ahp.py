"""Analytic Hierarchy Process: pairwise win rates to affinities that sum to one (paper, section 3.3; Saaty 1987).

W clipped to [0.001, 0.999]; W'[i, j] = W[i, j] / W[j, i]; the principal right eigenvector of W', non-negative, sum 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CLIP = 1e-3


@dataclass(frozen=True)
class Ahp:
    """affinity [n] sums to 1. eigenvalue: n for perfectly consistent comparisons. consistency: (eigenvalue - n)/(n - 1) over that of random
    reciprocal matrices of the same clip (below 0.1 is the usual limit). clipped: share of off-diagonal win rates at the clip. gap: second over
    first eigenvalue's modulus (near 1: the ranking hangs on little). reducible: was the unclipped tournament reducible (some transfers never win)?
    """

    affinity: np.ndarray
    eigenvalue: float
    consistency: float
    clipped: float
    gap: float
    reducible: bool


def affinities(wins: np.ndarray) -> Ahp:
    """wins: [n, n] in [0, 1] with wins + wins.T = 1 (a diagonal of 0.5). Raises ValueError for a matrix that is no tournament."""
    wins = np.asarray(wins, "float64")
    count = len(wins)
    if wins.shape != (count, count) or not count:
        raise ValueError(f"a tournament is a square matrix of at least one transfer, got {wins.shape}")
    if not np.isfinite(wins).all() or wins.min() < 0 or wins.max() > 1:
        raise ValueError(f"win rates lie in [0, 1], got {wins.min()} to {wins.max()}")
    if np.abs(wins + wins.T - 1).max() > 1e-6:
        raise ValueError("wins[i, j] + wins[j, i] = 1; this matrix breaks it by " + f"{np.abs(wins + wins.T - 1).max():g}")
    clipped = np.clip(wins, CLIP, 1 - CLIP)
    ratio = clipped / clipped.T
    values, vectors = np.linalg.eig(ratio)
    order = np.argsort(-np.abs(values))
    principal = np.abs(vectors[:, order[0]].real)
    other = ~np.eye(count, dtype=bool)
    index = (values[order[0]].real - count) / (count - 1) if count > 1 else 0.0
    return Ahp(
        principal / principal.sum(),
        float(values[order[0]].real),
        float(index / random_index(count)) if count > 2 else 0.0,
        float((np.abs(wins - 0.5) >= 0.5 - CLIP)[other].mean()) if count > 1 else 0.0,
        float(np.abs(values[order[1]] / values[order[0]])) if count > 1 else 0.0,
        reducible(wins),
    )


def random_index(count: int, draws: int = 20) -> float:
    """mean consistency index of random reciprocal matrices with uniform win rates, seeded (Saaty's random index for this scale)."""
    rng, total = np.random.default_rng(count), 0.0
    for _ in range(draws if count <= 60 else 3):
        upper = np.triu(rng.uniform(CLIP, 1 - CLIP, (count, count)), 1)
        wins = upper + np.tril(1 - upper.T, -1) + np.eye(count) / 2
        total += (np.abs(np.linalg.eigvals(wins / wins.T)).max() - count) / (count - 1)
    return max(total / (draws if count <= 60 else 3), 1e-9)


def reducible(wins: np.ndarray) -> bool:
    """is the graph of "ever beats" not strongly connected?"""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    return connected_components(csr_matrix(wins > 0), directed=True, connection="strong")[0] > 1
