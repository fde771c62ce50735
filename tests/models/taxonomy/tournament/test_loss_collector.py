"""What a measurement hands over is what the store then has."""

import numpy as np

from models.taxonomy import LossStore, Transfer
from models.taxonomy.tournament.loss_collector import LossCollector


def test_losses_are_stored_by_target_as_they_were_recorded(tmp_path):
    collector, images = LossCollector(), ["a/point_0/view_0", "a/point_1/view_0"]
    for target, sources, values in (("normal", ["reshading"], [1, 2]), ("jigsaw", [], [3, 4])):
        control = None if sources else "scratch"
        asked = {"sources": sources, "target": target, "regime": "", "control": control}
        collector.record(asked, images, np.float32(values))
    store = LossStore(tmp_path)
    collector.save(store, {"normal": "x", "jigsaw": "y"})
    losses = store.read("normal")
    assert losses.transfers == (Transfer(("reshading",), "normal"),)
    assert losses.images == tuple(images) and np.array_equal(losses.losses, [[1, 2]])
    assert store.read("jigsaw").transfers == (Transfer((), "jigsaw", control="scratch"),)
