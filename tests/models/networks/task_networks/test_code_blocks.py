"""Codes are standardised by statistics that are summed part by part."""

import numpy as np

from models.networks.task_networks import code_blocks
from models.networks.task_networks.code_blocks import SMALLEST_DEVIATION, channel_statistics


def test_statistics_of_parts_are_those_of_the_whole(tmp_path, monkeypatch):
    codes = np.random.default_rng(0).normal(100, [0.5, 3, 0], (50, 4, 4, 3)).astype("float32")
    np.save(tmp_path / "codes.npy", codes)
    monkeypatch.setattr(code_blocks, "CHUNK", 7)
    mean, deviation = channel_statistics([tmp_path / "codes.npy"])
    exact = codes.astype("float64")
    np.testing.assert_allclose(mean, exact.mean((0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(deviation[:2], exact.std((0, 1, 2))[:2], rtol=1e-6)
    assert deviation[2] == np.float32(SMALLEST_DEVIATION)
