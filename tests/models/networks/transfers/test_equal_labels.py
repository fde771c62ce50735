"""Targets that differ in their input alone ask the same of a representation."""

import hashlib

import numpy as np
import pytest
from tiny_store import TinyStore

from models.networks.transfers import equal_labels
from models.networks.transfers.bench import pixel_cells, pixel_map
from models.networks.transfers.closed_form import map_outputs
from models.networks.transfers.equal_labels import first_with_equal_labels, label_digests


def test_denoising_asks_what_autoencoding_asks_and_nobody_else_does():
    names = ["normal", "denoising", "reshading", "autoencoding"]
    first = first_with_equal_labels(TinyStore(), names, "val")
    assert first == {name: name for name in names} | {"autoencoding": "denoising"}


def test_labels_are_read_once_however_many_amounts_of_data_ask(monkeypatch):
    store, read = TinyStore(), []

    def counted(data):
        read.append(len(data))
        return label_digests(data)

    monkeypatch.setattr(equal_labels, "label_digests", counted)
    names = ["denoising", "autoencoding"]
    first = first_with_equal_labels(store, names, "val")
    assert first_with_equal_labels(store, names, "val") == first
    assert len(read) == 4  # two targets, each of val and of test
    first_with_equal_labels(TinyStore(), names, "val")  # another store is asked anew
    assert len(read) == 8


@pytest.mark.parametrize("name", ["normal", "segment_semantic", "room_layout"])
def test_digests_of_parts_are_those_of_the_whole(name, monkeypatch):
    data = TinyStore().samples(name, "val")
    monkeypatch.setattr(equal_labels, "CHUNK", 3)
    expected = [hashlib.sha256(values.tobytes()).digest() for values in (data.target, data.mask)]
    assert label_digests(data) == expected


def test_cells_and_shares_of_parts_are_those_of_the_whole(monkeypatch):
    store, views = TinyStore(), np.arange(8)
    found = []
    for chunk in (256, 3):
        monkeypatch.setattr(map_outputs, "CHUNK", chunk)
        cells = map_outputs.known_cells(store, "normal", "val", views, 4)
        found.append((cells, map_outputs.class_shifts(store, "segment_semantic", "val", views)))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    # Made-up masks are float32, whose sums round; those of a store are float16, and exact.
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-6)
    mask = np.asarray(store.samples("normal", "val").mask) > 0
    blocks = mask.reshape(8, 4, mask.shape[1] // 4, 4, -1).any((2, 4))
    np.testing.assert_array_equal(found[0][0], blocks.ravel())


@pytest.mark.parametrize("views", [[0, 2, 5, 9], [5, 0, 9, 2], [3], []])
def test_rows_are_those_of_the_views_picked(views):
    picked = np.array([2, 0, 7, 9, 3])
    rows, labelled = map_outputs.rows_of_views(np.array(views, "int32"), picked)
    expected = {view: row for row, view in enumerate(views)}
    assert labelled.tolist() == [view in expected for view in picked.tolist()]
    assert rows == [expected[view] for view in picked.tolist() if view in expected]


def test_pixels_are_averaged_a_few_pictures_at_a_time(monkeypatch):
    images = np.random.default_rng(0).integers(256, size=(8, 32, 32, 3)).astype("uint8")
    monkeypatch.setattr("models.networks.transfers.bench.CHUNK", 3)
    assert pixel_map(images, 4).tobytes() == pixel_cells(images, 4).tobytes()
