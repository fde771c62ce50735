"""A bundle's losses are those of its own answers."""

import numpy as np
from compared_store import ComparedStore
from tiny_bundle import tiny_bundle

from models.tasks import TASKS
from serving.release.comparison import Bundle, losses


def test_losses_are_those_of_the_bundles_own_answers():
    from models.networks.losses.losses import image_losses

    store = ComparedStore()
    samples = store.samples("reshading", "test")
    pictures = store.images("test")[samples.views[:, 0]].astype("float32") / 255
    with Bundle.open(tiny_bundle()) as bundle:
        for name in ("segment_unsup25d", "egomotion", "reshading"):
            rows = losses(bundle, store, name)
            assert rows.shape == (8,) and np.isfinite(rows).all(), name
        answer = bundle.version.run("reshading_images", {"images": pictures}, ["reshading"])
        expected = image_losses(
            TASKS["reshading"].loss, samples.target, samples.mask, answer["reshading"]
        )
        np.testing.assert_allclose(losses(bundle, store, "reshading"), expected, rtol=1e-5)
