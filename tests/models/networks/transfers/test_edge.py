"""An edge is written by the better learner, and answers after reading as it was measured; the
learners (`edge_learners.py`) are tested here too, since the bank of networks is dear to make.
"""

import dataclasses

import numpy as np
import pytest
from tiny_store import TINY
from transfer_bank import TARGETS, measured, transfer_bank

from models.networks.losses.losses import image_losses
from models.networks.transfers import edge, edge_learners, regimes
from models.networks.transfers.bench import Bench
from models.networks.transfers.edge import load_transfer_network, train_transfer
from models.networks.transfers.edge_learners import Comparison
from models.networks.transfers.gradient.alone import Trial
from models.tasks import TASKS


@pytest.fixture
def bank():
    return transfer_bank()


@pytest.mark.parametrize("target", TARGETS)
def test_an_exported_edge_answers_as_it_was_measured(bank, target, tmp_path):
    store, representations, networks, _ = bank
    sources = ("normal", "colorization")
    folder = train_transfer(
        sources, target, store, representations, networks, tmp_path / target, TINY
    )
    network = load_transfer_network(folder)
    data, raw = store.samples(target, "test"), []
    for source in sources:
        mean, deviation = representations.scale(source)
        raw.append(np.asarray(representations.read(source, "test"), "float32") * deviation + mean)
    maps = np.concatenate(raw, -1)[data.views]
    answer = np.asarray(network.head(maps[:, 0] if TASKS[target].images == 1 else maps))
    losses = image_losses(TASKS[target].loss, data.target, data.mask, answer)
    expected = next(
        row[2]
        for row in measured(bank)[0]
        if row[0]["sources"] == list(sources) and row[0]["target"] == target
    )
    np.testing.assert_allclose(losses, expected, rtol=2e-2, atol=2e-3)
    kept = np.load(folder / "test_losses.npy")
    np.testing.assert_allclose(kept, losses, rtol=1e-5, atol=1e-6)


def turned(losses):
    """the two learners' losses, exchanged."""
    return dict(zip(losses, reversed(losses.values())))


@pytest.mark.parametrize("target", ["normal", "segment_unsup2d", "class_scene", "egomotion"])
def test_an_edge_keeps_the_better_learner_and_says_which(bank, target, tmp_path, monkeypatch):
    monkeypatch.setattr(regimes, "FEWEST", 5)
    store, representations, networks, _ = bank
    monkeypatch.setattr(
        store, "views", lambda split: [f"house{i // 2}/{i}" for i in range(8)]
    )  # two views are held out: one stops, one judges
    config = dataclasses.replace(TINY, policy_epochs=1)
    found = []

    def decided(*arguments):
        """the comparison, which takes most of the time; once more as if the other had won."""
        both = dataclasses.replace(found[0], losses=turned(found[0].losses)) if found else None
        found.append(both or real(*arguments))
        return found[-1]

    real = edge.compare_learners
    monkeypatch.setattr(edge, "compare_learners", decided)
    for number in range(2):
        folder = train_transfer(
            ("normal", "colorization"),
            target,
            store,
            representations,
            networks,
            tmp_path / str(number),
            config,
        )
        losses = found[number].losses
        assert set(losses) == {"closed_form", "gradient"} and np.isfinite([*losses.values()]).all()
        network = load_transfer_network(folder)
        assert network.learner == min(losses, key=losses.get)
        shape = network.head.input_shape[1:]
        answer = np.asarray(
            network.head(np.random.default_rng(0).random((2, *shape)).astype("float32"))
        )
        expected = TASKS[target].output.shape(store.size)
        assert answer.shape[:-1] == (2, *expected[:-1]) and np.isfinite(answer).all()


@pytest.fixture
def divided(bank, monkeypatch):
    """a bench of four houses of two views, of which house2 and house3 are held out."""
    store, representations, networks, _ = bank
    monkeypatch.setattr(store, "views", lambda split: [f"house{i // 2}/{i}" for i in range(8)])
    monkeypatch.setattr(
        edge_learners, "teaching_and_held_out", lambda *_: (np.arange(4), np.arange(4, 8))
    )
    return Bench(store, representations, networks, dataclasses.replace(TINY, policy_epochs=1))


def test_every_held_out_building_judges_what_another_has_chosen(divided, monkeypatch):
    seen = {}

    def trial(bench, subset, name, rows, first, schedule):
        seen.update(rows=rows, first=first)
        # right where it chose for itself, wrong on the other half
        return Trial((None, None), np.where([first, ~first], 0.0, [[1.0], [3.0]]), 5)

    def solved(bench, regime, name, subset, rows):
        seen.update(judged=rows)
        return 0.25

    monkeypatch.setattr(edge_learners, "try_transfer", trial)
    monkeypatch.setattr(edge_learners, "held_out_loss", solved)
    both = edge_learners.compare_learners(divided, (0,), "class_scene", divided.regimes[0])
    teaching, held_out = seen["rows"]
    views = divided.store.samples("class_scene", "val").views
    houses = [
        {divided.store.views("val")[view].split("/")[0] for view in views[rows, 0]}
        for rows in (teaching, held_out[seen["first"]], held_out[~seen["first"]])
    ]
    assert houses == [{"house0", "house1"}, {"house2"}, {"house3"}]
    for mine, theirs in zip(seen["judged"], seen["rows"]):
        np.testing.assert_array_equal(mine, theirs)
    assert both.losses == {"closed_form": 0.25, "gradient": 2.0} and both.epochs == 5


def test_a_map_is_smoothed_as_far_as_held_out_samples_say(divided, monkeypatch):
    """each half chooses for the other, each learner for itself."""
    label = np.asarray(divided.store.samples("depth_zbuffer", "val").target[4:8], "float32")
    rough = label + np.where(np.indices(label.shape[1:3]).sum(0) % 2, 0.5, -0.5)[None, ..., None]
    trial = Trial((None, None), np.zeros((2, 4)), 1)
    monkeypatch.setattr(edge_learners, "try_transfer", lambda *_: trial)
    monkeypatch.setattr(edge_learners, "solved_maps", lambda *_: label)
    monkeypatch.setattr(edge_learners, "answer_maps", lambda *_: rough)
    both = edge_learners.compare_learners(divided, (0,), "depth_zbuffer", divided.regimes[0])
    assert both.smoothing["closed_form"] == 0
    assert both.smoothing["gradient"] > 0
    assert both.losses["closed_form"] == pytest.approx(0, abs=1e-6)
    assert 0 < both.losses["gradient"] < 0.4


def test_an_edge_by_gradient_is_taught_by_what_was_held_out_too(bank, tmp_path, monkeypatch):
    store, representations, networks, _ = bank
    monkeypatch.setattr(regimes, "FEWEST", 5)
    monkeypatch.setattr(store, "views", lambda split: [f"house{i // 2}/{i}" for i in range(8)])
    chosen = Comparison({"closed_form": 1.0, "gradient": 0.5}, {}, 3)
    monkeypatch.setattr(edge, "compare_learners", lambda *_: chosen)
    seen, real = {}, edge.train_transfer_alone

    def trained(bench, subset, name, rows, schedule, epochs, share):
        seen.update(rows=rows, epochs=epochs, share=share)
        return real(bench, subset, name, rows, schedule, epochs, share)

    monkeypatch.setattr(edge, "train_transfer_alone", trained)
    config = dataclasses.replace(TINY, policy_epochs=4)
    train_transfer(
        ("normal",), "class_scene", store, representations, networks, tmp_path / "edge", config
    )
    regime = regimes.regimes_of(store, config)[-1]
    data = store.samples("class_scene", "val")
    rows = regime.samples(data, config.seed)
    assert regime.holds_out(data, rows).any()
    np.testing.assert_array_equal(seen["rows"], rows)
    assert seen["epochs"] == 3
    assert seen["share"] == 1 - regime.holds_out(data, rows).mean()


def test_a_folder_without_an_edge_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no transfer network"):
        load_transfer_network(tmp_path)
