"""Blocks of pixels: cut, unfolded, averaged; what a cell regresses where pixels are masked."""

import keras
import numpy as np
import pytest

from models.networks.losses.block_layout import (
    SEGMENT_FEATURES,
    fit_targets,
    from_blocks,
    segment_means,
    to_blocks,
    unfold_blocks,
)
from models.tasks import TASKS

RNG = np.random.default_rng(0)


def test_blocks_unfold_into_the_map_they_came_from():
    maps = np.random.default_rng(0).normal(size=(2, 16, 16, 3))
    np.testing.assert_allclose(from_blocks(to_blocks(maps, 4, 1), 4, 3, 1), maps)
    np.testing.assert_allclose(
        from_blocks(to_blocks(maps, 4, 2), 4, 3, 2)[:, ::2, ::2],
        maps.reshape(2, 8, 2, 8, 2, 3).mean((2, 4)),
    )


@pytest.mark.parametrize("enlarge", [1, 3])
def test_tensors_unfold_as_arrays_do(enlarge):
    blocks = RNG.normal(size=(2, 4, 5, 2 * 2 * 3)).astype("float32")
    expected = unfold_blocks(blocks, 3, enlarge, np)
    assert expected.shape == (2, 8 * enlarge, 10 * enlarge, 3)
    maps = unfold_blocks(keras.ops.convert_to_tensor(blocks), 3, enlarge, keras.ops)
    np.testing.assert_array_equal(maps, expected)
    # cell (1, 2), row 1 and column 0 of its block
    np.testing.assert_array_equal(
        expected[:, 3 * enlarge, 4 * enlarge], blocks[:, 1, 2].reshape(2, 2, 2, 3)[:, 1, 0]
    )


def test_a_segment_is_its_mean_colour_and_place():
    ids = np.zeros((1, 4, 4), int)
    ids[:, 2:] = 7
    images = np.zeros((1, 4, 4, 3), "uint8")
    images[:, 2:, :2] = 255
    means = segment_means(ids, images)
    assert means.shape == (1, 4, 4, SEGMENT_FEATURES)
    np.testing.assert_allclose(means[0, 0, 0], [-1, -1, -1, -0.75, -0.25])
    np.testing.assert_allclose(means[0, 3, 3], [0, 0, 0, 0.25, -0.25], atol=1e-6)


def test_segments_without_images_are_refused():
    ids = np.zeros((1, 4, 4, 1))
    with pytest.raises(ValueError, match="images are needed"):
        fit_targets(TASKS["segment_unsup2d"], ids, np.ones_like(ids), None)
