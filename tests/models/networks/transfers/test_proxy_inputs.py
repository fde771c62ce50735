"""What cheap predictors of transfer look at."""

import numpy as np
import pytest

from models.networks.transfers.proxy_inputs import CELLS, border_map, label_features, pooled
from models.tasks import TASKS

RNG = np.random.default_rng(0)


def test_maps_are_averaged_over_cells():
    maps = RNG.random((2, 8, 8, 3))
    cells = pooled(maps, 4)
    assert cells.shape == (2, 4, 4, 3) and cells.dtype == np.float32
    np.testing.assert_allclose(cells[1, 0, 3], maps[1, :2, 6:].mean((0, 1)), rtol=1e-5)
    assert pooled(maps[:, :3, :3], 4).shape == (2, 3, 3, 3), "smaller ones stay"
    np.testing.assert_allclose(pooled(maps[:, :7, :7], 3), pooled(maps[:, :6, :6], 3), rtol=1e-5)


def test_vectors_and_classes_are_themselves_where_they_are_known():
    target = RNG.random((3, 7)).astype("float32")
    mask = np.array([[1], [0], [1]], "float32")
    features = label_features(TASKS["room_layout"], target, mask)
    np.testing.assert_array_equal(features, target * mask)


def test_a_map_is_averaged_where_its_mask_holds():
    target = np.ones((1, 16, 16, 3), "float32")
    mask = np.zeros((1, 16, 16, 1), "float32")
    target[:, :8] = 0.25
    mask[:, ::2] = 1
    target[:, 1::2] = 99  # masked
    features = label_features(TASKS["normal"], target, mask).reshape(2 * CELLS, 2 * CELLS, 3)
    np.testing.assert_allclose(features[:CELLS], 0.25)
    np.testing.assert_allclose(features[CELLS:], 1)


def test_class_ids_are_shares_and_segment_ids_the_density_of_their_borders():
    entry = TASKS["segment_semantic"]
    ids = np.zeros((1, 16, 16, 1), "float32")
    ids[:, :, 8:] = 3
    whole = np.ones_like(ids)
    shares = label_features(entry, ids, whole).reshape(2 * CELLS, 2 * CELLS, -1)
    assert shares.shape[-1] == entry.output.channels
    assert shares[0, 0, 0] == pytest.approx(1) and shares[0, -1, 3] == pytest.approx(1)
    borders = border_map(TASKS["segment_unsup2d"], ids)
    assert borders.sum() == 16 and (borders[:, :, 8] == 1).all()
    np.testing.assert_array_equal(
        label_features(TASKS["segment_unsup2d"], ids, whole),
        label_features(TASKS["segment_unsup2d"], ids + 5, whole),
    )
