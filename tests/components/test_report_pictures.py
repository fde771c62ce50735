"""Pictures of a report that are not a map."""

import numpy as np

from components.report_pictures import put_back
from models.networks.training.inputs import tiles
from models.tasks.labels.permutations import permutation_set


def test_jigsaw_by_its_label_is_the_picture_again():
    """tiles are cropped a little, so that the picture comes back nearly."""
    y, x = np.indices((90, 90)) / 90
    picture = np.stack([y, x, 1 - x], -1).astype("float32")
    value = np.zeros(100, "float32")
    value[7] = 1
    shuffled = tiles(picture[None], np.array([7]), np.random.default_rng(0), 30)[0]
    in_rows = np.concatenate([np.concatenate(list(shuffled[i : i + 3]), 1) for i in (0, 3, 6)])
    assert list(permutation_set(100)[7]) != list(range(9))
    assert np.abs(put_back(in_rows, value) - picture).max() < 0.05
    other = np.roll(value, 1)
    assert np.abs(put_back(in_rows, other) - picture).max() > 0.3
