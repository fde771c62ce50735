"""Analytic Hierarchy Process: pairwise win rates to affinities that sum to one (paper, section 3.3;
Saaty 1987).

W clipped to [0.001, 0.999]; W'[i, j] = W[i, j] / W[j, i]; the principal right eigenvector of W',
non-negative, sum 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

CLIP = 1e-3


@dataclass(frozen=True)
class Ahp:
    """affinity [n] sums to 1. eigenvalue: n for perfectly consistent comparisons. consistency:
    (eigenvalue - n)/(n - 1) over that of random reciprocal matrices of the same clip (below 0.1 is
    the usual limit). clipped: share of off-diagonal win rates at the clip. gap: second over first
    eigenvalue's modulus (near 1: the ranking hangs on little). reducible: was the unclipped
    tournament reducible (some transfers never win)?
    """

    affinity: np.ndarray
    eigenvalue: float
    consistency: float
    clipped: float
    gap: float
    reducible: bool


def affinities(wins: np.ndarray) -> Ahp:
    """wins: [n, n] in [0, 1] with wins + wins.T = 1 (a diagonal of 0.5). Raises ValueError for a
    matrix that is no tournament.
    """
    wins = np.asarray(wins, "float64")
    count = len(wins)
    if wins.shape != (count, count) or not count:
        raise ValueError(
            f"a tournament is a square matrix of at least one transfer, got {wins.shape}"
        )
    if not np.isfinite(wins).all() or wins.min() < 0 or wins.max() > 1:
        raise ValueError(f"win rates lie in [0, 1], got {wins.min()} to {wins.max()}")
    if np.abs(wins + wins.T - 1).max() > 1e-6:
        raise ValueError(
            "wins[i, j] + wins[j, i] = 1; this matrix breaks it by "
            + f"{np.abs(wins + wins.T - 1).max():g}"
        )
    ratio = reciprocal(wins)
    first, second, principal = leading(ratio)
    index = (first - count) / (count - 1) if count > 1 else 0.0
    other = ~np.eye(count, dtype=bool)
    return Ahp(
        principal / principal.sum(),
        first,
        index / random_index(min(count, 200)) if count > 2 else 0.0,
        float((np.abs(wins - 0.5) >= 0.5 - CLIP)[other].mean()) if count > 1 else 0.0,
        second / first,
        reducible(wins),
    )


def reciprocal(wins: np.ndarray) -> np.ndarray:
    """win rates [..., n, n] -> W' = W / W.T of the clipped rates: positive, so that Perron and
    Frobenius promise a positive principal eigenvector.
    """
    clipped = np.clip(wins, CLIP, 1 - CLIP)
    return clipped / np.swapaxes(clipped, -1, -2)


def leading(ratio: np.ndarray) -> tuple[float, float, np.ndarray]:
    """positive [n, n] -> (first eigenvalue, modulus of the second, principal eigenvector). Dense
    below 50, Arnoldi (ARPACK, fixed start) above.
    """
    count = len(ratio)
    if count < 50:
        values, vectors = np.linalg.eig(ratio)
    else:
        from scipy.sparse.linalg import eigs

        values, vectors = eigs(ratio, k=3, v0=np.ones(count), tol=1e-12, ncv=min(count - 1, 40))
    order = np.argsort(-np.abs(values))
    second = float(np.abs(values[order[1]])) if count > 1 else 0.0
    return float(values[order[0]].real), second, np.abs(vectors[:, order[0]].real)


def principal_vectors(wins: np.ndarray, *, tolerance: float = 1e-6, most: int = 500) -> np.ndarray:
    """win rates [batch, n, n] -> affinities [batch, n], each summing to 1, by power iteration on
    all matrices at once (bootstrap).
    """
    ratio = reciprocal(np.asarray(wins, "float32"))
    vectors = np.full(ratio.shape[:2], 1 / ratio.shape[1], "float32")
    for _ in range(most):
        following = np.matmul(ratio, vectors[..., None])[..., 0]
        following /= following.sum(1, keepdims=True)
        change = np.abs(following - vectors).max()
        vectors = following
        if change < tolerance:
            break
    return vectors


@lru_cache
def random_index(count: int) -> float:
    """mean consistency index of random reciprocal matrices with uniform win rates, seeded (Saaty's
    random index for this scale). It hardly changes with the size of the matrix, so that large
    tournaments are compared with matrices of 200.
    """
    rng, total, draws = np.random.default_rng(count), 0.0, 20 if count <= 60 else 3
    for _ in range(draws):
        upper = np.triu(rng.uniform(CLIP, 1 - CLIP, (count, count)), 1)
        total += (
            leading(reciprocal(upper + np.tril(1 - upper.T, -1) + np.eye(count) / 2))[0] - count
        ) / (count - 1)
    return max(total / draws, 1e-9)


def reducible(wins: np.ndarray) -> bool:
    """is the graph of "ever beats" not strongly connected?"""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    return connected_components(csr_matrix(wins > 0), directed=True, connection="strong")[0] > 1
