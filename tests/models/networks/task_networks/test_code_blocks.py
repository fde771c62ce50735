"""Codes are those of their own network, batch by batch, and are standardised by statistics that
are summed part by part.
"""

import numpy as np
from synthetic_policy import write_networks
from tiny_store import TINY, TinyStore

from models.networks.task_networks import code_blocks
from models.networks.task_networks.build import load_task_network
from models.networks.task_networks.code_blocks import (
    SMALLEST_DEVIATION,
    Encoders,
    channel_statistics,
    encode_pictures,
)


def test_an_encoder_that_networks_share_has_the_weights_of_the_one_that_was_asked_for(
    tmp_path, monkeypatch
):
    store = TinyStore()
    images = store.images("test")
    write_networks(tmp_path, ("normal", "reshading"), TINY, store.size)
    alone = {
        name: load_task_network(tmp_path / name).encoder.predict(images / 127.5 - 1, verbose=0)
        for name in ("normal", "reshading")
    }
    monkeypatch.setattr(code_blocks, "BATCH", 3)
    encoders, loaded = Encoders(), []
    for name in ("normal", "normal", "reshading", "normal"):
        task, encoder = encoders.load(tmp_path / name)
        if not loaded:
            real = encoder.load_weights
            monkeypatch.setattr(
                encoder, "load_weights", lambda path, real=real: loaded.append(real(path))
            )
            loaded.append(None)
        codes = encode_pictures(task, encoder, images, slice(0, 8))
        np.testing.assert_allclose(codes, alone[name], rtol=1e-4, atol=1e-5)
    assert len(loaded) == 3, "the blocks of one network follow each other"
    assert np.abs(alone["normal"] - alone["reshading"]).max() > 0.01


def test_statistics_of_parts_are_those_of_the_whole(tmp_path, monkeypatch):
    codes = np.random.default_rng(0).normal(100, [0.5, 3, 0], (50, 4, 4, 3)).astype("float32")
    np.save(tmp_path / "codes.npy", codes)
    monkeypatch.setattr(code_blocks, "CHUNK", 7)
    mean, deviation = channel_statistics([tmp_path / "codes.npy"])
    exact = codes.astype("float64")
    np.testing.assert_allclose(mean, exact.mean((0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(deviation[:2], exact.std((0, 1, 2))[:2], rtol=1e-6)
    assert deviation[2] == np.float32(SMALLEST_DEVIATION)
