"""Samples carry the representations of their views, source by source."""

import numpy as np
import pytest
from tiny_store import TinyStore

from models.networks.transfers.gradient.samples import Samples, split_last


def maps(index, split):
    """the number of the source and of the view, in every cell."""
    views = np.arange(8)[:, None, None, None]
    return np.broadcast_to(100 * index + views, (8, 2, 2, 3)).astype("float32")


@pytest.mark.parametrize("name, images", [("normal", 1), ("fixated_pose", 2)])
def test_codes_are_those_of_the_views_of_a_sample(name, images):
    store = TinyStore()
    samples = Samples(store, maps, name, "val", [0, 2])
    rows = np.array([5, 1])
    codes, target, mask = samples.take(rows)
    views = store.samples(name, "val").views[rows]
    assert len(samples) == len(store.samples(name, "val")) and len(target) == len(mask) == 2
    for source, number in enumerate((0, 2)):
        own = codes[:, source].reshape(2, images, -1)
        np.testing.assert_array_equal(own, np.repeat(100 * number + views[..., None], 12, 2))


def test_the_last_fifth_is_held_out_of_the_first_samples():
    first, last = split_last(100, 20)
    assert first.tolist() == list(range(16)) and last.tolist() == list(range(16, 20))
    first, last = split_last(3, 100)
    assert first.tolist() == [0, 1] and last.tolist() == [2]
