"""The interest of NARF against its definition, pair of pixels by pair."""

import numpy as np

from models.tasks.labels import narf
from models.tasks.labels.narf import BINS, OPTIMAL, givers, handed_down, interesting, places

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
    needed = rng.random((24, 24)) < 0.9
    needed[4] = False
    found = interesting(points, away, spans, change, cell, usable, needed, START, RADIUS, coarser)
    best, clear = naive(points, away, spans, change, cell)
    turn = 2 * np.abs(np.arange(BINS)[:, None] - np.arange(BINS)) / BINS
    expected = clear * np.sqrt(
        (best[..., :, None] * best[..., None, :] * np.minimum(turn, 2 - turn)).max((2, 3))
    )
    expected = np.where(away < START, coarser.repeat(2, 0).repeat(2, 1), expected) * usable
    assert (away < START).any() and (expected[away >= START] > 0).any()
    np.testing.assert_allclose(found[needed], expected[needed], atol=1e-5)


def test_a_coarser_scale_scores_what_a_finer_one_takes(monkeypatch):
    depth = np.linspace(0.5, 5, 96, dtype="float32")[:, None].repeat(96, 1)
    depth[30:40, 20:70] *= np.float32(0.7)
    normal = np.random.default_rng(0).normal(size=(96, 96, 3)).astype("float32")
    scored = []

    def everything(needed, away, start):
        scored.append(handed_down(needed, away, start))
        return np.ones_like(scored[-1])

    few = narf.interest(depth, normal, 1.0)
    monkeypatch.setattr(narf, "handed_down", everything)
    np.testing.assert_array_equal(few, narf.interest(depth, normal, 1.0))
    assert 0 < scored[0].mean() < 1, "some of the coarser scale is needed, and not all of it"
    assert few.any()
