"""The kernels that work on whole rows against the same sums pixel by pixel, holes and image borders
included.
"""

import numpy as np
import pytest

from models.tasks.labels.depth_borders import (
    REACH,
    WAYS,
    border_scores,
    framed,
    jump,
    neighbourhoods,
)
from models.tasks.labels.narf import places


@pytest.fixture
def rough():
    """(points [3, 40, 40], metres away [40, 40]) of a noisy surface with steps and holes."""
    rng = np.random.default_rng(0)
    depth = (
        2 + 0.05 * rng.random((40, 40)) + (rng.random((10, 10)) > 0.7).repeat(4, 0).repeat(4, 1)
    ).astype("float32")
    depth[rng.random((40, 40)) < 0.05] = 0
    return places(depth, 0.5)


def test_the_spread_is_the_distance_of_the_ninth_nearest_of_25(rough):
    points, away = rough
    spread = neighbourhoods(framed(points, away), away, np.ones_like(away, bool))
    for y, x in np.ndindex(away.shape):
        square = np.s_[max(0, y - 2) : y + 3, max(0, x - 2) : x + 3]
        squared = ((points[(slice(None), *square)] - points[:, y, x, None, None]) ** 2).sum(0)[
            away[square] > 0
        ]
        assert spread[y, x] == pytest.approx(
            np.sort(squared)[:9][-1] if away[y, x] > 0 else -1, rel=1e-5
        )


def test_scores_of_whole_rows_are_those_of_single_pixels(rough):
    points, away = rough
    rows = framed(points, away)
    spread = neighbourhoods(rows, away, np.ones_like(away, bool))
    scores = border_scores(points, rows, away, spread)
    assert (scores > 0.5).any() and (scores < -0.5).any()
    for way, y, x in np.ndindex(scores.shape):
        expected = (
            jump(points, away, spread, y, x, WAYS[way, 1], WAYS[way, 0], REACH)
            if away[y, x] > 0
            else 0
        )
        assert scores[way, y, x] == np.float32(expected)
