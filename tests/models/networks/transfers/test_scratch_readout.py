"""From scratch by a readout of pixels, where held-out samples like it better than the network."""

import dataclasses

import numpy as np
import pytest
from tiny_store import TINY, TinyStore

from models.networks.architecture.pixel_readout import PixelCells
from models.networks.losses.losses import image_losses
from models.networks.task_networks.build import load_task_network
from models.networks.transfers import scratch
from models.networks.transfers.bench import pixel_map
from models.networks.transfers.regimes import regimes_of
from models.networks.transfers.scratch import scratch_folder, train_from_scratch
from models.networks.transfers.scratch_feed import Feed
from models.networks.transfers.scratch_program import CompiledNetwork
from models.networks.transfers.scratch_readout import PixelBench
from models.tasks import TASKS

CONFIG = dataclasses.replace(TINY, scratch_steps=2, scratch_batch=4)
NAMES = ("autoencoding", "denoising", "class_scene", "egomotion", "segment_semantic")


@pytest.fixture(params=["network", "readout"])
def better(request, monkeypatch):
    """one of both ways wins on held-out samples; the other's loss is as it is."""
    real = scratch.mean_loss

    def decided(network, batch):
        loss = real(network, batch)
        assert np.isfinite(loss)
        is_network = isinstance(network, CompiledNetwork)
        return -1.0 if is_network == (request.param == "network") else loss

    monkeypatch.setattr(scratch, "mean_loss", decided)
    return request.param


def test_cells_of_pixels_are_those_that_the_control_reads():
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    cells = np.asarray(PixelCells(4)(images.astype("float32") / 127.5 - 1))
    np.testing.assert_allclose(cells, pixel_map(images, 4), atol=1e-5)


def test_the_better_way_is_kept_and_answers_as_it_was_judged(better, tmp_path):
    store = TinyStore()
    regime = regimes_of(store, CONFIG)[-1]
    records = train_from_scratch(store, tmp_path, dict.fromkeys(NAMES, [regime]), CONFIG)
    for record in records:
        entry = TASKS[record["task"]]
        assert bool(record["grid"]) == (better == "readout")
        path = scratch_folder(tmp_path, entry.name, regime)
        network = load_task_network(path)
        feed = Feed(store, entry, CONFIG, np.arange(8))
        # no configuration names the test split, which teaches nothing
        feed.data, feed.pictures = store.samples(entry.name, "test"), store.images("test")
        value, target, mask = feed.take(np.arange(8), np.random.default_rng(0))
        losses = image_losses(entry.loss, target, mask, network.answer(value))
        tolerance = 0.05 if entry.input == "noisy" else 1e-3
        np.testing.assert_allclose(losses, np.load(path / "test_losses.npy"), rtol=tolerance)
    again = train_from_scratch(store, tmp_path, dict.fromkeys(NAMES, [regime]), CONFIG)
    assert sorted(r["address"] for r in again) == sorted(r["address"] for r in records)


def test_pixels_are_read_with_the_damage_that_the_network_sees():
    store = TinyStore()
    maps = {
        name: np.asarray(PixelBench(TASKS[name], store, CONFIG, 4).maps(0, "val")[np.arange(8)])
        for name in ("autoencoding", "denoising")
    }
    np.testing.assert_allclose(maps["autoencoding"], pixel_map(store.images("val"), 4), atol=1e-5)
    difference = np.abs(maps["denoising"] - maps["autoencoding"])
    assert 0 < difference.mean() < 1
