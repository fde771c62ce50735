"""A warm start begins where the blessed network ended, has an address of its own, and ends."""

import dataclasses
import io

import numpy as np
import pytest
from tiny_store import TINY, TinyStore

from models.networks.task_networks.build import build_task_network, load_task_network
from models.networks.task_networks.ledger import train_tasks
from models.networks.task_networks.train import network_address, trainer
from models.networks.task_networks.warm import Start, begin_at
from models.networks.training.averages import standard_of
from models.tasks import TASKS

NAME = "depth_zbuffer"  # learned standardised, so that its head is folded


class Grown(TinyStore):
    """the same views under other labels' address."""

    views_address = "grown"


@pytest.fixture(scope="module")
def blessed(tmp_path_factory):
    """(folder of a cold network, its record)."""
    folder = tmp_path_factory.mktemp("first")
    return folder / NAME, train_tasks(TinyStore(), folder, [NAME], TINY, io.StringIO())[NAME]


def warm(store, folder, blessed, config=TINY):
    """(record, what was said)."""
    out = io.StringIO()
    records = train_tasks(store, folder, [NAME], config, out, {NAME: blessed} if blessed else {})
    return records[NAME], out.getvalue()


def test_a_warm_network_begins_with_the_blessed_ones_answers(blessed):
    store = TinyStore()
    standard = standard_of(TASKS[NAME], store, TINY)
    network, model = trainer(TASKS[NAME], TINY, store.size, standard)
    begin_at(network, Start(blessed[0], "a"))
    model.unfold()
    images = np.random.default_rng(0).uniform(-1, 1, (2, store.size, store.size, 3))
    expected = load_task_network(blessed[0]).answer(images.astype("float32"))
    np.testing.assert_allclose(np.asarray(model(images.astype("float32"))), expected, atol=1e-4)
    fresh = build_task_network(TASKS[NAME], TINY, store.size).answer(images.astype("float32"))
    assert np.abs(fresh - expected).max() > 1e-3


def test_new_data_start_from_the_blessed_network_which_is_part_of_the_address(blessed, tmp_path):
    folder, first = blessed
    assert first["start"] is None
    cold = network_address(TASKS[NAME], Grown(), TINY)
    record, said = warm(Grown(), tmp_path / "warm", folder)
    assert record["start"] == first["address"] and f"begins from {first['address']}" in said
    assert len({record["address"], cold, first["address"]}) == 3
    again, said = warm(Grown(), tmp_path / "again", folder)
    assert again["address"] == record["address"] and again["loss"] == record["loss"]
    # Once it is blessed itself, the same data teach it nothing more, in an empty ledger either.
    kept, said = warm(Grown(), tmp_path / "third", tmp_path / "warm" / NAME)
    assert kept == record and said == ""


def test_without_a_blessed_network_of_its_shape_a_start_is_cold_and_says_so(blessed, tmp_path):
    record, said = warm(Grown(), tmp_path / "none", None)
    assert record["start"] is None and "no blessed network of it yet, a cold start" in said
    wide = dataclasses.replace(TINY, encoder_widths=(4, 4, 4, 8))
    record, said = warm(Grown(), tmp_path / "wide", blessed[0], wide)
    assert record["start"] is None and "has other shapes" in said
    broken = tmp_path / "broken"
    broken.mkdir()
    record, said = warm(Grown(), tmp_path / "damaged", broken)
    assert record["start"] is None and "is not whole" in said
