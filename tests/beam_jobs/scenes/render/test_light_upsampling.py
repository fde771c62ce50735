"""The compiled window against its definition, pixel by pixel."""

import numpy as np
import pytest

from beam_jobs.scenes.render.light_upsampling import ALIKE, THICK, rejoined

SIZE = 67  # more than a tile, so that windows reach over its border


def naive(light, points, planes, material, sampled, step):
    """`rejoined` by the definition."""
    out, grid = np.zeros_like(light), np.arange(SIZE * SIZE).reshape(SIZE, SIZE)
    offsets = np.arange(-2, 2) * step + step - 1
    for i in np.flatnonzero(material >= 0):
        y, x = divmod(i, SIZE)
        rows, columns = y + offsets, x + offsets
        window = grid[
            np.ix_(rows[(rows >= 0) & (rows < SIZE)], columns[(columns >= 0) & (columns < SIZE)])
        ].ravel()
        window = window[sampled[window] & (material[window] >= 0)]
        same = (planes[window] @ planes[i] >= ALIKE) & (
            np.abs((points[window] - points[i]) @ planes[i]) <= THICK
        )
        out[i] = light[window[same]].mean(0) if same.any() else light[i] if sampled[i] else -1
    return out


@pytest.mark.parametrize("step", [1, 2])
@pytest.mark.parametrize("every", [1, 2])
def test_joined_light_is_the_mean_over_the_window_on_the_same_plane(step, every):
    rng, n = np.random.default_rng(step), SIZE * SIZE
    y, x = np.divmod(np.arange(n), SIZE)
    planes = np.eye(3, dtype="float32")[(x // 5 + y // 7) % 3]
    points = np.stack([x, y, x + y], 1).astype("float32") * 0.013
    material, sampled = np.where(rng.random(n) < 0.1, -1, 0).astype("int32"), (x + y) % every == 0
    planes[material < 0] = 0
    light, out = rng.random((n, 3)).astype("float32"), np.empty((n, 3), "float32")
    rejoined(light, points, planes, material, sampled, SIZE, step, out)
    expected = naive(light, points, planes, material, sampled, step)
    np.testing.assert_allclose(out, expected, atol=1e-5)
    assert (expected[:, 0] == -1).any() == (every == 2) and (expected[material < 0] == 0).all()
