"""A source of 32 channels beside those of 8 takes part as any other, and changes nothing of what
was measured without it.
"""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from made_bank import made_bank
from tiny_store import TINY
from transfer_bank import measured

from models.networks.losses.block_losses import sample_losses
from models.networks.losses.losses import image_losses
from models.networks.transfers.edge import load_transfer_network, train_transfer
from models.tasks import TASKS

OWN = {"normal": 8, "class_scene": 8, "jigsaw": 8}
WIDE = 32
TARGETS = ["normal", "reshading", "segment_semantic", "class_scene", "fixated_pose"]


@pytest.fixture(scope="module")
def banks(tmp_path_factory):
    """(bank of three sources, the same with one of 32 channels, on a copy of its ledger)."""
    folder = tmp_path_factory.mktemp("wide")
    before = made_bank(folder / "before", OWN, TARGETS)
    measured(before, TARGETS)
    after = made_bank(folder / "after", {**OWN, "wide": WIDE}, TARGETS)
    shutil.copytree(before.ledger, after.ledger)
    return before, after


def by_transfer(rows):
    return {json.dumps(transfer): losses for transfer, _, losses in rows}


def test_it_is_measured_alone_and_in_pairs_and_nothing_else_is(banks):
    before, after = banks
    old, summary = measured(before, TARGETS)
    rows, more = measured(after, TARGETS)
    assert more.fresh == (1 + len(OWN)) * len(TARGETS)
    assert more.ledgers == summary.ledgers and more.widths == {"wide": WIDE}
    rows_by_transfer = by_transfer(rows)
    for transfer, losses in by_transfer(old).items():
        np.testing.assert_array_equal(rows_by_transfer[transfer], losses)
    own = {tuple(row[0]["sources"]) for row in rows if "wide" in row[0]["sources"]}
    assert own == {("wide",), *((source, "wide") for source in OWN)}
    assert {row["target"] for row in more.ceilings} == set(TARGETS)
    assert measured(after, TARGETS)[1].fresh == 0


@pytest.mark.parametrize("target", ["reshading", "class_scene"])
def test_an_edge_answers_as_it_was_measured(banks, target, tmp_path):
    _, bank = banks
    sources = ("normal", "wide")
    folder = tmp_path / "edge"
    train_transfer(sources, target, bank.store, bank.representations, bank.networks, folder, TINY)
    network = load_transfer_network(folder)
    assert network.sources == sources and network.learner == "closed_form"
    answer = answered(bank, network, target)
    rows, _ = measured(bank, TARGETS)
    [losses] = [
        losses
        for transfer, _, losses in rows
        if transfer["sources"] == list(sources) and transfer["target"] == target
    ]
    data = bank.store.samples(target, "test")
    judge = image_losses if TASKS[target].output.dense else sample_losses
    found = judge(TASKS[target].loss, data.target, data.mask, answer)
    np.testing.assert_allclose(found, losses, rtol=1e-3, atol=1e-5)


def answered(bank, network, target):
    """answers of an edge to the test samples, from raw codes."""
    raw = []
    for source in network.sources:
        mean, deviation = bank.representations.scale(source)
        codes = np.asarray(bank.representations.read(source, "test"), "float32")
        raw.append(codes * deviation + mean)
    views = bank.store.samples(target, "test").views[:, 0]
    return np.asarray(network.head(np.concatenate(raw, -1)[views]), "float32")


@pytest.mark.parametrize("target", ["reshading", "class_scene"])
def test_an_edge_is_compared_with_gradient_training(banks, target, tmp_path, monkeypatch):
    _, bank = banks
    monkeypatch.setattr(bank.store, "views", lambda split: [f"house{i // 2}/{i}" for i in range(8)])
    monkeypatch.setattr("models.networks.transfers.regimes.FEWEST", 2)
    config = replace(TINY, policy_epochs=1)
    folder = tmp_path / "edge"
    sources = ("wide", "normal")
    train_transfer(sources, target, bank.store, bank.representations, bank.networks, folder, config)
    facts = json.loads((folder / "transfer.json").read_text())
    assert set(facts["validation"]) == {"closed_form", "gradient"} and facts["widths"] == [32, 8]
    assert all(np.isfinite(loss) for loss in facts["validation"].values())
    network = load_transfer_network(folder)
    assert np.isfinite(answered(bank, network, target)).all()


def test_by_gradient_it_is_measured_alone_and_in_a_pair(banks, tmp_path):
    _, bank = banks
    few = {("normal",), ("wide",), ("normal", "wide")}
    config = replace(TINY, learner="gradient", transfer_epochs=1)
    asked = {"class_scene": few}
    rows, summary = measured(
        bank, ["class_scene"], ledger=tmp_path / "ledger", config=config, wanted=asked
    )
    assert summary.fresh == 3
    assert {tuple(row[0]["sources"]) for row in rows if row[0]["sources"]} == few
