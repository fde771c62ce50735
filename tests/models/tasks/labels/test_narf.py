"""The interest of NARF against its definition, pair of pixels by pair."""

import numpy as np

from models.tasks.labels.narf import BINS, OPTIMAL, givers, interesting, places

RADIUS, START = np.float32(0.15), np.float32(2.1)


def naive(points, away, spans, change, cell):
    """(best score of every direction at every pixel [24, 24, BINS], its freedom of near changes
    [24, 24]).
    """
    best, clear = np.zeros((*away.shape, BINS)), np.ones(away.shape)
    for y, x, reach in spans:
        for v, u in np.ndindex(away.shape):
            far, share = (
                max(abs(v - y), abs(u - x)),
                np.linalg.norm(points[:, v, u] - points[:, y, x]) / RADIUS,
            )
            if far > reach or away[v, u] < START or (share > 1 and far > 1):
                continue
            best[v, u, cell[y, x]] = max(
                best[v, u, cell[y, x]], change[y, x] * (1 if far < 2 else 1 - share)
            )
            clear[v, u] = min(
                clear[v, u], (1 - 0.5 * change[y, x] * max(1 - share / OPTIMAL, 0)) ** 2
            )
    return best, clear


def test_the_best_two_directions_at_a_right_angle_make_the_score():
    rng = np.random.default_rng(0)
    points, away = places((2 + 0.3 * rng.random((24, 24))).astype("float32"), 0.5)
    change = np.where(rng.random((24, 24)) < 0.1, rng.random((24, 24)), 0).astype("float32")
    cell, coarser, usable = (
        rng.integers(0, BINS, (24, 24)).astype("uint8"),
        rng.random((12, 12)).astype("float32"),
        rng.random((24, 24)) < 0.9,
    )
    spans = givers(points, change, RADIUS)
    found = interesting(points, away, spans, change, cell, usable, START, RADIUS, coarser)
    best, clear = naive(points, away, spans, change, cell)
    turn = 2 * np.abs(np.arange(BINS)[:, None] - np.arange(BINS)) / BINS
    wanted = clear * np.sqrt(
        (best[..., :, None] * best[..., None, :] * np.minimum(turn, 2 - turn)).max((2, 3))
    )
    wanted = np.where(away < START, coarser.repeat(2, 0).repeat(2, 1), wanted) * usable
    assert (away < START).any() and (wanted[away >= START] > 0).any()
    np.testing.assert_allclose(found, wanted, atol=1e-5)
