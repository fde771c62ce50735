"""A tournament whose losses stay in their files, some images at a time, is the one that is played
at once, to the last bit.
"""

import numpy as np
import pytest

from models.taxonomy import LossStore, Transfer, measure
from models.taxonomy.evidence.curves import wins_of
from models.taxonomy.tournament import loss_rows, losses
from models.taxonomy.tournament.loss_rows import (
    StoredLosses,
    array_of,
    images_of,
    parts_of,
    rows_of,
)
from models.taxonomy.tournament.resampling import bootstrap

IMAGES = 300


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """30 transfers of order 1 and 2 with every control, in segments, with ties."""
    store = LossStore(tmp_path_factory.mktemp("losses"))
    rng = np.random.default_rng(0)
    names = [f"house{i % 7}/{i}" for i in range(IMAGES)]
    store.set_images("normal", names)
    sources = ["normal", "reshading", "class_scene", "egomotion", "jigsaw"]
    transfers = [Transfer((name,), "normal") for name in sources]
    transfers += [Transfer((a, b), "normal") for a in sources for b in sources if a < b]
    transfers += [Transfer((a, b, "layout"), "normal") for a in sources for b in sources if a < b]
    transfers += [
        Transfer((), "normal", control=name)
        for name in ("supervised", "scratch", "average", "pixels")
    ]
    for start in range(0, len(transfers), 4):
        part = transfers[start : start + 4]
        rows = np.round(rng.random((len(part), IMAGES)), 2).astype("float32")
        store.extend(dict(zip(part, rows)), address="a")
    return store


@pytest.fixture
def in_files(monkeypatch):
    """nothing is held but seven images."""
    monkeypatch.setattr(losses, "HELD", 0)
    monkeypatch.setattr(loss_rows, "HELD", 7 * 4 * 29)


def test_an_affinity_table_is_the_same_and_is_kept_under_the_same_address(store, tmp_path, request):
    at_once = measure(store, cache=tmp_path)
    paths = sorted(tmp_path.iterdir())
    request.getfixturevalue("in_files")
    assert isinstance(store.read("normal").losses, StoredLosses)
    assert measure(store) == at_once
    assert measure(store, cache=tmp_path) == at_once and sorted(tmp_path.iterdir()) == paths


def test_some_of_the_images_give_the_same_table(store, request):
    def half(name):
        return name.startswith(("house1", "house4", "house6"))

    at_once = measure(store, images=half)
    request.getfixturevalue("in_files")
    assert measure(store, images=half) == at_once


def test_resamples_are_the_same(store, request):
    at_once = bootstrap(store, resamples=20)
    request.getfixturevalue("in_files")
    again = bootstrap(store, resamples=20)
    assert again.transfers == at_once.transfers
    for name in ("affinity", "gain", "quality"):
        assert getattr(again, name).tobytes() == getattr(at_once, name).tobytes()


def test_curves_are_the_same(store, request):
    at_once, names = wins_of(store.read("normal"), "", None)
    request.getfixturevalue("in_files")
    again, others = wins_of(store.read("normal"), "", None)
    assert names == others and again.keys() == at_once.keys()
    assert all(np.array_equal(again[way], at_once[way]) for way in at_once)


def test_rows_and_images_are_those_of_the_array(store, in_files):
    stored = store.read("normal").losses
    whole = array_of(stored)
    rows, images = [3, 0, 7], [1, 5, 6, 250]
    assert np.array_equal(array_of(rows_of(stored, rows)), whole[rows])
    some = images_of(images_of(stored, range(1, 299)), [i - 1 for i in images])
    assert np.array_equal(array_of(some), whole[:, images]) and some.shape == (29, 4)
    parts = [part for _, part in parts_of(stored)]
    assert len(parts) > 9 and np.array_equal(np.concatenate(parts, 1), whole)


def test_a_segment_that_was_cut_is_named(store, in_files, tmp_path):
    stored = store.read("normal").losses
    path = tmp_path / "cut.npy"
    whole = stored.places[0].path.read_bytes()
    path.write_bytes(whole[:-4])
    last = StoredLosses((loss_rows.Place(path, len(whole) - 4 * IMAGES),), IMAGES)
    with pytest.raises(ValueError, match="cut.npy was cut"):
        list(last)
