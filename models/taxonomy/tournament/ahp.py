"""Analytic Hierarchy Process: turns pairwise win rates into affinities that sum to one (paper,
section 3.3; Saaty 1987).

W is clipped to [0.001, 0.999]; W'[i, j] = W[i, j] / W[j, i]; the affinities are the principal right
eigenvector of W', non-negative, with sum 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from models.tasks.arrays import Bools, Floats

# the authors' clip: a rate of 0 or 1 would make the ratio W' zero or infinite
CLIP = 1e-3
DENSE = 50  # number of players below which computing all eigenvalues is as fast as three


@dataclass(frozen=True)
class Ahp:
    """The affinities of a tournament and how far they can be trusted. affinity: [n], sums to 1.
    eigenvalue: n for perfectly consistent comparisons. consistency: (eigenvalue - n)/(n - 1)
    divided by that of random reciprocal matrices of the same clip (below 0.1 is the usual limit).
    clipped: share of off-diagonal win rates at the clip. gap: modulus of the second eigenvalue over
    the first (near 1: small changes reorder the ranking). reducible: whether the unclipped
    tournament is reducible, as when some transfers never win.
    """

    affinity: Floats
    eigenvalue: float
    consistency: float
    clipped: float
    gap: float
    reducible: bool


def affinities(wins: Floats) -> Ahp:
    """Returns the affinities of the players of one tournament. wins: [n, n] in [0, 1] with wins +
    wins.T = 1 (so 0.5 on the diagonal). Raises ValueError for a matrix that is no tournament.
    """
    wins = np.asarray(wins, "float64")
    check_wins(wins)
    count = len(wins)
    first, second, principal = leading(reciprocal(wins))
    return Ahp(
        principal / principal.sum(),
        first,
        consistency(first, count),
        clipped_share(wins),
        # the second eigenvalue's share: how fast power iteration converges, and how little
        # separates rankings
        second / first,
        reducible(wins),
    )


def check_wins(wins: Floats) -> None:
    """Raises ValueError unless `wins` [transfer, transfer] holds the win rates of a tournament."""
    count = len(wins)
    if wins.shape != (count, count) or not count:
        raise ValueError(
            f"a tournament is a square matrix of at least one transfer, got {wins.shape}"
        )
    if not np.isfinite(wins).all() or wins.min() < 0 or wins.max() > 1:
        raise ValueError(f"win rates lie in [0, 1], got {wins.min()} to {wins.max()}")
    excess = np.abs(wins + wins.T - 1).max()
    if excess > 1e-6:
        raise ValueError(f"wins[i, j] + wins[j, i] = 1; this matrix breaks it by {excess:g}")


def consistency(eigenvalue: float, count: int) -> float:
    """Returns Saaty's consistency ratio; 0 for one or two players, which are always consistent."""
    if count <= 2:
        return 0.0
    # Saaty's index over its mean for random matrices: 1 for random comparisons
    return (eigenvalue - count) / (count - 1) / random_index(min(count, 200))


def clipped_share(wins: Floats) -> float:
    """Returns the share of the comparisons between different players of wins [n, n] that the clip
    changes.
    """
    # the diagonal is 0.5 by definition
    others = ~np.eye(len(wins), dtype=bool)
    return float((np.abs(wins - 0.5) >= 0.5 - CLIP)[others].mean()) if len(wins) > 1 else 0.0


def reciprocal(wins: Floats) -> Floats:
    """Returns W' = W / W.T of the clipped win rates [..., n, n]. All entries are positive, so its
    principal eigenvector is positive as well (theorem of Perron and Frobenius).
    """
    clipped = np.clip(wins, CLIP, 1 - CLIP)
    return clipped / np.swapaxes(clipped, -1, -2)


def reciprocal_of_pairs(rates: Floats) -> Floats:
    """Returns the entries [...] of W' for win rates [...] of some players over others. The entries
    for the reversed pairs are their reciprocals.
    """
    clipped = np.clip(rates, CLIP, 1 - CLIP)
    return np.asarray(clipped / (1 - clipped))


def placed(rates: Floats, affinity: Floats, eigenvalue: Floats | float) -> Floats:
    """Returns the affinity [...] that one more player has on the scale of a finished tournament,
    whose own affinities do not change.

    rates [..., n]: share of images on which the player beats each player of the tournament.
    affinity [..., n] and eigenvalue [...]: those of the tournament. The result is the player's own
    row of the AHP's equation W' v = eigenvalue v. A copy of a player gets exactly that player's
    affinity. In a consistent tournament (eigenvalue n, W'[i, j] = v[i] / v[j]) the result is the
    affinity that the player's ratios give.
    """
    # only the player's own row of the equation: put into the matrix, the player would change the
    # vector
    return (reciprocal_of_pairs(rates) * affinity).sum(-1) / eigenvalue


def leading(ratio: Floats) -> tuple[float, float, Floats]:
    """Returns (first eigenvalue, modulus of the second, principal eigenvector) of a positive matrix
    [n, n]. Computes all eigenvalues below DENSE players, and three by Arnoldi iteration (ARPACK,
    fixed start) from there on.
    """
    count = len(ratio)
    if count < DENSE:
        values, vectors = np.linalg.eig(ratio)
    else:
        from scipy.sparse.linalg import eigs  # small tournaments do not need this import

        # ARPACK draws a start at random unless it is given one: digits would differ from run to run
        values, vectors = eigs(ratio, k=3, v0=np.ones(count), tol=1e-12, ncv=min(count - 1, 40))
    order = np.argsort(-np.abs(values))
    second = float(np.abs(values[order[1]])) if count > 1 else 0.0
    # Perron and Frobenius: the eigenvalue of largest modulus is real, and its vector has one sign,
    # which solvers choose freely
    return float(values[order[0]].real), second, np.abs(vectors[:, order[0]].real)


def principal_vectors(wins: Floats, *, tolerance: float = 1e-6, most: int = 500) -> Floats:
    """Returns the affinities [batch, n] float32 of win rates [batch, n, n], each row
    summing to 1.
    """
    return principal_pairs(wins, tolerance=tolerance, most=most)[0]


def principal_pairs(
    wins: Floats, *, tolerance: float = 1e-6, most: int = 500
) -> tuple[Floats, Floats]:
    """Returns (affinities [batch, n], eigenvalues [batch]) of win rates [batch, n, n], both
    float32.
    """
    ratio = reciprocal(np.asarray(wins, "float32"))
    return leading_pairs(ratio, tolerance=tolerance, most=most)


def leading_pairs(
    ratio: Floats, *, tolerance: float = 1e-6, most: int = 500
) -> tuple[Floats, Floats]:
    """Returns (principal eigenvectors [batch, n], each summing to 1, eigenvalues [batch]) of
    positive matrices [batch, n, n] float32, by power iteration on all matrices at once (for the
    bootstrap).
    """
    # all matrices are positive, so any positive start converges
    vectors = np.full(ratio.shape[:2], 1 / ratio.shape[1], "float32")
    values = np.full(len(ratio), ratio.shape[1], "float32")
    for _ in range(most):
        following = np.matmul(ratio, vectors[..., None])[..., 0]
        values = following.sum(1)  # the vectors sum to 1
        following /= values[:, None]
        # the slowest matrix of the batch decides when all of them stop
        change = np.abs(following - vectors).max()
        vectors = following
        if change < tolerance:
            break
    return vectors, values


@lru_cache
def random_index(count: int) -> float:
    """Returns the mean consistency index of seeded random reciprocal matrices with uniform win
    rates (Saaty's random index for this scale). It hardly changes with the size of the matrix, so
    callers use 200 for larger tournaments.
    """
    rng = np.random.default_rng(count)
    # large matrices vary less, so three draws are enough
    draws = 20 if count <= 60 else 3
    indices = []
    for _ in range(draws):
        upper = np.triu(rng.uniform(CLIP, 1 - CLIP, (count, count)), 1)
        # the loser's share below the diagonal and 0.5 on it make these the rates of a tournament
        wins = upper + np.tril(1 - upper.T, -1) + np.eye(count) / 2
        indices.append((leading(reciprocal(wins))[0] - count) / (count - 1))
    # not 0, because `consistency` divides by it
    return max(float(np.mean(indices)), 1e-9)


def reducible(wins: Floats | Bools) -> bool:
    """Returns whether the graph of "ever beats", of wins [n, n], is not strongly connected."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    graph = csr_matrix(wins > 0)
    return bool(connected_components(graph, directed=True, connection="strong")[0] > 1)
