"""A source from outside takes part as any other, costs what it costs alone, and is served as it
was measured.
"""

import io
import json
import shutil

import numpy as np
import pytest
from outside_encoders import feature_file, keras_file, saved_model
from tiny_store import TINY
from transfer_bank import SOURCES, TARGETS, measured, transfer_bank

from models.networks.sources import encode
from models.networks.sources.description import SourceError, outside_sources
from models.networks.sources.encode import encode_outside
from models.networks.sources.network import files_of, load_outside_network
from models.networks.sources.register import add_source
from models.networks.task_networks.representations import RepresentationStore
from models.networks.transfers.edge import load_transfer_network, train_transfer
from models.tasks import TASKS


@pytest.fixture(scope="module")
def added(tmp_path_factory):
    """(bank with two sources from outside, folder of the sources); the shared bank is untouched."""
    folder = tmp_path_factory.mktemp("outside")
    bank = transfer_bank()
    measured(bank)
    copied = shutil.copytree(bank.representations.directory, folder / "representations")
    ledger = shutil.copytree(bank.ledger, folder / "ledger")
    file = keras_file(folder / "hed.keras", bank.store.size)
    add_source(folder / "sources", "hed", file, size=bank.store.size, preprocess="caffe")
    frozen = saved_model(folder / "exported", file)
    add_source(folder / "sources", "same", frozen, size=bank.store.size, preprocess="caffe")
    rows = outside_sources(folder / "sources")
    store = encode_outside(rows, RepresentationStore(copied), bank.store, TINY, io.StringIO())
    return bank._replace(representations=store, ledger=ledger), folder


def test_codes_are_standardised_and_behind_those_of_tasks(added):
    bank, _ = added
    assert bank.representations.sources == [*SOURCES, "hed", "same"]
    codes = np.asarray(bank.representations.read("hed", "val"), "float64")
    assert codes.shape == bank.representations.read("normal", "val").shape
    np.testing.assert_allclose(codes.mean((0, 1, 2)), 0, atol=0.01)
    np.testing.assert_allclose(codes.std((0, 1, 2)), 1, atol=0.01)


def test_a_saved_model_is_encoded_as_its_keras_model(added):
    bank, _ = added
    read = bank.representations.read
    np.testing.assert_allclose(read("same", "test"), read("hed", "test"), atol=0.02)


def test_nothing_is_encoded_twice(added, monkeypatch):
    bank, folder = added
    monkeypatch.setattr(encode, "feature_parts", None)
    rows = outside_sources(folder / "sources")
    again = encode_outside(rows, bank.representations, bank.store, TINY, io.StringIO())
    assert again.facts == bank.representations.facts


def test_another_preprocessing_is_another_address(added, tmp_path):
    bank, folder = added
    add_source(tmp_path, "hed", folder / "hed.keras", size=bank.store.size, preprocess="unit")
    copied = shutil.copytree(bank.representations.directory, tmp_path / "representations")
    store = encode_outside(
        outside_sources(tmp_path), RepresentationStore(copied), bank.store, TINY, io.StringIO()
    )
    assert store.address("hed") != bank.representations.address("hed")


def test_only_its_own_transfers_are_measured(added):
    bank, _ = added
    rows, summary = measured(bank, ledger=bank.ledger)
    count = len(SOURCES)
    own = 2 + 2 * count + 1  # alone, with each task's, with each other
    assert summary.fresh == own * len(TARGETS)
    known = {tuple(row[0]["sources"]) for row in rows}
    assert {("hed",), ("normal", "hed"), ("hed", "same")} <= known
    assert measured(bank, ledger=bank.ledger)[1].fresh == 0


def test_the_served_encoder_gives_the_codes_that_were_measured(added, tmp_path):
    bank, _ = added
    for name in ("hed", "same"):
        stored = bank.representations.directory / name
        for file in files_of(stored):
            place = stored / file
            (shutil.copytree if place.is_dir() else shutil.copy)(place, tmp_path / file)
        network = load_outside_network(tmp_path, bank.store.size)
        pictures = bank.store.images("test").astype("float32") / 255
        mean, deviation = bank.representations.scale(name)
        codes = (np.asarray(network.encoder(pictures)) - mean) / deviation
        np.testing.assert_allclose(codes, bank.representations.read(name, "test"), atol=0.02)


@pytest.mark.parametrize("target", ["reshading", "class_scene"])
def test_an_edge_from_outside_answers_as_it_was_measured(added, target, tmp_path):
    bank, _ = added
    sources = ("normal", "hed")
    network = load_transfer_network(
        train_transfer(
            sources, target, bank.store, bank.representations, bank.networks, tmp_path / "e", TINY
        )
    )
    assert network.sources == sources
    data = bank.store.samples(target, "test")
    raw = []
    for source in sources:
        mean, deviation = bank.representations.scale(source)
        codes = np.asarray(bank.representations.read(source, "test"), "float32")
        raw.append(codes * deviation + mean)
    answer = np.asarray(network.head(np.concatenate(raw, -1)[data.views][:, 0]))
    assert answer.shape[0] == len(data) and np.isfinite(answer).all()
    assert TASKS[target].output.channels in (answer.shape[-1], answer.shape[-1] - 1)


def test_features_of_each_view_are_a_source(added, tmp_path):
    bank, _ = added
    keys = [*bank.store.views("val"), *bank.store.views("test")]
    file = feature_file(tmp_path / "clip.npz", keys)
    add_source(tmp_path / "sources", "clip", file, channels=6)
    rows = outside_sources(tmp_path / "sources")
    copied = shutil.copytree(bank.representations.directory, tmp_path / "representations")
    store = encode_outside(rows, RepresentationStore(copied), bank.store, TINY, io.StringIO())
    assert store.read("clip", "test").shape[:3] == store.read("hed", "test").shape[:3]
    assert store.read("clip", "test").shape[3] == 6
    facts = json.loads((tmp_path / "representations" / "clip" / "source.json").read_text())
    assert facts["features"] == 10 and 0 < facts["variance"] < 1


def encoded_alone(bank, folder, name, factor=1.0, order=slice(None)):
    """codes of test views, and the address, of made-up features as they come in an `.npy`."""
    keys = [*bank.store.views("val"), *bank.store.views("test")]
    file = folder / f"{name}.npy"
    values = np.random.default_rng(2).normal(size=(len(keys), 4, 4, 6)) * [9, 5, 3, 2, 1, 0.5]
    np.save(file, (values * factor).astype("float32"))
    file.with_suffix(".txt").write_text("\n".join(keys[order]))
    add_source(folder / "sources", name, file, channels=6)
    copied = folder / "representations"
    if not copied.exists():
        shutil.copytree(bank.representations.directory, copied)
    store = encode_outside(
        outside_sources(folder / "sources"),
        RepresentationStore(copied),
        bank.store,
        TINY,
        io.StringIO(),
    )
    return np.asarray(store.read(name, "test"), "float32"), store.address(name)


def test_keys_that_were_corrected_are_encoded_again(added, tmp_path):
    bank, _ = added
    wrong, first = encoded_alone(bank, tmp_path, "clip", order=slice(None, None, -1))
    right, second = encoded_alone(bank, tmp_path, "clip")
    assert first != second and np.abs(wrong - right).max() > 0.5


@pytest.mark.parametrize("factor", [1e-20, 1e-5, 1e6])
def test_codes_do_not_follow_the_unit_of_features(added, tmp_path, factor):
    bank, _ = added
    plain, _ = encoded_alone(bank, tmp_path, "plain")
    scaled, _ = encoded_alone(bank, tmp_path, "scaled", factor)
    np.testing.assert_allclose(scaled, plain, atol=0.02)


def test_features_that_do_not_vary_where_transfers_learn_are_refused(added, tmp_path):
    bank, _ = added
    views = [*bank.store.views("val"), *bank.store.views("test")]
    values = np.ones((len(views), 4, 4, 3))
    values[-1] = 2
    np.savez(tmp_path / "flat.npz", keys=views, features=values)
    add_source(tmp_path / "sources", "flat", tmp_path / "flat.npz")
    copied = shutil.copytree(bank.representations.directory, tmp_path / "representations")
    with pytest.raises(SourceError, match="same features in all places .* or delete"):
        encode_outside(
            outside_sources(tmp_path / "sources"), RepresentationStore(copied), bank.store, TINY
        )


def test_maps_are_counted_against_pictures(added):
    bank, _ = added
    parts = encode.encoded_features(
        "hed", lambda x: np.ones((len(x) - 1, 4, 4, 2)), bank.store, "test"
    )
    with pytest.raises(SourceError, match="expected one map a picture"):
        next(parts)


def test_the_views_of_a_run_are_those_that_transfers_see(added, tmp_path, monkeypatch):
    bank, _ = added
    assert encode.views_of(tmp_path, TINY) == []
    monkeypatch.setattr(encode, "LabelStore", lambda folder: bank.store)
    assert encode.views_of(tmp_path, TINY) == [*bank.store.views("val"), *bank.store.views("test")]


def test_views_without_features_are_said(added, tmp_path):
    bank, _ = added
    add_source(tmp_path / "few", "few", feature_file(tmp_path / "few.npz", ["val0"]))
    with pytest.raises(SourceError, match="lacks features of 7 of 8 views.* or delete"):
        encode_outside(outside_sources(tmp_path / "few"), bank.representations, bank.store, TINY)
